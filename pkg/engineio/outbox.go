package engineio

import (
	"slices"
	"sync"
)

// An outbox holds the frames that wait for one connection. One frame, which as a
// rule is all that waits, stands in the connection itself: to send it touches no
// other memory, which would be cold where there are many connections. More have a
// queue. The zero value is empty.
type outbox struct {
	one  *Frame
	many *queue // nil, or all that wait
}

// Queues are pooled: an idle connection has none.
type queue struct {
	frames []*Frame
	bytes  int64
}

// maxPooledQueue keeps a queue that once grew large from staying so.
const maxPooledQueue = 1024

var queues = sync.Pool{New: func() any { return &queue{frames: make([]*Frame, 0, 8)} }}

func getQueue() *queue { return queues.Get().(*queue) }

func (o *outbox) empty() bool { return o.one == nil && o.many == nil }

// add appends frames of size bytes in all.
func (o *outbox) add(frames []*Frame, size int64) {
	if o.empty() && len(frames) == 1 {
		o.one = frames[0]
		return
	}
	if o.many == nil {
		o.many = getQueue()
		if o.one != nil {
			o.many.frames = append(o.many.frames, o.one)
			o.many.bytes = o.one.size()
			o.one = nil
		}
	}
	o.many.frames = append(o.many.frames, frames...)
	o.many.bytes += size
}

// take empties the outbox into the one that it returns.
func (o *outbox) take() outbox {
	taken := *o
	*o = outbox{}
	return taken
}

// cutFirst takes the first frame, of one or more: the answer that opens a session
// has nothing but the open packet in it, as Node's.
func (o *outbox) cutFirst() outbox {
	q := o.many
	if q == nil || len(q.frames) == 1 {
		return o.take()
	}
	first := outbox{one: q.frames[0]}
	q.frames = slices.Delete(q.frames, 0, 1)
	q.bytes -= first.one.size()
	return first
}

// list returns the frames in order; single is where one of them can stand.
func (o *outbox) list(single *[1]*Frame) []*Frame {
	switch {
	case o.many != nil:
		return o.many.frames
	case o.one != nil:
		single[0] = o.one
		return single[:]
	}
	return nil
}

func (o *outbox) len() int {
	switch {
	case o.many != nil:
		return len(o.many.frames)
	case o.one != nil:
		return 1
	}
	return 0
}

func (o *outbox) bytes() int64 {
	switch {
	case o.many != nil:
		return o.many.bytes
	case o.one != nil:
		return o.one.size()
	}
	return 0
}

// release empties the outbox for good.
func (o *outbox) release() {
	q := o.take().many
	if q == nil || cap(q.frames) > maxPooledQueue {
		return
	}
	clear(q.frames)
	q.frames, q.bytes = q.frames[:0], 0
	queues.Put(q)
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
	if !c.life.open() {
		c.mu.Unlock()
		return false, false
	}
	if c.sender.full(len(frames), size, c.server.opts.QueueBytes) {
		c.mu.Unlock()
		c.shutdown(SlowClient, errQueueOverflow)
		return false, false
	}
	c.sender.add(frames, size)
	if c.sender.ws != nil {
		schedule = c.sender.scheduleTurn()
	} else {
		schedule = c.sender.schedulePoll()
		c.sender.wakeHandler()
	}
	c.mu.Unlock()
	return true, schedule
}

// A Batch queues one broadcast on many connections, then lets all of them
// leave with one hand-over to the flusher. It is not safe for concurrent use.
type Batch struct {
	flusher *flusher
	conns   []*Conn
	long    bool // one of conns got more than is gathered
}

// Send is Conn.Send, but the frames leave at the next Flush at the latest. The connection
// must be one of the server that made the batch.
func (b *Batch) Send(c *Conn, frames ...*Frame) bool {
	ok, schedule := c.enqueue(frames)
	if schedule {
		b.conns = append(b.conns, c)
		for _, f := range frames {
			b.long = b.long || f.size() > maxGathered
		}
	}
	return ok
}

// Flush lets everything sent so far leave, and does not wait for that. The batch can be used
// again.
func (b *Batch) Flush() {
	if len(b.conns) > 0 {
		b.flusher.scheduleAll(b.conns, b.long)
		clear(b.conns)
		b.conns, b.long = b.conns[:0], false
	}
}
