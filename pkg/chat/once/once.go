// Package once tells messages that are sent again from those that are new: for a while it remembers the ids that clients gave them, and what
// came of each.
//
//	call, first := window.Begin(key)
//	if first { …do it…; call.Finish(result) }
//	call.Then(func(result R) { …answer… })   // at once, or when the first has finished
//
// A Window is bounded by count and time, has no goroutine, and is safe for concurrent use.
package once

import (
	"sync"
	"time"
)

// A Window remembers calls by their keys.
type Window[R any] struct {
	// Static.
	count int
	age   time.Duration
	now   func() time.Time

	mu    sync.Mutex // guards the rest
	calls map[string]*Call[R]
	order []*Call[R] // [first:], oldest first
	first int
}

// A Call is what is done once.
type Call[R any] struct {
	key   string
	begun time.Time

	mu       sync.Mutex // guards the rest
	finished bool
	result   R
	waiting  []func(R)
}

// NewWindow returns a window of so many calls, for so long. Both must be positive.
func NewWindow[R any](count int, age time.Duration) *Window[R] {
	return &Window[R]{count: count, age: age, now: time.Now, calls: map[string]*Call[R]{}}
}

// Begin returns the call of a key. first tells that it is a new one, which the caller has to do and Finish.
func (w *Window[R]) Begin(key string) (call *Call[R], first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	for w.first < len(w.order) && (len(w.order)-w.first >= w.count && w.calls[key] == nil || now.Sub(w.order[w.first].begun) > w.age) {
		w.dropLocked()
	}
	if call = w.calls[key]; call != nil {
		return call, false
	}
	call = &Call[R]{key: key, begun: now}
	w.calls[key] = call
	w.order = append(w.order, call)
	return call, true
}

func (w *Window[R]) dropLocked() {
	call := w.order[w.first]
	w.order[w.first] = nil
	delete(w.calls, call.key)
	if w.first++; w.first*2 > len(w.order) {
		n := copy(w.order, w.order[w.first:])
		clear(w.order[n:])
		w.order, w.first = w.order[:n], 0
	}
}

// Finish sets the result and tells those who wait for it. Only the first call of it counts.
func (c *Call[R]) Finish(result R) {
	c.mu.Lock()
	if c.finished {
		c.mu.Unlock()
		return
	}
	c.finished, c.result = true, result
	waiting := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for _, f := range waiting {
		f(result)
	}
}

// Then calls f with the result, now or on the goroutine of Finish.
func (c *Call[R]) Then(f func(R)) {
	c.mu.Lock()
	if !c.finished {
		c.waiting = append(c.waiting, f)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	f(c.result)
}
