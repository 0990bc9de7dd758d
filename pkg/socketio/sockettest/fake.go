package sockettest

import (
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// A Fake is a [socketio.Socket] without server and client: it records what a handler does with it. Its zero value is a connected socket
// without id. One goroutine may use it at a time.
type Fake struct {
	SocketID  socket.SocketId
	Shake     socket.Handshake
	SocketVal any // what Data returns

	Emitted      []FakeEvent
	FailEmitWith error // what Emit returns
	Disconnects  int   // how often Disconnect was called

	rooms *types.Set[socket.Room] // nil until somebody asks
}

// A FakeEvent is one call of Emit.
type FakeEvent struct {
	Name string
	Args []any
}

var _ socketio.Socket = (*Fake)(nil)

// Id returns SocketID.
func (f *Fake) Id() socket.SocketId { return f.SocketID }

// Handshake returns a pointer to Shake.
func (f *Fake) Handshake() *socket.Handshake { return &f.Shake }

// Data returns what SetData was given last.
func (f *Fake) Data() any { return f.SocketVal }

// SetData keeps data for Data.
func (f *Fake) SetData(data any) { f.SocketVal = data }

// Rooms returns the rooms that were joined and not left.
func (f *Fake) Rooms() *types.Set[socket.Room] {
	if f.rooms == nil {
		f.rooms = types.NewSet[socket.Room]()
	}
	return f.rooms
}

// Join adds rooms.
func (f *Fake) Join(rooms ...socket.Room) { f.Rooms().Add(rooms...) }

// Leave removes a room.
func (f *Fake) Leave(room socket.Room) { f.Rooms().Delete(room) }

// Emit records the event, unless FailEmitWith is set.
func (f *Fake) Emit(event string, args ...any) error {
	if f.FailEmitWith != nil {
		return f.FailEmitWith
	}
	f.Emitted = append(f.Emitted, FakeEvent{event, args})
	return nil
}

// Connected reports whether Disconnect has not been called.
func (f *Fake) Connected() bool { return f.Disconnects == 0 }

// Disconnect counts the call. It returns nil: there is no library socket.
func (f *Fake) Disconnect(bool) *socket.Socket {
	f.Disconnects++
	return nil
}
