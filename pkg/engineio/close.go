package engineio

import (
	"errors"
	"time"

	"socketio-chat/pkg/engineio/internal/wsframe"
)

// A CloseReason says why a connection ended, in the words of Node's engine
// where it has them.
type CloseReason string

// The reasons there are.
const (
	TransportClose CloseReason = "transport close" // the client went away or said so
	TransportError CloseReason = "transport error" // the client broke the rules of its transport
	PingTimeout    CloseReason = "ping timeout"    // a heartbeat was not answered in time
	ParseError     CloseReason = "parse error"     // a packet could not be decoded
	ForcedClose    CloseReason = "forced close"    // Close or Discard was called here
	SlowClient     CloseReason = "slow client"     // more than QueueBytes waited, or WriteTimeout passed

	ServerShutdown CloseReason = "server shutting down" // Leave, Server.Drain or Server.Close was called here
)

// closeLinger is how long a WebSocket peer has to answer a close frame before
// its TCP connection is cut.
const closeLinger = 5 * time.Second

// severLinger is how long a WebSocket peer has to end its direction of the TCP
// connection after the server has ended the other.
const severLinger = 2 * time.Second

// closeTimeout is how long an orderly close may take: what is queued has to
// leave, and the close packet needs a poll that carries it (closeTimeout of
// Node's polling transport).
const closeTimeout = 30 * time.Second

var (
	errPollOverlap   = errors.New("overlap from client: a poll is already pending")
	errPostOverlap   = errors.New("data request overlap from client: a POST is already being read")
	errPollCut       = errors.New("poll connection closed prematurely")
	errMemory        = errors.New("the server was short of memory and this connection held much")
	errPostCut       = errors.New("data request connection closed prematurely")
	errPostTooLarge  = errors.New("the body of a POST is larger than the limit")
	errPostLate      = errors.New("the body of a POST did not arrive in time")
	errContent       = errors.New("invalid content: application/octet-stream is not part of protocol 4")
	errHeartbeatWay  = errors.New("invalid heartbeat direction")
	errQueueOverflow = errors.New("the client reads more slowly than it is written to")
)

// Close sends what is queued, then closes the connection. It does not block.
func (c *Conn) Close() { c.beginClose(false, false) }

// beginClose is Close or, with leaving, Leave. hears tells whether what the client
// has sent is received still.
func (c *Conn) beginClose(leaving, hears bool) (wasOpen bool) {
	c.mu.Lock()
	if !c.life.close(leaving, hears) {
		c.mu.Unlock()
		return false
	}
	c.setDeadlineLocked(c.closeTimeoutLocked())
	if c.sender.ws != nil {
		idle := c.sender.writer == writerIdle
		c.mu.Unlock()
		if idle {
			c.finishClose()
		}
		return true // otherwise the flush that is under way finishes it
	}
	c.wakePollLocked()
	c.mu.Unlock()
	return true
}

// closeTimeoutLocked bounds an orderly close. A client that polls and has not come
// for as long as it may be silent will not come for its close packet either.
func (c *Conn) closeTimeoutLocked() time.Duration {
	o := &c.server.opts
	if c.sender.ws == nil {
		return min(closeTimeout, o.PingInterval+o.PingTimeout)
	}
	return closeTimeout
}

// Discard closes the connection at once; what is queued is lost.
func (c *Conn) Discard() { c.shutdown(ForcedClose, nil) }

// finishClose is called once the outbox of a closing connection is empty.
func (c *Conn) finishClose() {
	if !c.afterFarewell() {
		c.shutdown(ForcedClose, nil)
	}
}

// shutdown ends the connection, whatever its state. The first reason stays.
// Receiver.Closed follows on a goroutine of its own, after the Receive that
// may be running.
func (c *Conn) shutdown(reason CloseReason, err error) {
	c.mu.Lock()
	told, first := c.life.end(reason)
	if !first {
		c.mu.Unlock()
		return
	}
	if told != reason {
		reason, err = told, nil
	}
	c.server.deadlines.drop(c)
	c.sender.queue.release()
	c.cutAnswersLocked()
	ws, probe := c.sender.ws, c.sender.probe
	c.sender.probe = nil
	c.wakePollLocked()
	fire(&c.signals.drained)
	fire(&c.signals.done)
	c.mu.Unlock()

	if ws != nil {
		ws.closeWith(closeCode(reason, err))
		ws.abandon()
	} else if reason == SlowClient {
		c.server.slow.add(c.id)
	}
	if probe != nil {
		probe.closeWith(wsframe.NoCode)
		probe.abandon()
	}
	c.server.forget(c, reason, err)
	c.server.running.hand(func() { // counted since admit
		c.intake.mu.Lock()
		defer c.intake.mu.Unlock()
		c.guard(func() { c.intake.receiver.Closed(reason, err) })
	})
}
