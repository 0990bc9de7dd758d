package engineio

import (
	"context"
	"sync"

	"socketio-chat/pkg/stack"
)

// A running counts what Server.Close waits for: connections until their
// receiver knows that they are over, and goroutines. It does what a
// sync.WaitGroup must not: a goroutine may start while somebody waits and
// nothing else runs.
type running struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // made by wait, closed when n falls to zero
}

func (r *running) add() {
	r.mu.Lock()
	r.n++
	r.mu.Unlock()
}

func (r *running) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n--
	if r.n == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
}

// start runs f on a goroutine that wait waits for.
func (r *running) start(f func()) {
	r.add()
	r.hand(f)
}

// hand is start for work that add has counted already.
func (r *running) hand(f func()) {
	go func() {
		defer r.done()
		stack.Grow()
		f()
	}()
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
