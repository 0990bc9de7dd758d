package socketio

import "github.com/zishang520/socket.io/v2/socket"

// HasMembers tells whether a socket is in a room, other than the one that the room is named after. An
// adapter that follows rooms compares with it when it hears of a change: events of two changes may come
// in the other order.
func (a *LocalAdapter) HasMembers(room socket.Room) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rooms[room] != nil
}

// MayReach tells whether a broadcast to a room concerns this instance: a socket is in it, or sessions are
// kept, whose clients may have been.
func (a *LocalAdapter) MayReach(room socket.Room) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.journal != nil || a.rooms[room] != nil || a.ownedLocked(room)
}
