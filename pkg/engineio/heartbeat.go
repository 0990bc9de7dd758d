package engineio

import (
	"time"

	"socketio-chat/pkg/engineio/internal/packet"
)

// Heartbeats have one timer a connection.
//
//	protocol 4: PingInterval of silence, the server pings, the client has
//	            PingTimeout to pong; then again
//	protocol 3: the client pings each PingInterval, the server pongs; without
//	            a packet for PingInterval+PingTimeout the client is gone
func (c *Conn) startHeartbeatLocked() {
	c.timer = time.AfterFunc(c.heartbeatPeriod(), c.onTimer)
}

func (c *Conn) heartbeatPeriod() time.Duration {
	o := &c.server.opts
	if c.protocol == 3 {
		return o.PingInterval + o.PingTimeout
	}
	return o.PingInterval
}

// onTimer runs on the timer's own goroutine.
func (c *Conn) onTimer() {
	c.mu.Lock()
	if c.timerStale {
		c.timerStale = false
		c.mu.Unlock()
		return
	}
	switch {
	case c.state == stateClosed:
		c.mu.Unlock()
		return
	case c.state == stateClosing:
		c.mu.Unlock()
		c.shutdown(ForcedClose, nil) // what is queued did not leave, no poll came for the close packet, or it lingered
		return
	case c.protocol == 3 || c.awaitingPong:
		c.mu.Unlock()
		c.shutdown(PingTimeout, nil)
		return
	}
	c.awaitingPong, c.graceUsed, c.pinged = true, false, c.sinceHandshake()
	c.timer.Reset(c.server.opts.PingTimeout)
	c.mu.Unlock()
	c.Send(pingFrame)
}

// sinceHandshake is a clock in microseconds that fits in four bytes. It starts
// again every 71 minutes: only differences shorter than that have a meaning.
func (c *Conn) sinceHandshake() uint32 { return uint32(time.Since(c.handshake.Time).Microseconds()) }

// setTimerLocked moves the timer. If it had just expired, onTimer waits for the
// lock and must find nothing to do.
func (c *Conn) setTimerLocked(d time.Duration) {
	if !c.timer.Reset(d) {
		c.timerStale = true
	}
}

// heard moves the timer when a packet arrives that shows the client alive.
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
		c.setTimerLocked(c.heartbeatPeriod())
	case typ == packet.Pong:
		if c.awaitingPong {
			c.server.stats.roundTrip.Observe(time.Duration(c.sinceHandshake()-c.pinged) * time.Microsecond)
		}
		c.awaitingPong = false
		c.setTimerLocked(c.heartbeatPeriod())
	case c.awaitingPong && !c.graceUsed:
		c.graceUsed = true
		c.setTimerLocked(c.server.opts.PingTimeout)
	}
}

// Frames without data are the same for everybody and never change.
var (
	pingFrame  = newTextFrame(packet.Ping)
	pongFrame  = newTextFrame(packet.Pong)
	probeFrame = newTextFrame(packet.Pong, []byte("probe"))
)
