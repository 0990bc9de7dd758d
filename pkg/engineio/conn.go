package engineio

import (
	"sync"

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
//
// It is made of parts, each in a file of its own, which says what it owns and what guards it.
type Conn struct {
	// What a delivery touches, on one cache line: with thousands of connections
	// each line that it takes more is one that the processor has to wait for.
	mu     sync.Mutex // guards life, sender, beat, deadline and signals, as far as they say nothing else
	life   lifetime   // open, closing, closed
	sender sender     // the way to the client

	beat     heartbeat // whether the client is alive
	deadline deadline  // when to look at it again
	intake   intake    // the way from the client
	signals  signals   // for those who wait

	// Static after construction.
	server    *Server
	id        string
	handshake *Handshake

	_ [24]byte // makes its class of sizes one of whole lines
}

// ID is the session id, as Options.NewID made it. It is a secret: everybody who has it can take part in the session.
func (c *Conn) ID() string { return c.id }

// Protocol is the Engine.IO protocol, 3 or 4.
func (c *Conn) Protocol() int { return int(c.sender.protocol) }

// Handshake is the request that opened the session. Read only.
func (c *Conn) Handshake() *Handshake { return c.handshake }

// Transport is Polling or WebSocket, whichever is in use now.
func (c *Conn) Transport() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sender.ws != nil {
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
	c.sender.text.Store(uint32(rule))
}

func (c *Conn) textRule() payload.TextRule { return payload.TextRule(c.sender.text.Load()) }

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
	return c.life.open()
}

// Writable tells whether a frame sent now would leave at once: nothing waits
// and the transport is ready. Volatile messages are sent only then.
func (c *Conn) Writable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life.open() && c.sender.ready()
}

// Send queues frames and lets them leave at once. The frames of one call stay
// together, and frames leave in the order of the calls. It reports false, and
// queues none, when the connection is closing or closed, or is closed now: with
// SlowClient, since more than Options.QueueBytes would wait. True does not mean
// that the client gets them: it may be gone.
func (c *Conn) Send(frames ...*Frame) bool {
	ok, schedule := c.enqueue(frames)
	if schedule {
		c.server.flusher.schedule(c)
	}
	return ok
}

// receive hands one message to the receiver, unless the connection is closing. It reports false
// once that has ended.
func (c *Conn) receive(p packet.Packet) bool {
	c.intake.mu.Lock()
	defer c.intake.mu.Unlock()
	receives, over := c.receives()
	if receives {
		c.guard(func() { c.intake.receiver.Receive(p.Data, p.Binary) })
	}
	return !over
}

func (c *Conn) receives() (receives, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life.receives(), c.life.over()
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
		return c.receive(p)
	case packet.Ping:
		if c.Protocol() != 3 {
			c.shutdown(TransportError, errHeartbeatWay)
			return false
		}
		c.Send(pongFrame) // without the data of the ping, as in Node
	case packet.Pong:
		if c.Protocol() == 3 {
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
