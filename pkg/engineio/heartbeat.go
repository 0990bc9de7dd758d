package engineio

import (
	"time"

	"socketio-chat/pkg/engineio/internal/packet"
)

// Heartbeats of all sessions share one timer, see deadlines.
//
//	protocol 4: PingInterval of silence, the server pings, the client has
//	            PingTimeout to pong; then again
//	protocol 3: the client pings each PingInterval, the server pongs; without
//	            a packet for PingInterval+PingTimeout the client is gone
func (c *Conn) startHeartbeatLocked() { c.setDeadlineLocked(c.heartbeatPeriod()) }

func (c *Conn) heartbeatPeriod() time.Duration {
	o := &c.server.opts
	if c.protocol == 3 {
		return o.PingInterval + o.PingTimeout
	}
	return o.PingInterval
}

// onDeadline is called when the deadline may be over. It reports whether the client is to
// be pinged.
func (c *Conn) onDeadline() (ping bool) {
	d := c.server.deadlines
	c.mu.Lock()
	if due := c.due; c.state == stateClosed || due > d.now() {
		c.due = 0
		if c.state != stateClosed {
			d.set(c, due) // it was moved after it was put where it was found
		}
		c.mu.Unlock()
		return false
	}
	c.due = 0
	switch {
	case c.state == stateClosing:
		c.mu.Unlock()
		c.shutdown(ForcedClose, nil) // what is queued did not leave, no poll came for the close packet, or it lingered
		return false
	case c.protocol == 3 || c.awaitingPong:
		c.mu.Unlock()
		c.shutdown(PingTimeout, nil)
		return false
	}
	c.awaitingPong, c.graceUsed, c.pinged = true, false, c.sinceHandshake()
	c.setDeadlineLocked(c.server.opts.PingTimeout)
	c.mu.Unlock()
	return true
}

// sinceHandshake is a clock in microseconds that fits in four bytes. It starts
// again every 71 minutes: only differences shorter than that have a meaning.
func (c *Conn) sinceHandshake() uint32 { return uint32(time.Since(c.handshake.Time).Microseconds()) }

// setDeadlineLocked moves the deadline to d from now.
func (c *Conn) setDeadlineLocked(d time.Duration) {
	wheel := c.server.deadlines
	wheel.set(c, wheel.now()+d)
}

// heard moves the deadline when a packet arrives that shows the client alive.
// While a pong is due, the first other packet extends the wait once: a client
// that is busy sending is not gone (engine.io 6.6).
func (c *Conn) heard(typ packet.Type) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen {
		return
	}
	switch {
	case c.protocol == 3:
		c.setDeadlineLocked(c.heartbeatPeriod())
	case typ == packet.Pong:
		if c.awaitingPong {
			c.server.stats.roundTrip.Observe(time.Duration(c.sinceHandshake()-c.pinged) * time.Microsecond)
		}
		c.awaitingPong = false
		c.setDeadlineLocked(c.heartbeatPeriod())
	case c.awaitingPong && !c.graceUsed:
		c.graceUsed = true
		c.setDeadlineLocked(c.server.opts.PingTimeout)
	}
}

// Frames without data are the same for everybody and never change.
var (
	pingFrame  = newTextFrame(packet.Ping)
	pongFrame  = newTextFrame(packet.Pong)
	probeFrame = newTextFrame(packet.Pong, []byte("probe"))
)
