package redisadapter

import (
	"socketio-chat/pkg/redisadapter/internal/cluster"
	"sync"

	"github.com/zishang520/socket.io/v2/socket"
)

// roomFollower subscribes to the channels on which Node nodes broadcast to the rooms that sockets of
// this instance are in. The room that each socket has for itself is left out: Node nodes use the main
// channel for those, if the socket's id is one of 20 characters, or always if they were made with
// subscriptionMode "static"; a subscription for each client would be too much.
type roomFollower struct {
	a     *Adapter
	names cluster.Channels

	mu      sync.Mutex
	members map[socket.Room]int // rooms with members, or, for a moment, with less than none
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
	case there:
		f.a.hub.Follow(f.names.Specific(string(room)), inbox{f.a})
	default:
		f.a.hub.Unfollow(f.names.Specific(string(room)), inbox{f.a})
	}
}
