package uring

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// Batch is how many sockets one system call serves at the most.
const Batch = 256

// Calls of up to quickSends sockets and quickBytes bytes in all are not told to Go's scheduler, and do not wait. It would
// wake its watch thread for each burst of them, which then looks about every 70 µs until all rests again: a tenth of
// what such a burst costs, and a quarter where bursts follow each other. But nobody takes over the processor meanwhile,
// and a collection waits: some 0.3 ms, where each send wakes its peer.
const (
	quickSends = 64
	quickBytes = 64 << 10
)

// split tells how many of sends the next call takes, and whether that is quick.
func split(sends []Send) (n int, quick bool) {
	for size := 0; n < len(sends) && n < quickSends; n++ {
		if size += len(sends[n].Data); size > quickBytes {
			return min(len(sends), Batch), false
		}
	}
	return n, true
}

// A Send is something for one socket, and what became of it.
type Send struct {
	FD   int32  // an open socket's; the caller keeps it from being closed
	Data []byte // on the heap, unchanged until Pool.Send returns; less than 2 GiB

	N   int   // how many bytes of Data the socket took
	Err error // nil, a syscall.Errno (EAGAIN: the socket takes nothing now), or ErrUnanswered
}

// A Receive is the other way round: Data is room for what the socket has, of which N bytes
// came. N is 0 without an error at the end of the stream, and Err is EAGAIN where nothing
// has come.
type Receive = Send

// ErrUnanswered is what became of a Send that the kernel took and then, against its own
// rules, did not report on. The socket may have taken the data or not: it must be closed.
var ErrUnanswered = errors.New("io_uring did not tell what became of a send")

// A Pool is a few rings. A nil Pool takes nothing.
type Pool struct {
	mu     sync.Mutex
	idle   []*ring
	open   int // idle ones and those in use
	max    int // of open
	closed bool

	unanswered [][]Send // which a kernel that took them may still look at: kept, so that nothing else comes to stand there

	off atomic.Pointer[error] // why nothing is taken any more; set once. Err is asked for each send and takes no lock
}

// Open returns a pool of up to rings rings, after a real send has shown that the kernel
// and whatever guards it let us. The error tells who refused what.
func Open(rings int) (*Pool, error) {
	r, err := newRing(Batch)
	if err != nil {
		return nil, err
	}
	if err := r.probe(); err != nil {
		r.close()
		return nil, err
	}
	return &Pool{idle: []*ring{r}, open: 1, max: rings}, nil
}

// Send tries sends in order and returns how many it has tried: those have N and Err. The
// others are as they were, and the caller's to send. It takes fewer than all while other
// goroutines use all rings, and none once the pool is out of use.
func (p *Pool) Send(sends []Send) (tried int) {
	return p.transfer(sends, (*ring).send)
}

// Receive is [Pool.Send] for what has come.
func (p *Pool) Receive(rooms []Receive) (tried int) {
	return p.transfer(rooms, (*ring).receive)
}

func (p *Pool) transfer(all []Send, do func(*ring, []Send, bool) (int, error)) (tried int) {
	r := p.take()
	if r == nil {
		return 0
	}
	var err error
	for tried < len(all) && err == nil {
		n, quick := split(all[tried:])
		n, err = do(r, all[tried:tried+n], quick)
		tried += n
	}
	p.give(r, err, all[:tried])
	return tried
}

// Err is nil while the pool is in use, and then tells why it is not.
func (p *Pool) Err() error {
	if p == nil {
		return errors.ErrUnsupported
	}
	if err := p.off.Load(); err != nil {
		return *err
	}
	return nil
}

// Close frees the rings, those in use when their call is over. It may be called again.
func (p *Pool) Close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.closeIdleLocked()
}

func (p *Pool) closeIdleLocked() {
	for _, r := range p.idle {
		r.close()
	}
	p.open -= len(p.idle)
	p.idle = nil
}

// take returns a ring that nobody uses, or nil.
func (p *Pool) take() *ring {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch last := len(p.idle) - 1; {
	case p.closed || p.off.Load() != nil:
		return nil
	case last >= 0:
		r := p.idle[last]
		p.idle = p.idle[:last]
		return r
	case p.open >= p.max:
		return nil
	}
	r, err := newRing(Batch)
	if err != nil { // as a rule it is memory that may not be locked
		p.max = p.open
		return nil
	}
	p.open++
	return r
}

// give takes a ring back, with what it has tried and the error of its last use.
func (p *Pool) give(r *ring, err error, tried []Send) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if errors.Is(err, ErrUnanswered) { // at most once a ring: see off
		p.unanswered = append(p.unanswered, slices.Clone(tried))
	}
	if err != nil && !passes(err) {
		fault := err // only a fault costs an allocation
		p.off.CompareAndSwap(nil, &fault)
	}
	if p.closed || p.off.Load() != nil {
		r.close()
		p.open--
		p.closeIdleLocked()
		return
	}
	p.idle = append(p.idle, r)
}
