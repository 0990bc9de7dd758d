package engineio

import (
	"errors"
	"runtime"
	"sync"
)

// A flusher empties the outboxes of WebSocket connections, and answers the polls
// that wait at the front.
//
// Connections with something to write stand in one line, first come first
// served. Up to GOMAXPROCS workers take them a few at a time and write all
// that has piled up for each with as few system calls as it takes. While the
// workers are busy, more frames pile up: load makes batches, and an idle server
// writes at once. A write never waits: a connection whose peer is slow leaves
// the line and gets a goroutine of its own until it has caught up.
//
// Workers start when there is work for them and end when the line is empty.
type flusher struct {
	mu      sync.Mutex
	line    connLine
	workers int // running
	max     int
	sent    Sent // by workers

	running *running // of the server; has the workers
	worker  func()   // work, made once
}

const (
	// takeAtOnce is how many connections a worker takes from the line; few, so
	// that several workers share a broadcast.
	takeAtOnce = 16
	// perWorker is how many waiting connections are worth one more worker.
	perWorker = 64
)

func newFlusher(r *running) *flusher {
	f := &flusher{max: runtime.GOMAXPROCS(0), running: r}
	f.worker = f.work
	return f
}

// A connLine is a queue of connections.
type connLine struct {
	conns []*Conn // from first on
	first int
}

func (l *connLine) len() int { return len(l.conns) - l.first }

func (l *connLine) push(conns []*Conn) {
	if l.first > len(l.conns)/2 && len(l.conns)+len(conns) > cap(l.conns) { // rather than grow
		n := copy(l.conns, l.conns[l.first:])
		clear(l.conns[n:])
		l.conns, l.first = l.conns[:n], 0
	}
	l.conns = append(l.conns, conns...)
}

// pop moves connections from the front of the line to dst, and returns how many.
func (l *connLine) pop(dst []*Conn) int {
	n := copy(dst, l.conns[l.first:])
	clear(l.conns[l.first : l.first+n])
	if l.first += n; l.first == len(l.conns) {
		l.conns, l.first = l.conns[:0], 0
	}
	return n
}

// schedule puts connections whose writer is writerScheduled at the end of the line.
func (f *flusher) schedule(conns ...*Conn) {
	f.mu.Lock()
	f.line.push(conns)
	start := 0
	for f.workers < f.max && f.line.len() > f.workers*perWorker {
		f.workers++
		start++
	}
	f.mu.Unlock()
	for range start {
		f.running.start(f.worker)
	}
}

// flushHere writes what is queued for a connection that was scheduled, on the
// goroutine of the caller.
func (f *flusher) flushHere(c *Conn) {
	w := writers.Get().(*writer)
	again := c.flush(w)
	f.mu.Lock()
	f.countLocked(w)
	f.mu.Unlock()
	writers.Put(w)
	if again {
		f.schedule(c)
	}
}

func (f *flusher) countLocked(w *writer) {
	f.sent.Frames += w.sent.Frames
	f.sent.Bytes += w.sent.Bytes
	f.sent.Writes += w.sent.Writes
	w.sent = Sent{}
}

// take moves connections from the line to dst, returns how many, and adds up what
// w has written. When there is none it counts the calling worker as ended.
func (f *flusher) take(dst []*Conn, w *writer) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.countLocked(w)
	n := f.line.pop(dst)
	if n == 0 {
		f.workers--
	}
	return n
}

// work flushes connections until none is left. One that got more to write
// meanwhile goes to the end of the line, behind those that have waited longer.
func (f *flusher) work() {
	w := writers.Get().(*writer)
	defer writers.Put(w)
	var taken [takeAtOnce]*Conn
	for n := f.take(taken[:], w); n > 0; n = f.take(taken[:], w) {
		again := taken[:0]
		for _, c := range taken[:n] {
			if c.flush(w) {
				again = append(again, c)
			}
		}
		if len(again) > 0 {
			f.schedule(again...)
		}
	}
}

// flush writes what is queued. It reports true when more came meanwhile; the
// connection is then scheduled and the caller must put it back into the line.
func (c *Conn) flush(w *writer) bool {
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
			return false
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
		return false
	}
	out, t := c.out.take(), c.ws
	c.writer = writerFlushing
	c.mu.Unlock()

	rest, err := w.write(t, out.list(&w.single), c.Protocol())
	switch {
	case err != nil:
		out.release()
		c.writeFailed(err)
		return false
	case rest.empty():
		w.sent.Frames += uint64(out.len())
		w.sent.Bytes += uint64(out.bytes())
		w.sent.Writes++
		return c.flushed(&out)
	default:
		left := out // only one that is slow costs an allocation
		c.server.running.start(func() { c.catchUp(t, left, rest) })
		return false
	}
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
