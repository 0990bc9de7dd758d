// Package history keeps what was said in the chat's rooms.
//
//	Store.Append(message) ──► Memory: this process                           ──► Receipt{id}
//	Store.Page(query)     ──► the newest, those before an id, those after it ──► oldest first
//
// A room is named by a string, the lobby by "". What is kept is bounded three ways: each room by a count, everything by bytes, and by age.
// The lobby has half of the bytes and the other rooms share the other half; of these the one that nobody has spoken in for longest gives way
// first, so that no room can push out the lobby.
//
// An id is what a stream of Redis has, a time in milliseconds and a counter, written with a fixed width so that ids sort as strings. Ids of one
// room grow in the order in which its messages are kept.
//
// All methods are safe for concurrent use.
package history
