package redisadapter

import (
	"sync"

	"github.com/zishang520/socket.io/v2/socket"
)

// roomFollower subscribes to the channels on which Node nodes broadcast to the rooms that sockets of
// this instance are in. The room that each socket has for itself is left out: Node nodes use the main
// channel for those, if the socket's id is one of 20 characters, or always if they were made with
// subscriptionMode "static"; a subscription for each client would be too much.
type roomFollower struct {
	a      *Adapter
	names  clusterChannels
	wanted *roomListener // nil: the hub subscribes
	own    subscription

	mu      sync.Mutex
	members map[socket.Room]int // rooms with members, or, for a moment, with less than none
	pending bool                // changed since the hub was told
}

// start follows the adapter's events. Those of two changes may come in the other order, so members
// are counted.
func (f *roomFollower) start() {
	changed := func(by int) func(args ...any) {
		return func(args ...any) {
			room, ok := args[0].(socket.Room)
			if id, isID := args[1].(socket.SocketId); ok && isID && string(id) != string(room) {
				f.changed(room, by)
			}
		}
	}
	_ = f.a.On("join-room", changed(+1))
	_ = f.a.On("leave-room", changed(-1))
}

// changed counts a member that has come or gone.
func (f *roomFollower) changed(room socket.Room, by int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.members[room] > 0
	f.members[room] += by
	there := f.members[room] > 0
	if f.members[room] == 0 {
		delete(f.members, room)
	}
	switch {
	case there == before:
	case f.wanted != nil && there:
		f.wanted.add(f.names.specific(string(room)), f.a)
	case f.wanted != nil:
		f.wanted.remove(f.names.specific(string(room)))
	case !f.pending:
		// Thousands of rooms may come at once; they are told together.
		f.pending = true
		go f.tell()
	}
}

// tell gives the hub the list as it is now.
func (f *roomFollower) tell() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = false
	s := f.own
	s.channels = append([]string(nil), s.channels...)
	for room, members := range f.members {
		if members > 0 {
			s.channels = append(s.channels, f.names.specific(string(room)))
		}
	}
	f.a.hub.resubscribe(s, f.a)
}
