package socketio

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"
)

// Namespace is the library's namespace, with all its methods, and typed events; see [On], [Handle].
type Namespace struct {
	socket.Namespace

	// Static once ready is closed.
	server *Server
	local  *LocalAdapter // nil if the adapter is of another kind
	ready  chan struct{} // closed when every CONNECT goes through attach

	onConnect    hooks[func(context.Context, *socket.Socket) error]
	onDisconnect hooks[func(context.Context, *socket.Socket, string)]

	mu       sync.Mutex // serialises On and Handle
	handlers atomic.Pointer[map[string][]handler]

	everybody *socket.BroadcastOptions // of Broadcast; never changed

	number    int  // in the order in which namespaces were made
	removable bool // when it is empty; guarded by Server.mu
	traffic   traffic
}

// hooks is a list that is read often and extended rarely.
type hooks[F any] struct {
	mu   sync.Mutex
	list []F
}

func (h *hooks[F]) add(f F) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(slices.Clip(h.list), f)
}

func (h *hooks[F]) all() []F {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.list
}

// newNamespace takes over a namespace that the library is constructing: its emitter, which nobody
// knows yet, is replaced by ours.
func newNamespace(s *Server, nsp socket.Namespace) *Namespace {
	ns := &Namespace{
		Namespace: nsp,
		server:    s,
		ready:     make(chan struct{}),
		everybody: &socket.BroadcastOptions{
			Rooms:  types.NewSet[socket.Room](),
			Except: types.NewSet[socket.Room](),
			Flags:  &socket.BroadcastFlags{},
		},
	}
	ns.handlers.Store(&map[string][]handler{})
	nsp.EventEmitter().EventEmitter = &namespaceEmitter{ns: ns}
	return ns
}

// setReady puts attach before all other middlewares.
func (ns *Namespace) setReady() {
	ns.Fns().Unshift(func(sock *socket.Socket, next func(*socket.ExtendedError)) {
		ns.attach(sock)
		next(nil)
	})
	close(ns.ready)
}

func (ns *Namespace) attach(sock *socket.Socket) {
	if c, ok := sock.Conn().(*conn); ok {
		if l := c.joinee(ns.Name()); l != nil {
			l.attach(ns, sock)
		}
	}
}

// OnConnect adds what is called for each socket that has joined, before the library's "connection"
// listeners. The next event of that socket waits until it returns. An error disconnects the socket
// and is logged; to refuse a client use the middleware [Namespace.Use], whose error the client sees.
// ctx ends when the socket disconnects.
func (ns *Namespace) OnConnect(f func(ctx context.Context, s *socket.Socket) error) {
	ns.onConnect.add(f)
}

// OnDisconnect adds what is called once for each socket that OnConnect was called for, when it has
// left all rooms. The reason is Node's: "transport close", "client namespace disconnect" ….
func (ns *Namespace) OnDisconnect(f func(ctx context.Context, s *socket.Socket, reason string)) {
	ns.onDisconnect.add(f)
}

// Broadcast sends an event to everybody in the namespace, on all instances. It is Emit without its
// allocations, and without an acknowledgement. Payload arguments travel raw.
func (ns *Namespace) Broadcast(event string, args ...any) {
	data := append(make([]any, 0, 1+len(args)), event)
	ns.Adapter().Broadcast(&parser.Packet{Type: parser.EVENT, Nsp: ns.Name(), Data: append(data, args...)}, ns.everybody)
}

// BroadcastFrom is Broadcast for the handler of a client's event, with the ctx that the handler got:
// what is sent to receivers here counts against [Limits].DeliveriesPerSecond of that client, whose next
// messages wait if it is too much.
func (ns *Namespace) BroadcastFrom(ctx context.Context, event string, args ...any) {
	ns.charge(ctx, event, args, nil)
	ns.Broadcast(event, args...)
}

// charge counts what is about to be sent to the receivers here in rooms (nil: all) against the client that caused it.
func (ns *Namespace) charge(ctx context.Context, event string, args []any, rooms []socket.Room) {
	l, ok := ctx.(*link)
	if !ok {
		l, ok = ctx.Value(linkKey{}).(*link)
	}
	if !ok || ns.local == nil || l.conn.server.limits.deliveries.perSecond == 0 && l.conn.server.recovery == nil {
		return
	}
	size := deliveryOverhead + len(event)
	for _, v := range args {
		size += sizeOf(v)
	}
	l.conn.keeps(size)
	l.conn.pace.caused.Add(int64(size) * int64(ns.local.receivers(rooms)))
}

// deliveryOverhead is what a delivery costs besides its bytes, as bytes.
const deliveryOverhead = 64

// linkKey finds the link in contexts that are made from one.
type linkKey struct{}

// sizeOf is about how many bytes a value has on the wire.
func sizeOf(v any) int {
	switch v := v.(type) {
	case Payload:
		n := len(v.json())
		for _, b := range v.Attachments {
			n += len(b)
		}
		return n
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 32
}

// namespaceEmitter is the EventEmitter of a namespace (and, for "/", of the library's Server). It
// knows when the listeners of "connection" have returned, and survives their panics.
type namespaceEmitter struct {
	emitter
	ns *Namespace
}

func (e *namespaceEmitter) Emit(event events.EventName, args ...any) {
	log := e.ns.server.log
	switch event {
	case "connect", "connection":
		if sock, ok := args[0].(*socket.Socket); ok {
			e.emitSocket(event, sock)
			return
		}
	case "new_namespace":
		if nsp, ok := args[0].(socket.Namespace); ok {
			e.ns.server.created(nsp)
		}
	}
	e.emitGuarded(log, event, args...)
}

// emitSocket handles the two events that the library emits one after the other for a new socket.
func (e *namespaceEmitter) emitSocket(event events.EventName, sock *socket.Socket) {
	log := e.ns.server.log
	l := linkOf(sock)
	switch {
	case l == nil:
		e.emitGuarded(log, event, sock)
	case event == "connect":
		if l.begin() {
			e.emitGuarded(log, event, sock)
		}
	case l.begun():
		e.ns.connected(l)
		e.emitGuarded(log, event, sock)
		l.opened()
	}
}

// linkOf returns the link of a socket, nil if we have not attached one.
func linkOf(sock *socket.Socket) *link {
	if e, ok := sock.EventEmitter.(*socketEmitter); ok {
		return e.link
	}
	return nil
}

// connected calls the typed OnConnect hooks.
func (ns *Namespace) connected(l *link) {
	for _, f := range ns.onConnect.all() {
		var err error
		if !guard(ns.server.log, "connection", func() { err = f(l, l.sock) }) || err == nil {
			continue
		}
		ns.server.log.Warn("socket disconnected: its OnConnect failed", "namespace", ns.Name(), "sid", string(l.sock.Id()), "error", err)
		l.sock.Disconnect(false)
		return
	}
}
