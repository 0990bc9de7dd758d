package engineio

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// How a server lets its clients go to another one:
//
//	Server.Drain, a batch of clients at a time
//	  Conn.Leave   what is queued, then the end of the line:
//	               WebSocket: the end of the server's direction of TCP         ──► client
//	               polling: the next poll is answered as an unknown session's  ──► client
//	               messages that it sent before it read that                   ◄── client
//	               the end of its own direction, or enough time
//	  Receiver.Closed with ServerShutdown
//
// Each client sees what it would see of a server process that is killed, because
// that is the one end after which all clients connect again. A close packet would
// tell those in Python not to, as a DISCONNECT of Socket.IO tells all; after a
// close frame those in Java (OkHttp) read nothing more, and wait for a ping timeout.

// The steps of Server.Drain: a batch each drainPause, and no fewer connections in
// it than drainBatch. That many can connect elsewhere at once without being
// noticed there; a few clients need not wait for a plan that was made for thousands.
const (
	drainPause = 100 * time.Millisecond
	drainBatch = 10
)

// pollLinger is how long a session that polled lives on after it was told to
// leave, for the POST that was on its way. Nothing tells when that has come, unless
// the client posts a close packet, as those of socket.io-client do.
const pollLinger = time.Second

// hurriedLinger takes the place of pollLinger and severLinger in a Drain that is
// given no time: clients come back half a second after the end at the earliest, and
// should find the next process of this server then.
const hurriedLinger = 400 * time.Millisecond

// goingAway is what the close frame says of a connection that cannot be severed.
const goingAway = "server shutting down"

// Drain refuses new connections from now on and lets those there are leave as
// Conn.Leave does: batch after batch, the last one when the time given by over
// has passed, all at once if that is 0. It returns when all of them have left and
// nothing runs any more, at once when there are none. When ctx ends first, the
// error says so and those that are left go on; Close ends them.
func (s *Server) Drain(ctx context.Context, over time.Duration) error {
	s.refuse()
	if over <= 0 {
		s.hurried.Store(true)
	}
	conns := s.snapshot()
	batch := max(drainBatch, batchSize(len(conns), over))
	tick := time.NewTicker(drainPause)
	defer tick.Stop()
	for conns = leave(conns, batch); len(conns) > 0; conns = leave(conns, batch) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("let the clients go, of whom %d do not know yet: %w", len(conns), ctx.Err())
		}
	}
	if err := s.running.wait(ctx); err != nil {
		return fmt.Errorf("wait for %d clients to go: %w", s.Len(), err)
	}
	return nil
}

// batchSize is how many of n connections have to leave every drainPause.
func batchSize(n int, over time.Duration) int {
	steps := int(over / drainPause)
	if steps <= 0 {
		return n
	}
	return (n + steps - 1) / steps
}

// leave lets the last n connections of the list leave that are open, and returns
// the others. Those that have ended do not count: nobody comes back for them now.
func leave(conns []*Conn, n int) []*Conn {
	for n > 0 && len(conns) > 0 {
		last := len(conns) - 1
		if conns[last].Leave() {
			n--
		}
		conns = conns[:last]
	}
	return conns
}

// Leave is Close for a client that shall go to another server: nothing is lost
// that it sends before it hears of it. It goes on to receive until the client has
// ended its side of the WebSocket, or for a second after its poll was answered. Send
// takes nothing any more. It does not block, and reports whether the connection
// was open.
func (c *Conn) Leave() bool { return c.beginClose(true, true) }

// leaveUnheard is Leave, but receives nothing more.
func (c *Conn) leaveUnheard() { c.beginClose(true, false) }

// refuse makes the server take no new connections.
func (s *Server) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func (s *Server) refuses() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}

// refuseHandshake answers a request for a session that this server will not take.
// It says so before it upgrades anything, so that a load balancer can ask another
// server; and on this connection none shall ask again.
func refuseHandshake(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "the server is shutting down", http.StatusServiceUnavailable)
}

// afterFarewell runs when the client of a closing session has been told so. It
// reports whether the session is leaving, and then ends on its own.
func (c *Conn) afterFarewell() bool {
	c.mu.Lock()
	if c.life.over() || !c.life.leaving {
		leaving := c.life.leaving
		c.mu.Unlock()
		return leaving
	}
	t := c.sender.ws
	if t == nil && !c.life.lingers {
		c.life.lingers = true
		c.setDeadlineLocked(c.server.linger(pollLinger))
	}
	c.mu.Unlock()
	if t != nil {
		// The reader goes on until the peer ends the connection, severLinger at most,
		// and then ends the session.
		t.sever(c.server.linger(severLinger))
	}
	return true
}

// linger is how long a client may take to end its side; usual unless in a hurry.
func (s *Server) linger(usual time.Duration) time.Duration {
	if s.hurried.Load() {
		return hurriedLinger
	}
	return usual
}
