package engineio

import (
	"context"
	"slices"
	"sync"
	"time"

	"socketio-chat/pkg/stack"
)

// A running counts what Server.Close waits for: connections until their
// receiver knows that they are over, and goroutines. It does what a
// sync.WaitGroup must not: a goroutine may start while somebody waits and
// nothing else runs.
//
// A goroutine that has done its work waits for more, for a second or two. To start
// one costs more than most have to do, above all for its stack, which begins small
// and is moved each time it grows. Those that wait do not run.
type running struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // made by wait, closed when n falls to zero

	spare  []chan func() // of goroutines that wait for work, the latest last
	unused int           // how many of them have waited since the last trim
	armed  bool          // trim will be called
	over   bool          // nobody may wait any more
}

const (
	// maxSpare is how many goroutines wait for work at the most.
	maxSpare = 64
	// trimEvery is how often those end that have had none meanwhile.
	trimEvery = time.Second
)

func (r *running) add() {
	r.mu.Lock()
	r.n++
	r.mu.Unlock()
}

func (r *running) done() {
	r.mu.Lock()
	r.doneLocked()
	r.mu.Unlock()
}

func (r *running) doneLocked() {
	r.n--
	if r.n == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
}

// start runs f on a goroutine that wait waits for.
func (r *running) start(f func()) {
	r.mu.Lock()
	r.n++
	r.handLocked(f)
}

// hand is start for work that add has counted already.
func (r *running) hand(f func()) {
	r.mu.Lock()
	r.handLocked(f)
}

// handLocked unlocks.
func (r *running) handLocked(f func()) {
	last := len(r.spare) - 1
	if last < 0 {
		r.mu.Unlock()
		go r.work(f)
		return
	}
	work := r.spare[last]
	r.spare = r.spare[:last]
	r.unused = min(r.unused, last)
	r.mu.Unlock()
	work <- f // has room
}

// work does f, and then what comes.
func (r *running) work(f func()) {
	busy := true
	defer func() {
		if busy { // f has ended the goroutine
			r.done()
		}
	}()
	stack.Grow()
	var more chan func()
	for f != nil {
		f()
		if more == nil {
			more = make(chan func(), 1)
		}
		if busy = false; !r.rest(more) {
			return
		}
		f = <-more
		busy = f != nil
	}
}

// rest counts a goroutine's work as done. It reports whether there may be more,
// which comes through the channel; nil tells that there is none.
func (r *running) rest(more chan func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.doneLocked()
	if r.over || len(r.spare) == maxSpare {
		return false
	}
	r.spare = append(r.spare, more)
	if !r.armed {
		r.armed = true
		time.AfterFunc(trimEvery, r.trim)
	}
	return true
}

// trim ends the goroutines that had nothing to do since it was called last.
func (r *running) trim() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, more := range r.spare[:r.unused] {
		more <- nil // has room
	}
	r.spare = slices.Delete(r.spare, 0, r.unused)
	r.unused = len(r.spare)
	if r.armed = r.unused > 0; r.armed {
		time.AfterFunc(trimEvery, r.trim)
	}
}

// dismiss ends the goroutines that wait, now and from now on.
func (r *running) dismiss() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for _, more := range r.spare {
		more <- nil
	}
	r.spare, r.unused = nil, 0
}

// wait returns once nothing runs, or with the error of ctx.
func (r *running) wait(ctx context.Context) error {
	for {
		r.mu.Lock()
		if r.n == 0 {
			r.mu.Unlock()
			return nil
		}
		if r.idle == nil {
			r.idle = make(chan struct{})
		}
		idle := r.idle
		r.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
