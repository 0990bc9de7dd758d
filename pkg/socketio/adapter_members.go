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

// upTo makes a broadcast with opts one for the members that there were when l joined, until end is called.
func (a *LocalAdapter) upTo(l *link, opts *socket.BroadcastOptions) (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.horizons == nil {
		a.horizons = map[*socket.BroadcastOptions]uint64{}
	}
	a.horizons[opts] = l.member.joined
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.horizons, opts)
	}
}

// MayReach tells whether a broadcast to a room concerns this instance: a socket is in it, or sessions are
// kept, whose clients may have been.
func (a *LocalAdapter) MayReach(room socket.Room) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.journal != nil || a.rooms[room] != nil || a.ownedLocked(room)
}

// receivers is how many sockets here a broadcast to rooms reaches, to all of the namespace if there are none. A socket that is in several
// counts several times.
func (a *LocalAdapter) receivers(rooms []socket.Room) (n int) {
	if len(rooms) == 0 {
		return a.joined()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, room := range rooms {
		n += len(a.rooms[room])
		if l := a.byID[socket.SocketId(room)]; l != nil && l.member.own {
			n++
		}
	}
	return n
}

// CountIn is how many sockets of this instance are in a room, other than the one that the room is named after.
func (ns *Namespace) CountIn(room socket.Room) int {
	if ns.local == nil {
		return 0
	}
	ns.local.mu.Lock()
	defer ns.local.mu.Unlock()
	return len(ns.local.rooms[room])
}

// IsIn tells whether a socket is in a room.
func (ns *Namespace) IsIn(s *socket.Socket, room socket.Room) bool {
	l := linkOf(s)
	if l == nil || ns.local == nil {
		return s.Rooms().Has(room)
	}
	ns.local.mu.Lock()
	defer ns.local.mu.Unlock()
	_, in := ns.local.rooms[room][l]
	return in
}
