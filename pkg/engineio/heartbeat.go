package engineio

import (
	"time"

	"socketio-chat/pkg/engineio/internal/packet"
)

// A heartbeat is what is known of whether the client is alive. Conn.mu guards it; the time at
// which it is looked at is a deadline.
//
//	protocol 4: PingInterval of silence, the server pings, the client has
//	            PingTimeout to pong; then again
//	protocol 3: the client pings each PingInterval, the server pongs; without
//	            a packet for PingInterval+PingTimeout the client is gone
type heartbeat struct {
	awaitingPong bool   // protocol 4: a ping was sent
	graceUsed    bool   // protocol 4: this ping's timeout was extended once
	pinged       uint32 // protocol 4: when that was, see sinceHandshake
}

// ping begins to wait for a pong.
func (h *heartbeat) ping(now uint32) { *h = heartbeat{awaitingPong: true, pinged: now} }

// pong ends the wait, and returns how long that was. A pong that nobody waits for is none.
func (h *heartbeat) pong(now uint32) (roundTrip time.Duration, ok bool) {
	ok, h.awaitingPong = h.awaitingPong, false
	return time.Duration(now-h.pinged) * time.Microsecond, ok
}

// grace reports whether the wait for a pong may begin again, since another packet has shown the
// client alive: once for each ping.
func (h *heartbeat) grace() bool {
	if !h.awaitingPong || h.graceUsed {
		return false
	}
	h.graceUsed = true
	return true
}

// startHeartbeatLocked begins a period: until the server pings, or has to have heard of the client.
func (c *Conn) startHeartbeatLocked() {
	o := &c.server.opts
	if c.Protocol() == 3 {
		c.awaitLocked(o.PingInterval + o.PingTimeout)
		return
	}
	c.awaitLocked(o.PingInterval)
}

// awaitLocked moves the deadline to d from now, or a little later, with the heartbeats of others.
func (c *Conn) awaitLocked(d time.Duration) {
	wheel := c.server.deadlines
	wheel.set(c, wheel.together(wheel.now()+d))
}

// onDeadline is called when the deadline may be over. It reports whether the client is to
// be pinged.
func (c *Conn) onDeadline() (ping bool) {
	d := c.server.deadlines
	c.mu.Lock()
	if due := c.deadline.at; c.life.over() || due > d.now() {
		c.deadline.at = 0
		if !c.life.over() {
			d.set(c, due) // it was moved after it was put where it was found
		}
		c.mu.Unlock()
		return false
	}
	c.deadline.at = 0
	switch {
	case c.life.closing():
		c.mu.Unlock()
		c.shutdown(ForcedClose, nil) // what is queued did not leave, no poll came for the close packet, or it lingered
		return false
	case c.Protocol() == 3 || c.beat.awaitingPong:
		c.mu.Unlock()
		c.shutdown(PingTimeout, nil)
		return false
	}
	c.beat.ping(c.sinceHandshake())
	c.awaitLocked(c.server.opts.PingTimeout)
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
	if !c.life.open() {
		return
	}
	switch {
	case c.Protocol() == 3:
		c.startHeartbeatLocked()
	case typ == packet.Pong:
		if took, ok := c.beat.pong(c.sinceHandshake()); ok {
			c.server.stats.roundTrip.Observe(took)
		}
		c.startHeartbeatLocked()
	case c.beat.grace():
		c.awaitLocked(c.server.opts.PingTimeout)
	}
}

// Frames without data are the same for everybody and never change.
var (
	pingFrame  = newTextFrame(packet.Ping)
	pongFrame  = newTextFrame(packet.Pong)
	probeFrame = newTextFrame(packet.Pong, []byte("probe"))
)
