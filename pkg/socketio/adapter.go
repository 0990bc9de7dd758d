package socketio

import (
	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"
)

// AdapterBuilder makes the adapter of each namespace. What New returns should be, or embed, a *LocalAdapter.
type AdapterBuilder = socket.AdapterConstructor

// LocalAdapter implements socket.Adapter in memory. Other adapters embed it:
//
//	type myAdapter struct{ *socketio.LocalAdapter }
//	func (b *builder) New(nsp socket.Namespace) socket.Adapter {
//		a := &myAdapter{LocalAdapter: socketio.NewLocalAdapter()}
//		a.Prototype(a)
//		a.Construct(nsp)
//		return a
//	}
//
// and override what crosses instances (Broadcast, BroadcastWithAck, FetchSockets, AddSockets, DelSockets, DisconnectSockets, ServerSideEmit,
// ServerCount, Close), calling the embedded method for the local part.
type LocalAdapter struct {
	events.EventEmitter
	proto socket.Adapter
	nsp   socket.Namespace
}

var _ socket.Adapter = (*LocalAdapter)(nil)

// NewLocalAdapter returns an adapter without a namespace; Construct gives it one.
func NewLocalAdapter() *LocalAdapter {
	a := &LocalAdapter{EventEmitter: events.New()}
	a.proto = a
	return a
}

func (a *LocalAdapter) Prototype(p socket.Adapter)              { a.proto = p }
func (a *LocalAdapter) Proto() socket.Adapter                   { return a.proto }
func (a *LocalAdapter) Nsp() socket.Namespace                   { return a.nsp }
func (a *LocalAdapter) Construct(nsp socket.Namespace)          { a.nsp = nsp }
func (a *LocalAdapter) Init()                                   {}
func (a *LocalAdapter) Close()                                  {}
func (a *LocalAdapter) ServerCount() int64                      { return 1 }
func (a *LocalAdapter) ServerSideEmit([]any) error              { return nil }
func (a *LocalAdapter) PersistSession(*socket.SessionToPersist) {}
func (a *LocalAdapter) RestoreSession(socket.PrivateSessionId, string) (*socket.Session, error) {
	return nil, nil
}

// Rooms and Sids build snapshots on each call; the adapter keeps no such maps.
func (a *LocalAdapter) Rooms() *types.Map[socket.Room, *types.Set[socket.SocketId]] { return nil }
func (a *LocalAdapter) Sids() *types.Map[socket.SocketId, *types.Set[socket.Room]]  { return nil }

func (a *LocalAdapter) AddAll(id socket.SocketId, rooms *types.Set[socket.Room]) {}
func (a *LocalAdapter) Del(id socket.SocketId, room socket.Room)                 {}
func (a *LocalAdapter) DelAll(id socket.SocketId)                                {}

// Sockets returns the ids of the sockets in rooms (nil or empty: of the namespace) on this instance.
func (a *LocalAdapter) Sockets(rooms *types.Set[socket.Room]) *types.Set[socket.SocketId] { return nil }

// SocketRooms returns a snapshot of the socket's rooms, nil for an unknown id.
func (a *LocalAdapter) SocketRooms(id socket.SocketId) *types.Set[socket.Room] { return nil }

// Broadcast sends packet to the local sockets opts selects.
func (a *LocalAdapter) Broadcast(packet *parser.Packet, opts *socket.BroadcastOptions) {}

// BroadcastWithAck does the same and asks each for an acknowledgement. clientCount is called once, before BroadcastWithAck returns;
// ack is called for each answer, with the arguments in the library's form.
func (a *LocalAdapter) BroadcastWithAck(packet *parser.Packet, opts *socket.BroadcastOptions, clientCount func(uint64), ack socket.Ack) {
}

// BroadcastEncoded sends an event that is encoded already (by another instance, say) to the local sockets opts selects.
// ev.Nsp is ignored: the adapter's namespace counts.
func (a *LocalAdapter) BroadcastEncoded(ev Encoded, opts *socket.BroadcastOptions) {}

// BroadcastEncodedWithAck is BroadcastWithAck for an encoded event; answers stay raw. ev.ID is ignored, a new one is taken.
func (a *LocalAdapter) BroadcastEncodedWithAck(ev Encoded, opts *socket.BroadcastOptions, clientCount func(uint64), ack func([]Payload)) {
}

// FetchSockets calls back with the local sockets opts selects, before it returns.
func (a *LocalAdapter) FetchSockets(opts *socket.BroadcastOptions) func(func([]socket.SocketDetails, error)) {
	return nil
}
func (a *LocalAdapter) AddSockets(opts *socket.BroadcastOptions, rooms []socket.Room) {}
func (a *LocalAdapter) DelSockets(opts *socket.BroadcastOptions, rooms []socket.Room) {}
func (a *LocalAdapter) DisconnectSockets(opts *socket.BroadcastOptions, close bool)   {}
