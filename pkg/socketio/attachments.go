package socketio

import (
	"errors"
	"log/slog"
	"time"
)

// The parts of a binary packet come one by one. What a client may hold here by not sending the rest is
// bounded: nothing is kept for a namespace that it is not in, all parts together are as large as one
// message may be, and each has to come in time.

var errLate = errors.New("the next attachment did not come in time")

// receive is what Receive does with a message that is in the client's pace.
func (c *conn) receive(data []byte, binary bool) {
	if binary && c.decoder.waiting != nil && !c.awaitNamespace(c.decoder.waiting) {
		return
	}
	p, err := c.decode(data, binary)
	parts := c.decoder.keeps()
	switch {
	case err != nil:
		if outOfBounds(err) {
			c.refusedPacket(err)
		}
		c.protocolError(err)
	case p != nil:
		if c.Protocol() == 3 {
			p.Nsp, p.Query = splitQuery(p.Nsp)
		}
		c.route(p)
	case c.decoder.waiting != nil:
		if !binary {
			c.announced(c.decoder.waiting)
		}
		c.awaitAttachment()
		parts = c.decoder.keeps()
	}
	if parts != c.parts { // only now: what is complete was in memory until it was dispatched
		c.eio.Hold(int64(parts - c.parts))
		c.parts = parts
	}
}

func outOfBounds(err error) bool {
	return errors.Is(err, errTooMany) || errors.Is(err, errArguments) || errors.Is(err, errTooBig)
}

// announced looks at the first part of a packet, which names the namespace.
func (c *conn) announced(w *waiting) {
	if c.Protocol() == 3 {
		w.nsp, _ = splitQuery(w.nsp)
	}
	c.mu.Lock()
	joined := c.linkLocked(w.nsp) != nil
	left := c.hasLeftLocked(w.nsp)
	c.mu.Unlock()
	switch {
	case joined:
	case left || c.Protocol() == 3:
		c.decoder.skip()
	default:
		c.invalidState(&Packet{Type: Event, Nsp: w.nsp})
	}
}

// awaitNamespace waits, with an attachment in hand, until the namespace of its packet is joined or
// refused. It reports false when the connection has ended meanwhile.
func (c *conn) awaitNamespace(w *waiting) bool {
	for !w.skip {
		c.mu.Lock()
		l := c.linkLocked(w.nsp)
		if l == nil {
			c.mu.Unlock()
			c.decoder.skip()
			break
		}
		if l.state == linkOpen {
			c.mu.Unlock()
			break
		}
		wait := l.backlog.movedLocked()
		c.mu.Unlock()
		select {
		case <-wait:
		case <-c.eio.Done():
			return false
		}
	}
	return true
}

// awaitAttachment gives the client some time for the next part.
func (c *conn) awaitAttachment() {
	d := c.server.limits.AttachmentTimeout
	if c.late == nil {
		c.late = time.AfterFunc(d, func() {
			c.refusedPacket(errLate)
			c.server.log.Debug("invalid packet", slog.String("sid", c.Id()), slog.Any("error", errLate))
			c.eio.Close()
		})
		return
	}
	c.late.Reset(d)
}

// attachmentCame stops the clock until the message in hand has been dealt with: what takes long now is
// our doing.
func (c *conn) attachmentCame() {
	if c.late != nil {
		c.late.Stop()
	}
}
