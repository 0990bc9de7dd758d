package engineio

import (
	"slices"
	"sync"
)

// A queue holds the frames that wait for one connection. Queues are pooled: an
// idle connection has none.
type queue struct {
	frames []*Frame
	bytes  int64
}

// maxPooledQueue keeps a queue that once grew large from staying so.
const maxPooledQueue = 1024

var queues = sync.Pool{New: func() any { return &queue{frames: make([]*Frame, 0, 8)} }}

func getQueue() *queue { return queues.Get().(*queue) }

func putQueue(q *queue) {
	if cap(q.frames) > maxPooledQueue {
		return
	}
	clear(q.frames)
	q.frames, q.bytes = q.frames[:0], 0
	queues.Put(q)
}

// cutFirst returns the first frame and the rest, nil if there is none: the answer
// that opens a session has nothing but the open packet in it, as Node's.
func (q *queue) cutFirst() (first, rest *queue) {
	if len(q.frames) < 2 {
		return q, nil
	}
	first = getQueue()
	first.frames = append(first.frames, q.frames[0])
	first.bytes = q.frames[0].size()
	q.frames = slices.Delete(q.frames, 0, 1)
	q.bytes -= first.bytes
	return first, q
}

// enqueue adds frames to the outbox, all or none. schedule tells that the
// caller must give the connection to the flusher: nobody is writing yet. A
// pending poll is woken here.
//
// A connection whose outbox would exceed its bound is closed: the alternative
// is to hold up the others or to grow without end. It learns so from its close
// frame (1008) or from the answer to its next poll.
func (c *Conn) enqueue(frames []*Frame) (ok, schedule bool) {
	if len(frames) == 0 {
		return c.Open(), false
	}
	var size int64
	for _, f := range frames {
		size += f.size()
	}
	c.mu.Lock()
	if c.state != stateOpen {
		c.mu.Unlock()
		return false, false
	}
	if c.queued > 0 && c.queued+size+c.placesLocked(len(frames)) > c.server.opts.QueueBytes {
		c.mu.Unlock()
		c.shutdown(SlowClient, errQueueOverflow)
		return false, false
	}
	if c.out == nil {
		c.out = getQueue()
	}
	c.out.frames = append(c.out.frames, frames...)
	c.out.bytes += size
	c.queued += size
	switch {
	case c.ws == nil && c.poll != nil && c.poll.front != nil:
		schedule = c.schedulePollLocked()
	case c.ws == nil:
		c.wakePollLocked()
	case c.writer == writerIdle:
		c.writer = writerScheduled
		schedule = true
	}
	c.mu.Unlock()
	return true, schedule
}

// frameCost is what a frame takes in each queue that it waits in, beside its own bytes
// which all queues share: a pointer, and as much again that slices grow ahead.
const frameCost = 16

// placesLocked is the memory of the queue itself with n more frames in it: messages
// of a few bytes must not make it many times what the bytes amount to.
func (c *Conn) placesLocked(n int) int64 {
	if c.out != nil {
		n += len(c.out.frames)
	}
	return int64(n) * frameCost
}

// A Batch queues one broadcast on many connections, then lets all of them
// leave with one hand-over to the flusher. It is not safe for concurrent use.
type Batch struct {
	flusher    *flusher
	head, tail *Conn
	n          int
}

// Send is Conn.Send, but the frames leave at the next Flush at the latest.
func (b *Batch) Send(c *Conn, frames ...*Frame) bool {
	ok, schedule := c.enqueue(frames)
	if schedule {
		if b.tail == nil {
			b.head = c
		} else {
			b.tail.next = c
		}
		b.tail = c
		b.n++
	}
	return ok
}

// Flush lets everything sent so far leave. The batch can be used again.
func (b *Batch) Flush() {
	if b.n > 0 {
		b.flusher.schedule(b.head, b.tail, b.n)
		b.head, b.tail, b.n = nil, nil, 0
	}
}
