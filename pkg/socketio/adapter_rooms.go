package socketio

import (
	"cmp"
	"slices"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// roomEvent is an event of the adapter that is emitted once the lock is released.
type roomEvent struct {
	name string
	room socket.Room
	id   socket.SocketId // "" for create-room and delete-room
}

func (a *LocalAdapter) emitRooms(list []roomEvent) {
	for _, e := range list {
		if e.id == "" {
			a.Emit(events.EventName(e.name), e.room)
		} else {
			a.Emit(events.EventName(e.name), e.room, e.id)
		}
	}
}

// AddAll adds a socket to rooms. One that is not connected any more stays out.
func (a *LocalAdapter) AddAll(id socket.SocketId, rooms *types.Set[socket.Room]) {
	var changes []roomEvent
	watched := len(a.snapshot()) > 0
	a.mu.Lock()
	l := a.byID[id]
	if l == nil {
		a.mu.Unlock()
		return
	}
	refused := 0
	for _, room := range rooms.Keys() {
		created := a.rooms[room] == nil && !a.ownedLocked(room)
		if !a.mayEnterLocked(l, room) {
			refused++
			continue
		}
		if !a.addLocked(l, room) || !watched {
			continue
		}
		changes = enterEvents(changes, id, room, created)
	}
	a.mu.Unlock()
	l.refusedRooms(refused)
	a.emitRooms(changes)
}

// ownedLocked tells whether the socket that room is named after is in it.
func (a *LocalAdapter) ownedLocked(room socket.Room) bool {
	l := a.byID[socket.SocketId(room)]
	return l != nil && l.member.own
}

// addLocked puts l into a room, and reports whether it was not there.
func (a *LocalAdapter) addLocked(l *link, room socket.Room) bool {
	added := a.indexLocked(l, room)
	if s := l.member.session; s != nil && added {
		s.enter(room, a.journal.head())
	}
	return added
}

func (a *LocalAdapter) indexLocked(l *link, room socket.Room) bool {
	if string(room) == string(l.member.id) {
		added := !l.member.own
		l.member.own = true
		return added
	}
	in := a.rooms[room]
	if in == nil {
		in = make(map[*link]struct{})
		a.rooms[room] = in
	}
	if _, there := in[l]; there {
		return false
	}
	in[l] = struct{}{}
	l.member.rooms = append(l.member.rooms, room)
	return true
}

// leaveLocked takes l out of the index of room, and reports what changed.
func (a *LocalAdapter) leaveLocked(l *link, room socket.Room) (left, deleted bool) {
	if string(room) == string(l.member.id) && l.member.own {
		l.member.own = false
		left = true
	} else if _, left = a.rooms[room][l]; left {
		delete(a.rooms[room], l)
		if len(a.rooms[room]) == 0 {
			delete(a.rooms, room)
		}
	}
	if s := l.member.session; s != nil && left {
		s.leave(room, a.journal)
	}
	return left, left && a.rooms[room] == nil && !a.ownedLocked(room)
}

// Del takes a socket out of a room.
func (a *LocalAdapter) Del(id socket.SocketId, room socket.Room) {
	a.mu.Lock()
	var left, deleted bool
	if l := a.byID[id]; l != nil {
		left, deleted = a.leaveLocked(l, room)
		if i := slices.Index(l.member.rooms, room); left && i >= 0 {
			l.member.rooms = slices.Delete(l.member.rooms, i, i+1)
		}
	}
	a.mu.Unlock()
	if left {
		a.emitRooms(leaveEvents(nil, id, room, deleted))
	}
}

// DelAll takes a socket out of all rooms and of the namespace. The adapter forgets the id.
func (a *LocalAdapter) DelAll(id socket.SocketId) {
	watched := len(a.snapshot()) > 0
	a.mu.Lock()
	l := a.byID[id]
	if l == nil || a.staleLocked(l) {
		if s := a.sessions.leaving[id]; s != nil && !s.link.sock.Connected() { // one that was withdrawn
			s.link.member.through = true
			a.sessions.letGo(s.link)
		}
		a.mu.Unlock()
		return
	}
	changes := a.delAllLocked(l, watched)
	a.mu.Unlock()
	a.emitRooms(changes)
}

func (a *LocalAdapter) delAllLocked(l *link, watched bool) (changes []roomEvent) {
	id := l.member.id
	a.unenrollLocked(l)
	rooms := l.member.rooms
	if l.member.own {
		rooms = append(rooms, socket.Room(id))
	}
	for _, room := range rooms {
		if _, deleted := a.leaveLocked(l, room); watched {
			changes = leaveEvents(changes, id, room, deleted)
		}
	}
	l.member.rooms = nil
	a.removeLocked(l)
	delete(a.byID, id)
	return changes
}

func enterEvents(list []roomEvent, id socket.SocketId, room socket.Room, created bool) []roomEvent {
	if created {
		list = append(list, roomEvent{name: "create-room", room: room})
	}
	return append(list, roomEvent{"join-room", room, id})
}

func leaveEvents(list []roomEvent, id socket.SocketId, room socket.Room, deleted bool) []roomEvent {
	list = append(list, roomEvent{"leave-room", room, id})
	if deleted {
		list = append(list, roomEvent{name: "delete-room", room: room})
	}
	return list
}

// Rooms returns a snapshot of the rooms and who is in them; it is built for each call.
func (a *LocalAdapter) Rooms() *types.Map[socket.Room, *types.Set[socket.SocketId]] {
	m := &types.Map[socket.Room, *types.Set[socket.SocketId]]{}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, l := range a.byID {
		for _, room := range l.member.roomsOf() {
			set, _ := m.LoadOrStore(room, types.NewSet[socket.SocketId]())
			set.Add(id)
		}
	}
	return m
}

// Sids returns a snapshot of the sockets and the rooms they are in; it is built for each call.
func (a *LocalAdapter) Sids() *types.Map[socket.SocketId, *types.Set[socket.Room]] {
	m := &types.Map[socket.SocketId, *types.Set[socket.Room]]{}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, l := range a.byID {
		if l.member.index >= 0 {
			m.Store(id, types.NewSet(l.member.roomsOf()...))
		}
	}
	return m
}

// roomsOf lists all rooms, the implicit one first.
func (m *member) roomsOf() []socket.Room {
	var rooms []socket.Room
	if m.own {
		rooms = append(rooms, socket.Room(m.id))
	}
	return append(rooms, m.rooms...)
}

// SocketRooms returns a snapshot of the socket's rooms, nil for an unknown id.
func (a *LocalAdapter) SocketRooms(id socket.SocketId) *types.Set[socket.Room] {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.byID[id]
	if l == nil {
		return nil
	}
	return types.NewSet(l.member.roomsOf()...)
}

// Sockets returns the ids of the sockets in rooms (nil or empty: of the namespace) on this instance.
func (a *LocalAdapter) Sockets(rooms *types.Set[socket.Room]) *types.Set[socket.SocketId] {
	ids := types.NewSet[socket.SocketId]()
	for _, s := range a.sockets(&socket.BroadcastOptions{Rooms: rooms}) {
		ids.Add(s.Id())
	}
	return ids
}

// sockets lists what opts selects, to be worked on without the lock, in the order in which they joined the namespace, as Node's Map of
// sockets has them; one that was recovered has its place of before.
func (a *LocalAdapter) sockets(opts *socket.BroadcastOptions) []*socket.Socket {
	type joiner struct {
		joined uint64
		sock   *socket.Socket
	}
	var found []joiner
	a.mu.Lock()
	a.selectLocked(opts, func(l *link) { found = append(found, joiner{l.member.joined, l.sock}) })
	a.mu.Unlock()
	slices.SortFunc(found, func(x, y joiner) int { return cmp.Compare(x.joined, y.joined) })
	list := make([]*socket.Socket, len(found))
	for i, one := range found {
		list[i] = one.sock
	}
	return list
}

// FetchSockets calls back with the local sockets opts selects, before it returns.
func (a *LocalAdapter) FetchSockets(opts *socket.BroadcastOptions) func(func([]socket.SocketDetails, error)) {
	return func(callback func([]socket.SocketDetails, error)) {
		details := []socket.SocketDetails{}
		for _, s := range a.sockets(opts) {
			details = append(details, s)
		}
		callback(details, nil)
	}
}

// AddSockets makes the local sockets opts selects join rooms.
func (a *LocalAdapter) AddSockets(opts *socket.BroadcastOptions, rooms []socket.Room) {
	for _, s := range a.sockets(opts) {
		s.Join(rooms...)
	}
}

// DelSockets makes the local sockets opts selects leave rooms.
func (a *LocalAdapter) DelSockets(opts *socket.BroadcastOptions, rooms []socket.Room) {
	for _, s := range a.sockets(opts) {
		for _, room := range rooms {
			s.Leave(room)
		}
	}
}

// DisconnectSockets disconnects the local sockets opts selects, and closes their connections if
// closeConn is set.
func (a *LocalAdapter) DisconnectSockets(opts *socket.BroadcastOptions, closeConn bool) {
	for _, s := range a.sockets(opts) {
		s.Disconnect(closeConn)
	}
}
