package engineio

import "errors"

// A turn is what a connection writes at one time: all that its outbox held. It
// begins with takeTurn and ends with end; in between the socket is not closed, and
// nobody else writes to it.
type turn struct {
	c   *Conn
	t   *wsTransport
	out outbox
}

// takeTurn begins a turn, unless the connection has nothing to write to a
// WebSocket. It answers a poll that waits at the front, by w if that gathers; w may be nil.
func (c *Conn) takeTurn(w *writer) (_ turn, ok bool) {
	c.mu.Lock()
	if p := c.sender.poll; p != nil && p.front != nil && c.sender.due(p, c.life.open()) {
		a := c.takePollLocked()
		upgraded := c.sender.ws != nil
		if !upgraded {
			c.sender.writer = writerIdle // what comes now waits for the next poll
		}
		c.mu.Unlock()
		w.answer(p.front, c, a)
		if !upgraded {
			return turn{}, false
		}
		c.mu.Lock()
	}
	t, out := c.sender.takeTurn()
	closing := t == nil && c.sender.ws != nil && c.life.closing()
	c.mu.Unlock()
	if closing {
		c.finishClose()
	}
	return turn{c, t, out}, t != nil
}

// end ends a turn with what writing has come to. It reports true when more came
// meanwhile: the connection is then scheduled and the caller must put it back into
// the line.
func (n *turn) end(w *writer, rest remainder, err error) (again bool) {
	if err == nil && !rest.empty() {
		left := *n // only one that is slow costs an allocation
		n.c.server.running.start(func() { left.catchUp(rest) })
		return false
	}
	if err = n.t.endWrite(err); err != nil {
		n.fail(err)
		return false
	}
	w.sent.Frames += uint64(n.out.len())
	w.sent.Bytes += uint64(n.out.bytes())
	w.sent.Writes++
	return n.c.flushed(&n.out)
}

// fail ends a turn whose frames cannot be written, and its session.
func (n *turn) fail(err error) {
	n.out.release()
	n.c.writeFailed(err)
}

// flush writes what is queued, and reports as end does. With a writer that gathers, the
// turn may go on until that enters.
func (c *Conn) flush(w *writer) (again bool) {
	n, ok := c.takeTurn(w)
	return ok && n.write(w)
}

// write writes what the turn has as far as the socket takes it now, or leaves it to
// the next enter of w.
func (n *turn) write(w *writer) (again bool) {
	if !n.t.beginWrite() {
		n.fail(errTransportClosing)
		return false
	}
	if w.gather(n) {
		return false
	}
	rest, err := w.sendFrames(n.t, n.out.list(&w.single), n.c.Protocol())
	return n.end(w, rest, err)
}

// flushed ends the flush of out. It reports true when the outbox has filled
// again: the connection is then scheduled.
func (c *Conn) flushed(out *outbox) bool {
	size := out.bytes()
	c.mu.Lock()
	c.dequeuedLocked(size)
	again := c.sender.wrote(c.life.over())
	closing := !again && c.life.closing()
	c.mu.Unlock()
	out.release()
	if closing {
		c.finishClose()
	}
	return again
}

// catchUp writes the rest of a turn to a slow peer, waiting for it, and what comes meanwhile,
// until the outbox is empty. It ends when that is done or when the connection is: closing the
// transport or its write timeout ends a write that waits.
func (n turn) catchUp(rest remainder) {
	var single [1]*Frame
	c := n.c
	for {
		err := n.t.endWrite(n.t.sendRest(rest, n.out.list(&single), c.Protocol(), c.server.opts.WriteTimeout))
		if err == nil && n.t.isClosing() {
			err = errTransportClosing
		}
		if err != nil {
			n.fail(err)
			return
		}
		c.server.stats.polled.add(n.out.len(), n.out.bytes())
		if !c.flushed(&n.out) {
			return
		}
		more := false
		if n, more = c.takeTurn(nil); !more {
			return
		}
		if !n.t.beginWrite() {
			n.fail(errTransportClosing)
			return
		}
		rest = n.t.all()
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
