package socketio

import (
	"context"
	"sync/atomic"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// linkState is where one connection is with one namespace. A packet of the namespace is dispatched
// at once only when the link is open; otherwise it waits in the backlog, in order.
//
//	CONNECT ─► connecting ──────────────► open ─────────► leaving ─► gone
//	               │     listeners of "connection"   DISCONNECT, or the
//	               │     returned, queue dispatched  server disconnects
//	               └─ refused ─────────────────────────────────────► gone
type linkState uint8

const (
	linkConnecting linkState = iota // the library works on it, on a goroutine of its own
	linkOpen
	linkLeaving // "disconnecting" was emitted, "disconnect" has not returned
	linkGone    // conn.links has it no more
)

// maxBacklog bounds what waits for a link, in bytes of packets. The reader of a connection that
// sends more before its namespace is ready waits.
const maxBacklog = 1 << 20

// A link is one connection in one namespace: the library's Socket and what we keep beside it.
type link struct {
	// What a broadcast touches, on one cache line; see engineio.Conn.
	outgoing types.Slice[events.Listener] // what the socket's OnAnyOutgoing appends to, from attach on
	eio      *engineio.Conn               // conn's
	marked   uint64                       // guarded by the LocalAdapter, see selectLocked

	conn *conn
	name string // of the namespace

	// Set by attach, before the library publishes the socket.
	ns      *Namespace
	sock    *socket.Socket
	emitter socketEmitter // the socket's

	// Guarded by the LocalAdapter of the namespace.
	member member

	// Guarded by conn.mu.
	state     linkState
	listening bool // the listeners of "connection" have been or are being called
	ends      linkEnd
	emitted   emittedEvents
	backlog   *backlog // nil while the link is open
	rawAcks   map[uint64]func([]Payload)

	ctx atomic.Pointer[linkContext] // see Done
}

// linkEnd is why disconnect was called.
type linkEnd uint8

const (
	endByServer   linkEnd = iota // it was not: if the socket is closed, then by the server
	endByClient                  // DISCONNECT
	endConnection                // conn.ended tells why
	endInvalid                   // the client sent what makes no sense now
)

// A backlog is what waits for a link that is not open.
type backlog struct {
	queue   []*Packet
	bytes   int
	moved   chan struct{} // made by the goroutine that waits for room, closed when there may be some
	closing []any         // arguments of a "disconnect" that came before the link was open
	ticket  string        // see arrivals
	behind  []*Packet     // of "/" in protocol 4: CONNECTs that are answered after it
}

// emittedEvents remembers what a Socket emits once in its life.
type emittedEvents uint8

const (
	emittedDisconnecting emittedEvents = 1 << iota
	emittedDisconnect
)

// attach ties the library's Socket to its link. It runs on the goroutine that handed the library the
// CONNECT packet, before anybody else knows the socket.
func (l *link) attach(ns *Namespace, sock *socket.Socket) {
	l.emitter.link = l
	sock.EventEmitter = &l.emitter
	shareOutgoing(sock, &l.outgoing)
	l.conn.shareHandshake(sock.Handshake())
	l.conn.mu.Lock()
	l.ns, l.sock = ns, sock
	l.conn.mu.Unlock()
	if ns.local != nil {
		if l.conn.server.recovery != nil && !sock.Recovered() {
			nameOwner(sock, ns.local.owner())
		}
		ns.local.register(l, sock.Id(), l.arrived(sock.Handshake()))
	}
	l.conn.mu.Lock()
	gone := l.state == linkGone
	l.conn.mu.Unlock()
	if gone { // the connection ended just now, and did not find the socket registered
		l.forget()
	}
}

// forget drops a socket that will never be connected.
func (l *link) forget() {
	l.conn.mu.Lock()
	ns, sock := l.ns, l.sock
	l.conn.mu.Unlock()
	if sock != nil && ns.local != nil {
		ns.local.withdraw(l)
	}
}

// begin is called before the listeners of "connection". It reports false if the connection has ended
// meanwhile: then nobody hears of the socket.
func (l *link) begin() bool {
	c := l.conn
	c.mu.Lock()
	ended := c.ended
	ok := ended == "" && l.state == linkConnecting && l.emitted == 0
	var behind []*Packet
	if ok {
		l.listening = true
		l.ns.traffic.connected.Add(1)
		c.stopTimerLocked()
		behind = l.takeBehindLocked()
	}
	c.mu.Unlock()
	forgetNamespaces(l.sock.Client()) // whose timer the library has just stopped
	if ended != "" {
		c.ending.Lock()
		l.disconnect(endConnection) // the library was told before it knew this socket
		c.ending.Unlock()
	}
	if !ok {
		c.finish(l)
		l.through()
	}
	c.connectAll(behind)
	return ok
}

// begun reports what begin did.
func (l *link) begun() bool {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	return l.listening
}

// opened is called when the listeners of "connection" have returned. It dispatches what has arrived
// since, on this goroutine, and leaves the rest to the reader.
func (l *link) opened() {
	c := l.conn
	defer c.end()             // in case the connection has ended while the listeners ran
	defer c.tellUpgraded(nil) // in case it has moved since they returned
	l.dropAuth()
	c.tellUpgraded(l)
	for {
		c.mu.Lock()
		b := l.backlog
		switch {
		case l.state != linkConnecting: // refused after all, by the application
			c.mu.Unlock()
			return
		case b.closing != nil:
			args, both := b.closing, l.emitted&emittedDisconnect != 0
			l.state = linkLeaving
			c.mu.Unlock()
			l.emitter.emitGuarded(c.server.log, "disconnecting", args...)
			if both {
				l.disconnected(args)
			}
			return
		case len(b.queue) == 0:
			l.state, l.backlog = linkOpen, nil
			b.moveLocked()
			c.mu.Unlock()
			return
		}
		p := b.queue[0]
		b.queue[0] = nil
		b.queue = b.queue[1:]
		b.bytes -= p.held()
		b.moveLocked()
		last, size := p.Type == Disconnect, p.held()
		if last {
			l.state = linkLeaving // nothing is deferred any more; what follows waits for finish
		}
		c.mu.Unlock()
		l.dispatch(p)
		p.release()
		c.eio.Hold(-int64(size))
		if last {
			return
		}
	}
}

// dropAuth forgets what the client's CONNECT carried, which may be large and a secret: middlewares and
// the listeners of "connection" have read it.
func (l *link) dropAuth() {
	if _, ok := l.sock.Handshake().Auth.(map[string]any); ok {
		l.sock.Handshake().Auth = map[string]any{}
	}
}

// moveLocked wakes the reader if it waits for room.
func (b *backlog) moveLocked() {
	if b.moved != nil {
		close(b.moved)
		b.moved = nil
	}
}

// pushLocked keeps p for later, unless there is too much already: then it returns what to wait for.
func (b *backlog) pushLocked(p *Packet) (wait <-chan struct{}) {
	if b.bytes > 0 && b.bytes+p.held() > maxBacklog {
		return b.movedLocked()
	}
	b.queue = append(b.queue, p)
	b.bytes += p.held()
	return nil
}

// movedLocked returns what is closed when the link has got further.
func (b *backlog) movedLocked() <-chan struct{} {
	if b.moved == nil {
		b.moved = make(chan struct{})
	}
	return b.moved
}

// held is about what the packet takes in memory: of a small one more than it had on the wire.
func (p *Packet) held() int { return p.size + 256 + 48*len(p.Args) }

// dispatch acts on a packet of an open link.
func (l *link) dispatch(p *Packet) {
	switch p.Type {
	case Event:
		l.onEvent(p)
	case Ack:
		l.onAck(p)
	case Disconnect:
		l.leave()
	default:
		l.conn.invalidState(p)
	}
}

// leave does what the client asked for with DISCONNECT. The library would do it on a goroutine of its
// own, and close the connection if the server disconnects the socket at the same time.
func (l *link) leave() { l.disconnect(endByClient) }

// disconnect ends the socket, if it is connected, for a reason that is not the server's. It calls
// what the server would call; conn.Write suppresses the packet and mayEmit corrects the reason.
func (l *link) disconnect(why linkEnd) {
	l.conn.mu.Lock()
	l.ends = why
	l.conn.mu.Unlock()
	l.sock.Disconnect(false)
}

// reasonLocked is what the listeners of "disconnect" are told in place of reason, which is the library's.
func (l *link) reasonLocked(reason string) string {
	switch {
	case reason != "server namespace disconnect":
	case l.ends == endByClient:
		return "client namespace disconnect"
	case l.ends == endConnection:
		return l.conn.ended
	case l.ends == endInvalid:
		return ReasonForcedServer
	}
	return reason
}

// disconnected emits "disconnect" and ends the link.
func (l *link) disconnected(args []any) {
	log := l.conn.server.log
	l.emitter.emitGuarded(log, "disconnect", args...)
	reason, _ := args[0].(string)
	for _, f := range l.ns.onDisconnect.all() {
		guard(log, "disconnect", func() { f(context.WithoutCancel(l), l.sock, reason) })
	}
	l.conn.finish(l)
	l.through()
}

// expectRaw registers ack, which gets the answer to the event with this id, undecoded. The adapter's lock
// may be held.
func (l *link) expectRaw(id uint64, ack func([]Payload)) {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	if l.rawAcks == nil {
		l.rawAcks = make(map[uint64]func([]Payload))
	}
	l.rawAcks[id] = ack
}

func (l *link) takeRaw(id uint64) func([]Payload) {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	ack := l.rawAcks[id]
	delete(l.rawAcks, id)
	return ack
}
