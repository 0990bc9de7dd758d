// Package history keeps what was said in the chat's rooms.
//
//	Store.Append(message) ──► Memory: this process                           ──► Receipt{id}
//	Store.Page(query)     ──► the newest, those before an id, those after it ──► oldest first
//
// A room is named by a string, the lobby by "". What is kept is bounded three ways: each room by a count, everything by bytes, and by age.
// The lobby has half of the bytes and the other rooms share the other half; of these the one that nobody has spoken in for longest gives way
// first, so that no room can push out the lobby.
//
// A [Redis] keeps them for all instances of a cluster, in a stream for each room:
//
//	Append ──► queue ──► writer ── append.lua ──►  Redis   streams, sizes, what was appended last
//	             ▲                                   │
//	             │ the recorder only                 │ XREVRANGE, one flight after another
//	Hear ──────► tail of the last seconds            ▼
//	Page ◄────────────────────────────────────── mirror of the lobby's newest
//
// Each instance appends what its own clients say, in batches, each exactly once: a batch whose outcome is not known is repeated under its number.
// What servers say that keep nothing (Node's, emitters) all instances hear; one of them, the recorder, which has a lease, appends it. The next
// recorder finds out from the stream how far the last one came. While Redis is away, appends wait, bounded in bytes, and pages are partial.
//
// A message that its client may send again has a key. An instance claims the key before it relays the message, for a few seconds; when the message is
// kept, its id takes the place of the claim, and "-" when it is not to be kept (Settle), for 10 minutes.
//
// An id is what a stream of Redis has, a time in milliseconds and a counter, written with a fixed width so that ids sort as strings. Ids of one
// room grow in the order in which its messages are kept.
//
// All methods are safe for concurrent use.
package history
