package engineio

import (
	"errors"

	"socketio-chat/pkg/engineio/internal/netpoll"
)

// A turn is what a connection writes at one time: all that its outbox held. It
// begins with takeTurn and ends with end; in between the socket is not closed, and
// nobody else writes to it.
type turn struct {
	c   *Conn
	t   *wsTransport
	out outbox
}

// takeTurn begins a turn, unless the connection has nothing to write to a
// WebSocket. It answers a poll that waits at the front.
func (c *Conn) takeTurn() (_ turn, ok bool) {
	c.mu.Lock()
	if p := c.poll; p != nil && p.front != nil && c.dueLocked(p) {
		a := c.takePollLocked()
		upgraded := c.ws != nil
		if !upgraded {
			c.writer = writerIdle // what comes now waits for the next poll
		}
		c.mu.Unlock()
		p.front.answer(c, a)
		if !upgraded {
			return turn{}, false
		}
		c.mu.Lock()
	}
	if c.ws == nil || c.out.empty() { // nothing is left to write, or nobody to write it to
		c.writer = writerIdle
		closing := c.ws != nil && c.state == stateClosing
		c.mu.Unlock()
		if closing {
			c.finishClose()
		}
		return turn{}, false
	}
	taken := turn{c: c, t: c.ws, out: c.out.take()}
	c.writer = writerFlushing
	c.mu.Unlock()
	return taken, true
}

// end ends a turn with what writing has come to. It reports true when more came
// meanwhile: the connection is then scheduled and the caller must put it back into
// the line.
func (n *turn) end(w *writer, rest remainder, err error) (again bool) {
	c := n.c
	switch {
	case err != nil:
		n.out.release()
		c.writeFailed(err)
		return false
	case rest.empty():
		w.sent.Frames += uint64(n.out.len())
		w.sent.Bytes += uint64(n.out.bytes())
		w.sent.Writes++
		return c.flushed(&n.out)
	default:
		t, left := n.t, n.out // only one that is slow costs an allocation
		c.server.running.start(func() { c.catchUp(t, left, rest) })
		return false
	}
}

// flush writes what is queued, and reports as end does. With a writer that gathers, the
// turn may go on until that enters.
func (c *Conn) flush(w *writer) (again bool) {
	n, ok := c.takeTurn()
	return ok && n.write(w)
}

// write writes what the turn has as far as the socket takes it now, or leaves it to
// the next enter of w.
func (n *turn) write(w *writer) (again bool) {
	switch {
	case n.t.fd == netpoll.None:
		return n.end(w, remainder{some: true}, nil)
	case !n.t.beginWrite():
		return n.end(w, remainder{}, errTransportClosing)
	case w.gather(n):
		return false
	}
	rest, err := w.writeFrames(n.t, n.out.list(&w.single), n.c.Protocol())
	return n.wrote(w, rest, err)
}

// wrote ends what beginWrite of the transport began, and the turn.
func (n *turn) wrote(w *writer, rest remainder, err error) (again bool) {
	if !rest.empty() && err == nil {
		return n.end(w, rest, nil) // still writing: catchUp goes on
	}
	if frame := n.t.endWrite(); frame != nil {
		if err == nil {
			_, err = n.t.fd.Send(frame)
		}
		n.t.endWrite()
	}
	return n.end(w, remainder{}, err)
}

// flushed ends the flush of out. It reports true when the outbox has filled
// again: the connection is then scheduled.
func (c *Conn) flushed(out *outbox) bool {
	size := out.bytes()
	c.mu.Lock()
	c.dequeuedLocked(size)
	again := !c.out.empty() && c.state != stateClosed
	closing := false
	if again {
		c.writer = writerScheduled
	} else {
		c.writer = writerIdle
		closing = c.state == stateClosing
	}
	c.mu.Unlock()
	out.release()
	if closing {
		c.finishClose()
	}
	return again
}

// catchUp writes to a slow peer, waiting for it, until the outbox is empty.
// It ends when that is done or when the connection is: closing the transport
// or its write timeout ends a write that waits.
func (c *Conn) catchUp(t *wsTransport, out outbox, rest remainder) {
	var single [1]*Frame
	for {
		if err := t.writeSlowly(rest, out.list(&single), c.Protocol(), c.server.opts.WriteTimeout); err != nil {
			out.release()
			c.writeFailed(err)
			return
		}
		c.server.stats.polled.add(out.len(), out.bytes())
		if !c.flushed(&out) {
			return
		}
		c.mu.Lock()
		out = c.out.take()
		if out.empty() { // shut down meanwhile
			c.mu.Unlock()
			return
		}
		c.writer = writerFlushing
		c.mu.Unlock()
		rest = remainder{}
	}
}

// writeFailed ends the session for an error of its WebSocket's writer.
func (c *Conn) writeFailed(err error) {
	switch {
	case errors.Is(err, errTransportClosing): // the reader has the reason
		c.shutdown(TransportClose, nil)
	case isTimeout(err):
		c.shutdown(SlowClient, err)
	default: // as in transportEnded: whether reading or writing fails first is chance
		c.shutdown(TransportClose, err)
	}
}
