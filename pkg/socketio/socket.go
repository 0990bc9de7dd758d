package socketio

import (
	"context"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// Socket is what most handlers use of a [*socket.Socket], which implements it. A handler that takes a Socket can be called by a test with a
// fake, such as sockettest.Fake, without server and client; [Plain] makes it one for [On] and [Handle].
type Socket interface {
	Id() socket.SocketId
	Handshake() *socket.Handshake
	Data() any
	SetData(data any)
	Rooms() *types.Set[socket.Room]
	Join(rooms ...socket.Room)
	Leave(room socket.Room)
	Emit(event string, args ...any) error
	Connected() bool
	Disconnect(closeConnection bool) *socket.Socket
}

var _ Socket = (*socket.Socket)(nil)

// Plain turns a handler that takes a [Socket] into one for [Handle]:
//
//	socketio.Handle(ns, "rename", socketio.Plain(rename))
func Plain[T, R any](h func(ctx context.Context, s Socket, in T) (R, error)) func(context.Context, *socket.Socket, T) (R, error) {
	return func(ctx context.Context, s *socket.Socket, in T) (R, error) { return h(ctx, s, in) }
}
