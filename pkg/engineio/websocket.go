package engineio

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/wsframe"
)

// serveWebSocket makes a WebSocket of a request: a new session, or the better
// transport of the session c.
func (s *Server) serveWebSocket(w http.ResponseWriter, r *http.Request, q *query, c *Conn) {
	opening, refusal := openingOf(r)
	if refusal != nil {
		refuseOpening(w, refusal)
		return
	}
	if c == nil && s.refuses() {
		refuseHandshake(w)
		return
	}
	head := opening.head(w.Header())
	t, early, run := s.takeWebSocket(w)
	if t == nil {
		return // the client is told, or gone
	}
	t.head = head
	reader := newWSReader(t, s.opts.MaxPayload, early)
	reader.drained = frontOf(w) != nil && !t.parking.Ending() // by the read that brought the request
	if c != nil {
		run(func() { c.runProbe(t, reader) })
		return
	}
	if c = s.register(r, q, t); c == nil {
		run(func() {
			t.sever(severLinger)
			reader.linger()
		})
		return
	}
	run(func() { c.readWebSocket(reader) })
}

// takeWebSocket makes a transport of the connection of a request, whose answer it
// leaves to be written: that of a new session leaves with the first frame. early is what
// came behind the request; run runs the reader. It returns nil if that is impossible.
func (s *Server) takeWebSocket(w http.ResponseWriter) (t *wsTransport, early []byte, run func(func())) {
	if fw := frontOf(w); fw != nil {
		return fw.webSocket(), nil, func(f func()) { fw.then = f }
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "the connection cannot become a WebSocket", http.StatusInternalServerError)
		return nil, nil, nil
	}
	if n := rw.Reader.Buffered(); n > 0 {
		early, _ = rw.Reader.Peek(n) // buffered bytes cannot fail
	}
	if nc.SetDeadline(time.Time{}) != nil { // net/http's own
		_ = nc.Close() // the client is gone
		return nil, nil, nil
	}
	nc, early = detach(nc, early)
	return newWSTransport(nc, &s.running), early, s.running.start
}

// readWebSocket is the connection's reader: it decodes and hands over one
// message after another until the transport or the session ends.
//
// Between messages it parks: it returns, and another reader glances at what comes next.
func (c *Conn) readWebSocket(r *wsReader) {
	r.t.parking.Reader = (*parkedConn)(c)
	r.pong, r.conn = nil, c
	for !r.parks() {
		if !c.readMessage(r) {
			r.linger()
			return
		}
	}
}

// readMessage waits for one message and acts on it. It reports false when the transport or
// the session has ended.
func (c *Conn) readMessage(r *wsReader) bool {
	data, binary, err := r.next()
	if err != nil {
		c.transportEnded(err)
		return false
	}
	return c.onMessage(data, binary)
}

// A parkedConn is a Conn as the reader of its parked WebSocket, which it has for good.
type parkedConn Conn

// Glance answers or notes a heartbeat that came by itself. For all else it returns the reader.
func (p *parkedConn) Glance(in netpoll.Arrival) netpoll.Work {
	c := (*Conn)(p)
	r := newWSReader(c.sender.ws, c.server.opts.MaxPayload, nil)
	r.conn, r.in = c, in
	switch {
	case r.parks():
	case !r.heartbeat():
		return r
	case !c.readMessage(r):
		c.server.running.start(r.linger)
	case !r.parks():
		return r
	}
	return nil
}

// Run reads on from what Glance has read.
func (r *wsReader) Run() { r.conn.readWebSocket(r) }

// onMessage acts on one WebSocket message.
func (c *Conn) onMessage(data []byte, binary bool) bool {
	if !binary {
		p, err := packet.DecodeText(c.Protocol(), data)
		if err != nil {
			c.shutdown(ParseError, err)
			return false
		}
		return c.onPacket(p)
	}
	return c.onPacket(packet.DecodeBinary(c.Protocol(), data))
}

// transportEnded ends the session for an error of its WebSocket's reader.
func (c *Conn) transportEnded(err error) {
	var ce wsframe.Error
	switch {
	case errors.Is(err, io.EOF): // with or without a close frame
		c.shutdown(TransportClose, nil)
	case errors.As(err, &ce):
		if ce.Code == ws.StatusMessageTooBig {
			c.server.stats.payloadTooLarge.Add(1)
		}
		c.shutdown(TransportError, ce)
	default: // a reset or a cut: the client is gone
		c.shutdown(TransportClose, err)
	}
}

// runProbe takes a WebSocket through the upgrade and then reads it.
//
//	client                          server
//	                           ←    ws: the answer to its request
//	ws: 2probe                 →
//	                           ←    ws: 3probe
//	                           ←    poll: 6 (the pending poll ends)
//	ws: 5                      →    from here on everything goes over the WebSocket
//
// The outbox stays where it is throughout: what a poll took before belongs to
// that poll, everything else leaves over the WebSocket, in order. If anything
// else comes, or nothing in UpgradeTimeout, the WebSocket is closed and the
// session goes on polling. So is one that comes for a session that has its WebSocket,
// or is about to: it is opened and closed, as in Node, and the session goes on.
func (c *Conn) runProbe(t *wsTransport, r *wsReader) {
	c.mu.Lock()
	if !c.life.open() || c.sender.ws != nil || c.sender.probe != nil {
		c.mu.Unlock()
		t.closeWith(wsframe.NoCode)
		r.linger()
		return
	}
	c.sender.probe = t
	// Under the lock, or it would undo the deadline that shutdown sets.
	_ = t.nc.SetDeadline(time.Now().Add(c.server.opts.UpgradeTimeout)) // fails on a closed connection only
	c.mu.Unlock()

	err := c.probed(t, r)
	if err == nil && c.switchTo(t) {
		c.tellUpgraded()
		c.readWebSocket(r)
		return
	}
	c.mu.Lock()
	if c.sender.probe == t {
		c.sender.probe = nil
	}
	c.mu.Unlock()
	t.closeWith(closeCode(TransportError, err))
	r.linger()
}

var errProbe = errors.New("not the packet that an upgrade needs now")

// probed answers probes until the client asks for the switch.
func (c *Conn) probed(t *wsTransport, r *wsReader) error {
	if err := t.write(nil); err != nil { // the answer to the request
		return err
	}
	r.conn = c
	r.pong = func(f *Frame) { _ = t.write(f.wire) } // the reader notices as well
	for {
		data, binary, err := r.next()
		if err != nil {
			return err
		}
		p, err := packet.DecodeText(c.Protocol(), data)
		switch {
		case binary || err != nil:
			return errProbe
		case p.Type == packet.Upgrade:
			return nil
		case p.Type != packet.Ping || string(p.Data) != "probe":
			return errProbe
		case !c.mayControl():
			return errControlFrames
		}
		if err := t.write(probeFrame.wire); err != nil {
			return err
		}
		c.mu.Lock()
		if c.sender.poll != nil {
			c.sender.poll.noop = true
			c.wakePollLocked()
		}
		c.mu.Unlock()
	}
}

// switchTo makes t the transport of the session. It reports false when the
// session is over.
func (c *Conn) switchTo(t *wsTransport) bool {
	c.mu.Lock()
	if c.life.over() {
		c.mu.Unlock()
		return false
	}
	_ = t.nc.SetDeadline(time.Time{}) // that of the upgrade; under the lock as in runProbe
	c.sender.upgrade(t)
	c.wakePollLocked()
	schedule := !c.sender.queue.empty() && c.sender.scheduleTurn()
	closing := c.life.closing() && c.sender.writer == writerIdle // otherwise the flush does it
	c.mu.Unlock()
	c.server.stats.upgraded.Add(1)
	switch {
	case schedule:
		c.server.flusher.schedule(c)
	case closing:
		c.finishClose()
	}
	return true
}
