package engineio

import (
	"sync"
	"sync/atomic"
	"time"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/payload"
	"socketio-chat/pkg/engineio/internal/utf"
)

// A Receiver gets what one connection receives. A panic in one of its methods, or in
// Options.OnConnect, is logged and ends this session alone. Its calls never overlap and
// come in the order of the wire. While one runs, that connection is read no
// further: a slow receiver slows its own client down and nobody else.
type Receiver interface {
	// Receive gets one message, which the receiver may keep. Text is valid UTF-8.
	Receive(data []byte, binary bool)
	// Closed is the last call. err tells more about the reason, or is nil.
	Closed(reason CloseReason, err error)
}

// A Conn is one session: it outlives the HTTP requests and the WebSocket that
// carry it. All methods are safe for concurrent use and none blocks on the
// peer.
type Conn struct {
	// What a delivery touches, on one cache line: with thousands of connections
	// each line that it takes more is one that the processor has to wait for.
	mu       sync.Mutex    // guards all but what is static
	state    connState     // where it is in its life
	writer   writerState   // what takes frames from the outbox
	protocol uint8         // static
	b64      bool          // static; protocol 3: the client cannot read binary responses
	greeted  bool          // the first poll has been answered
	leaving  bool          // Leave was called first
	hears    bool          // leaving, and what the client sent is received still
	lingers  bool          // leaving, and the close packet has been polled
	out      outbox        // frames in order
	queued   int64         // bytes in out and in what is being written
	ws       *wsTransport  // nil while the transport is polling
	poll     *pendingPoll  // the GET that waits for packets
	text     atomic.Uint32 // protocol 3: a textRule; guarded by nothing

	post         bool          // a POST is being read
	awaitingPong bool          // protocol 4: a ping was sent
	graceUsed    bool          // protocol 4: this ping's timeout was extended once
	pinged       uint32        // protocol 4: when that was, see sinceHandshake
	due          time.Duration // of the heartbeat, then the bound of an orderly close; see deadlines.set
	found        time.Duration // when deadlines looks at it, not after due
	controls     atomic.Uint32 // see mayControl; guarded by nothing
	slow         *slowAnswer   // answers to polls that wait for their peers
	probe        *wsTransport  // a WebSocket that asked to take over, until it does
	reason       CloseReason
	done         chan struct{} // made by Done, closed by shutdown
	drained      chan struct{} // made by Drained, closed when queued is 0 and by shutdown

	// Static after construction.
	server    *Server
	id        string
	handshake *Handshake
	receiver  Receiver // set before the first packet is received

	// recvMu makes calls of receiver follow one another. Held while it runs.
	recvMu sync.Mutex

	taken atomic.Int64 // bytes received lately, see held.go

	// Of deadlines, whose mutex guards them: neighbours in a slot, and its number from 1 on.
	before, after *Conn
	seat          int32

	_ [16]byte // makes its class of sizes one of whole lines
}

// writerState tells what takes frames from the outbox of a WebSocket.
type writerState uint8

const (
	writerIdle      writerState = iota // nobody; the outbox is empty
	writerScheduled                    // the connection is in a Batch or in the flusher's line
	writerFlushing                     // a flusher worker, or the connection's own goroutine, writes
)

// ID is the session id. It is a secret: whoever has it can take part in the session.
func (c *Conn) ID() string { return c.id }

// Protocol is the Engine.IO protocol, 3 or 4.
func (c *Conn) Protocol() int { return int(c.protocol) }

// Handshake is the request that opened the session. Read only.
func (c *Conn) Handshake() *Handshake { return c.handshake }

// Transport is Polling or WebSocket, whichever is in use now.
func (c *Conn) Transport() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ws != nil {
		return WebSocket
	}
	return Polling
}

// SetDoubleUTF8 tells whether the client encodes polling text to UTF-8 twice, as
// those of Socket.IO 1.x do and 2.x do not. The layer above learns it from the
// client's first packet; it may call this within Receive. Protocol 3 only.
func (c *Conn) SetDoubleUTF8(twice bool) {
	rule := payload.TextOnce
	if twice {
		rule = payload.TextTwice
	}
	c.text.Store(uint32(rule))
}

func (c *Conn) textRule() payload.TextRule { return payload.TextRule(c.text.Load()) }

// UndoubleUTF8 undoes the second encoding of a message that was received before
// SetDoubleUTF8 was called. Text that is not encoded twice throughout is
// returned as it is.
func UndoubleUTF8(text []byte) []byte {
	text, _ = utf.Undouble(text)
	return text
}

// Open tells whether Send still takes frames.
func (c *Conn) Open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == stateOpen
}

// Writable tells whether a frame sent now would leave at once: nothing waits
// and the transport is ready. Volatile messages are sent only then.
func (c *Conn) Writable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen || !c.out.empty() {
		return false
	}
	if c.ws != nil {
		return c.writer == writerIdle
	}
	return c.poll != nil
}

// Done is closed when the connection is. Receiver.Closed may come later: it
// waits for the Receive that is running.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.state == stateClosed {
			close(c.done)
		}
	}
	return c.done
}

// Send queues frames and lets them leave at once. The frames of one call stay
// together, and frames leave in the order of the calls. It reports false, and
// queues none, when the connection is closing or closed.
func (c *Conn) Send(frames ...*Frame) bool {
	ok, schedule := c.enqueue(frames)
	if schedule {
		c.server.flusher.schedule(c)
	}
	return ok
}

// receive hands one message to the receiver, or nothing once the connection
// has ended.
func (c *Conn) receive(p packet.Packet) {
	c.recvMu.Lock()
	defer c.recvMu.Unlock()
	if c.receives() {
		c.guard(func() { c.receiver.Receive(p.Data, p.Binary) })
	}
}

func (c *Conn) receives() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == stateOpen || c.state == stateClosing && c.hears
}

// onPacket acts on one decoded packet. It reports false when the connection
// must be read no further.
func (c *Conn) onPacket(p packet.Packet) bool {
	if p.Type != packet.Message && !c.mayControl() {
		c.shutdown(TransportError, errControlFrames)
		return false
	}
	c.heard(p.Type)
	switch p.Type {
	case packet.Message:
		c.server.stats.receivedMessage(c, len(p.Data))
		c.receive(p)
	case packet.Ping:
		if c.protocol != 3 {
			c.shutdown(TransportError, errHeartbeatWay)
			return false
		}
		c.Send(pongFrame) // without the data of the ping, as in Node
	case packet.Pong:
		if c.protocol == 3 {
			c.shutdown(TransportError, errHeartbeatWay)
			return false
		}
	case packet.Close:
		c.shutdown(TransportClose, nil)
		return false
	case packet.Open, packet.Upgrade, packet.Noop, packet.Unknown:
		// Nothing to do: Node ignores them too.
	}
	return true
}
