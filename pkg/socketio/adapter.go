package socketio

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// AdapterBuilder makes the adapter of each namespace. What New returns should be, or embed, a
// *LocalAdapter; broadcasts of any other adapter go through each socket one by one.
type AdapterBuilder = socket.AdapterConstructor

// LocalAdapter implements socket.Adapter in memory. Other adapters embed it:
//
//	type clusterAdapter struct{ *socketio.LocalAdapter }
//
//	func (b *builder) New(nsp socket.Namespace) socket.Adapter {
//		a := &clusterAdapter{LocalAdapter: socketio.NewLocalAdapter()}
//		a.Prototype(a)
//		a.Construct(nsp)
//		return a
//	}
//
// and override what crosses instances (Broadcast, BroadcastWithAck, FetchSockets, AddSockets,
// DelSockets, DisconnectSockets, ServerSideEmit, ServerCount, Close), calling the embedded method
// for the local part.
//
// One broadcast is encoded once and queued on all its receivers under the adapter's lock, so all of
// them see broadcasts in the same order. Nothing is allocated for a receiver. A socket gets its
// namespace's broadcasts from the moment its CONNECT answer is queued, never before.
//
// The events create-room, delete-room, join-room and leave-room are emitted as Node's adapter does,
// after the change and without the lock.
type LocalAdapter struct {
	emitter

	// Static after Construct.
	proto socket.Adapter
	nsp   socket.Namespace
	name  string

	log      *slog.Logger
	traffic  *traffic                       // of the namespace; nil until a Server has adopted the adapter
	received atomic.Pointer[func(Received)] // nil: nobody listens; see Namespace.OnReceive

	mu      sync.Mutex // guards what follows and the member of each link
	batches *sync.Pool // of batch; nil until a Server has adopted the adapter
	byID    map[socket.SocketId]*link
	members []*link // those that are joined, in no order
	rooms   map[socket.Room]map[*link]struct{}
	mark    uint64 // of the latest selection, see selectLocked
	joins   uint64 // members there ever were
	// horizons tells of broadcasts under way that are not for all members: up to which member.joined.
	horizons map[*socket.BroadcastOptions]uint64

	packs    bool     // a client that speaks MessagePack has been here
	journal  *journal // nil unless connection state recovery is on; the pointer is static
	sessions sessions
	peers    SessionPeers // nil: there are no other instances
}

// batch is what the adapter needs of an *engineio.Batch.
type batch interface {
	Send(c *engineio.Conn, frames ...*engineio.Frame) bool
	Flush()
}

// member is the part of a link that its namespace's adapter owns.
type member struct {
	id     socket.SocketId
	index  int    // in members; -1 unless joined
	joined uint64 // which member it was; a recovered one is the one that it was before
	rooms  []socket.Room

	session *session // nil without recovery, for clients of protocol 4, and once it has left
	replay  *replay  // while it catches up
	held    *session // the session that has left and that cannot be given away yet; see sessions.letGo
	closing int32    // calls of the library that close the socket and have not returned
	own     bool     // in the room that is named like its id, which rooms does not list
	through bool     // the library does nothing else with the socket any more
}

var _ socket.Adapter = (*LocalAdapter)(nil)

// NewLocalAdapter returns an adapter without a namespace; Construct gives it one.
func NewLocalAdapter() *LocalAdapter {
	a := &LocalAdapter{
		log:   slog.New(slog.DiscardHandler),
		byID:  make(map[socket.SocketId]*link),
		rooms: make(map[socket.Room]map[*link]struct{}),
	}
	a.proto = a
	return a
}

// Prototype tells the adapter what it is embedded in.
func (a *LocalAdapter) Prototype(p socket.Adapter) { a.proto = p }

// Proto returns what Prototype was told; without that, the adapter itself.
func (a *LocalAdapter) Proto() socket.Adapter { return a.proto }

// Construct binds the adapter to its namespace. It must be called once, before anything else but
// Prototype.
func (a *LocalAdapter) Construct(nsp socket.Namespace) { a.nsp, a.name = nsp, nsp.Name() }

// Nsp returns the namespace.
func (a *LocalAdapter) Nsp() socket.Namespace { return a.nsp }

// Init does nothing.
func (a *LocalAdapter) Init() {}

// Close does nothing; an adapter with resources overrides it.
func (a *LocalAdapter) Close() {}

// ServerCount is 1: this instance.
func (a *LocalAdapter) ServerCount() int64 { return 1 }

// ServerSideEmit returns an error: there is no other server to emit to.
func (a *LocalAdapter) ServerSideEmit([]any) error {
	return errors.New("this adapter does not support the ServerSideEmit() functionality")
}

// builder makes a LocalAdapter for each namespace.
type builder struct{}

func (builder) New(nsp socket.Namespace) socket.Adapter {
	a := NewLocalAdapter()
	a.Construct(nsp)
	return a
}

// localAdapter finds the LocalAdapter in an adapter that is or embeds one.
func localAdapter(a socket.Adapter) *LocalAdapter {
	if l, ok := a.(interface{ local() *LocalAdapter }); ok {
		return l.local()
	}
	return nil
}

func (a *LocalAdapter) local() *LocalAdapter { return a }

// adopt gives the adapter the means to send.
func (a *LocalAdapter) adopt(newBatch func() batch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.batches = &sync.Pool{New: func() any { return newBatch() }}
}

// register makes a socket known, before it has joined any room. offset is what the client said it got
// last.
func (a *LocalAdapter) register(l *link, id socket.SocketId, offset string) {
	watched := len(a.snapshot()) > 0
	var changes []roomEvent
	a.mu.Lock()
	l.member = member{id: id, index: -1, session: l.member.session}
	a.byID[id] = l
	a.packs = a.packs || l.conn.msgpack
	if a.journal != nil && l.conn.Protocol() != 3 {
		if entered := a.enrollLocked(l, id, offset); watched {
			changes = entered
		}
	}
	a.mu.Unlock()
	a.emitRooms(changes)
}

// activate queues the CONNECT answer, and what a recovered client missed, and lets the socket take part
// in broadcasts from there on.
func (a *LocalAdapter) activate(l *link, frames []*engineio.Frame, pid socket.PrivateSessionId) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.joins++
	l.member.joined = a.joins
	sent := a.admitLocked(l, frames, pid)
	if sent && a.byID[l.member.id] == l && l.member.index < 0 {
		l.member.index = len(a.members)
		a.members = append(a.members, l)
	}
}

// deactivate queues the DISCONNECT packet, the last of its namespace that the client gets.
func (a *LocalAdapter) deactivate(l *link, frames []*engineio.Frame) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l.conn.send(frames, nil)
	a.removeLocked(l)
}

// joined is how many sockets are in the namespace here.
func (a *LocalAdapter) joined() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.members)
}

// removeLocked takes l out of members.
func (a *LocalAdapter) removeLocked(l *link) {
	i := l.member.index
	if i < 0 {
		return
	}
	last := len(a.members) - 1
	a.members[i] = a.members[last]
	a.members[i].member.index = i
	a.members[last] = nil
	a.members = a.members[:last]
	l.member.index = -1
	if cap(a.members) > 64 && len(a.members) < cap(a.members)/4 {
		a.members = slices.Clip(slices.Clone(a.members)) // let go of a crowd's memory
	}
}
