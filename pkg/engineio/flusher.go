package engineio

import (
	"runtime"
	"sync"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/uring"
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

	sent Sent // by workers

	running *running // of the server; has the workers
	worker  func()   // work, made once

	ring       ring  // by which turns leave together
	noRing     error // why there is none
	gatherFrom int   // how many connections are worth the ring; fewer are written to one by one
}

// A ring is a *uring.Pool, or what stands for one in a test.
type ring interface {
	Send(sends []uring.Send) (tried int)
	netpoll.Ring
	Close()
}

const (
	// takeAtOnce is what a worker takes of connections that are written to one by one; few,
	// so that several workers share a broadcast.
	takeAtOnce = 16
	perWorker  = 64
)

// shareLocked tells how many connections a worker takes from the line, and how many that
// wait are worth one more worker.
func (f *flusher) shareLocked() (take, worth int) {
	if f.ring.Err() == nil && !f.line.long {
		return uring.Batch, uring.Batch
	}
	return takeAtOnce, perWorker
}

func newFlusher(r *running, useRing bool) *flusher {
	f := &flusher{max: runtime.GOMAXPROCS(0), running: r, gatherFrom: gatherFrom}
	f.worker = f.work
	var pool *uring.Pool // nil is one that takes nothing
	if f.noRing = errRingOff; useRing {
		pool, f.noRing = uring.Open(f.max + 1) // one for what is received
	}
	f.ring = pool
	return f
}

// A connLine is a queue of connections.
type connLine struct {
	conns []*Conn // from first on
	first int
	long  bool // some of them, in all likelihood, have more to write than is gathered
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
		l.conns, l.first, l.long = l.conns[:0], 0, false
	}
	return n
}

// schedule puts connections whose writer is writerScheduled at the end of the line.
func (f *flusher) schedule(conns ...*Conn) { f.scheduleAll(conns, false) }

// scheduleAll is schedule for those of a broadcast; long tells that it is not gathered.
func (f *flusher) scheduleAll(conns []*Conn, long bool) {
	f.mu.Lock()
	f.line.push(conns)
	f.line.long = f.line.long || long
	start := 0
	_, perWorker := f.shareLocked()
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
	f.sent.Batched += w.sent.Batched
	w.sent = Sent{}
}

// take moves connections from the line to w.taken, returns them, and adds up what
// w has written. When there is none it counts the calling worker as ended.
func (f *flusher) take(w *writer) []*Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.countLocked(w)
	most, _ := f.shareLocked()
	n := f.line.pop(w.taken[:most])
	if n == 0 {
		f.workers--
	}
	return w.taken[:n]
}

// work flushes connections until none is left. One that got more to write
// meanwhile goes to the end of the line, behind those that have waited longer.
func (f *flusher) work() {
	w := writers.Get().(*writer)
	defer writers.Put(w)
	for taken := f.take(w); len(taken) > 0; taken = f.take(w) {
		if len(taken) >= f.gatherFrom && f.ring.Err() == nil {
			w.shared.ring = f.ring
		}
		for _, c := range taken {
			if c.flush(w) {
				w.again = append(w.again, c)
			}
		}
		w.enter()
		w.shared.ring = nil
		if len(w.again) > 0 {
			f.schedule(w.again...)
		}
		clear(taken)
		clear(w.again)
		w.again = w.again[:0]
	}
}
