package auth

import (
	"container/heap"
	"sync"
	"time"
)

// An expiry is something that is to happen to one owner at some time.
type expiry struct {
	at    time.Time
	do    func()
	index int // in the heap; -1: not in it
}

// A schedule runs functions at their time. It has one timer, set to the earliest of them, however
// many there are.
type schedule struct {
	mu     sync.Mutex // guards all
	heap   expiryHeap
	timer  *time.Timer // made with the first entry
	closed bool
	busy   sync.WaitGroup // functions that run
}

// add lets do be called at a time, or soon if that has passed, on a goroutine of the timer's.
func (s *schedule) add(at time.Time, do func()) *expiry {
	e := &expiry{at: at, do: do, index: -1}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return e
	}
	heap.Push(&s.heap, e)
	if e.index == 0 {
		s.setTimerLocked()
	}
	return e
}

// remove takes an entry out, unless it has been called already.
func (s *schedule) remove(e *expiry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.index >= 0 {
		heap.Remove(&s.heap, e.index) // the timer may come for nothing, once
	}
}

func (s *schedule) setTimerLocked() {
	wait := time.Until(s.heap[0].at)
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.run)
		return
	}
	s.timer.Reset(wait)
}

// run calls what is due, outside the lock.
func (s *schedule) run() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.busy.Add(1)
	defer s.busy.Done()
	var due []*expiry
	for now := time.Now(); len(s.heap) > 0 && !s.heap[0].at.After(now); {
		due = append(due, heap.Pop(&s.heap).(*expiry))
	}
	if len(s.heap) > 0 {
		s.setTimerLocked()
	}
	s.mu.Unlock()
	for _, e := range due {
		e.do()
	}
}

func (s *schedule) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.heap)
}

// close drops all entries and waits for the functions that run. It may be called again.
func (s *schedule) close() {
	s.mu.Lock()
	s.closed = true
	s.heap = nil
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.busy.Wait()
}

// expiryHeap is the earliest first.
type expiryHeap []*expiry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *expiryHeap) Push(x any) {
	e := x.(*expiry)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *expiryHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}
