package engineio

import (
	"errors"
	"runtime"
	"sync"
)

// A flusher empties the outboxes of WebSocket connections, and answers the polls
// that wait at the front.
//
// Connections with something to write stand in one list, first come first
// served. Up to GOMAXPROCS workers take them a few at a time and write all
// that has piled up for each with as few system calls as it takes. While the
// workers are busy, more frames pile up: load makes batches, and an idle server
// writes at once. A write never waits: a connection whose peer is slow leaves
// the list and gets a goroutine of its own until it has caught up.
//
// Workers start when there is work for them and end when the list is empty.
type flusher struct {
	mu         sync.Mutex
	head, tail *Conn
	n          int // connections in the list
	workers    int // running
	max        int
	sent       Sent // by workers

	running *running // of the server; counts the workers
}

const (
	// takeAtOnce is how many connections a worker takes from the list; few, so
	// that several workers share a broadcast.
	takeAtOnce = 16
	// perWorker is how many waiting connections are worth one more worker.
	perWorker = 64
)

func newFlusher(r *running) *flusher {
	return &flusher{max: runtime.GOMAXPROCS(0), running: r}
}

// schedule appends a chain of n connections, linked by next, to the list.
func (f *flusher) schedule(head, tail *Conn, n int) {
	tail.next = nil
	f.mu.Lock()
	if f.tail == nil {
		f.head = head
	} else {
		f.tail.next = head
	}
	f.tail = tail
	f.n += n
	start := 0
	for f.workers < f.max && f.n > f.workers*perWorker {
		f.workers++
		start++
	}
	f.mu.Unlock()
	for range start {
		f.running.add()
		go f.work()
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
		f.schedule(c, c, 1)
	}
}

func (f *flusher) countLocked(w *writer) {
	f.sent.Frames += w.sent.Frames
	f.sent.Bytes += w.sent.Bytes
	f.sent.Writes += w.sent.Writes
	w.sent = Sent{}
}

// take unlinks up to takeAtOnce connections, and adds up what w has written.
// Without any it counts the calling worker as ended.
func (f *flusher) take(w *writer) *Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.countLocked(w)
	if f.head == nil {
		f.workers--
		return nil
	}
	first, last := f.head, f.head
	f.n--
	for i := 1; i < takeAtOnce && last.next != nil; i++ {
		last = last.next
		f.n--
	}
	f.head = last.next
	last.next = nil
	if f.head == nil {
		f.tail = nil
	}
	return first
}

// work flushes connections until none is left. One that got more to write
// meanwhile goes to the end of the list, behind those that have waited longer.
func (f *flusher) work() {
	defer f.running.done()
	w := writers.Get().(*writer)
	defer writers.Put(w)
	again := Batch{flusher: f}
	for c := f.take(w); c != nil; c = f.take(w) {
		for c != nil {
			next := c.next
			c.next = nil
			if c.flush(w) {
				if again.tail == nil {
					again.head = c
				} else {
					again.tail.next = c
				}
				again.tail = c
				again.n++
			}
			c = next
		}
		again.Flush()
	}
}

// flush writes what is queued. It reports true when more came meanwhile; the
// connection is then scheduled and the caller must put it back into the list.
func (c *Conn) flush(w *writer) bool {
	c.mu.Lock()
	if p := c.poll; p != nil && p.front != nil && c.dueLocked(p) {
		out, last, closing := c.takePollLocked()
		upgraded := c.ws != nil
		if !upgraded {
			c.writer = writerIdle // what comes now waits for the next poll
		}
		c.mu.Unlock()
		p.front.answer(c, out, last)
		if closing {
			c.finishClose()
		}
		if !upgraded {
			return false
		}
		c.mu.Lock()
	}
	if c.ws == nil || c.out == nil { // nothing is left to write, or nobody to write it to
		c.writer = writerIdle
		closing := c.ws != nil && c.state == stateClosing
		c.mu.Unlock()
		if closing {
			c.finishClose()
		}
		return false
	}
	q, t := c.out, c.ws
	c.out = nil
	c.writer = writerFlushing
	c.mu.Unlock()

	rest, err := w.write(t, q.frames, c.protocol)
	switch {
	case err != nil:
		putQueue(q)
		c.writeFailed(err)
		return false
	case rest.empty():
		w.sent.Frames += uint64(len(q.frames))
		w.sent.Bytes += uint64(q.bytes)
		w.sent.Writes++
		return c.flushed(q)
	default:
		c.server.running.start(func() { c.catchUp(t, q, rest) })
		return false
	}
}

// flushed ends the flush of q. It reports true when the outbox has filled
// again: the connection is then scheduled.
func (c *Conn) flushed(q *queue) bool {
	c.mu.Lock()
	c.queued -= q.bytes
	again := c.out != nil && c.state != stateClosed
	closing := false
	if again {
		c.writer = writerScheduled
	} else {
		c.writer = writerIdle
		closing = c.state == stateClosing
	}
	c.mu.Unlock()
	putQueue(q)
	if closing {
		c.finishClose()
	}
	return again
}

// catchUp writes to a slow peer, waiting for it, until the outbox is empty.
// It ends when that is done or when the connection is: closing the transport
// or its write timeout ends a write that waits.
func (c *Conn) catchUp(t *wsTransport, q *queue, rest remainder) {
	for {
		if err := t.writeSlowly(rest, q.frames, c.protocol, c.server.opts.WriteTimeout); err != nil {
			putQueue(q)
			c.writeFailed(err)
			return
		}
		c.server.stats.polled.add(len(q.frames), q.bytes)
		if !c.flushed(q) {
			return
		}
		c.mu.Lock()
		q, c.out = c.out, nil
		if q == nil { // shut down meanwhile
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
