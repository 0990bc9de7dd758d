package redisadapter

import (
	"sync"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/cluster"
)

// roomFollower subscribes to the channels on which Node nodes broadcast to the rooms that sockets of
// this instance are in. The room that each socket has for itself is left out: Node nodes use the main
// channel for those, if the socket's id is one of 20 characters, or always if they were made with
// subscriptionMode "static"; a subscription for each client would be too much.
type roomFollower struct {
	a     *Adapter
	names cluster.Channels

	mu       sync.Mutex
	followed map[socket.Room]bool
}

// start follows the adapter's events. They tell that a room may have changed; whether it has members, the
// adapter knows.
func (f *roomFollower) start() {
	changed := func(args ...any) {
		room, ok := args[0].(socket.Room)
		if id, isID := args[1].(socket.SocketId); ok && isID && string(id) != string(room) {
			f.compare(room)
		}
	}
	_ = f.a.On("join-room", changed)
	_ = f.a.On("leave-room", changed)
}

// compare follows a room that has members, and no other.
func (f *roomFollower) compare(room socket.Room) {
	f.mu.Lock()
	defer f.mu.Unlock()
	there := f.a.HasMembers(room)
	switch {
	case there == f.followed[room]:
	case there:
		f.followed[room] = true
		f.a.hub.Follow(f.names.Specific(string(room)), inbox{f.a})
	default:
		delete(f.followed, room)
		f.a.hub.Unfollow(f.names.Specific(string(room)), inbox{f.a})
	}
}
