// Package unread keeps the answers that have begun to leave and wait for their clients to read them, so that the one that has waited longest
// can give way to somebody else's connection.
//
//	var answers unread.Answers
//
//	answers.Begin(&a, func() { … })    // from here on the client may hold the connection by not reading
//	defer answers.End(&a)
//	…
//	answers.CutOldest()                // on any goroutine
//
// It knows no connections: what cuts an answer off is its owner's to say. It starts no goroutines and allocates a place in a list for each
// answer that begins.
package unread

import (
	"container/list"
	"sync"
)

// Answers are those of one server, in the order in which they have begun. The zero value has none. Safe for concurrent use; it must not be
// copied once used.
type Answers struct {
	mu    sync.Mutex
	order list.List // of *Answer, the oldest first
}

// An Answer is one of them. The zero value has not begun.
type Answer struct {
	// Guarded by Answers.
	cutOff func()
	place  *list.Element
	cut    bool
}

// Begin notes that a waits for its client. To begin again does nothing. cutOff makes its writer fail: it is called once at most, not after
// End, under the lock of Answers, and must not block.
func (s *Answers) Begin(a *Answer, cutOff func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.place == nil && !a.cut {
		a.cutOff, a.place = cutOff, s.order.PushBack(a)
	}
}

// End notes that nobody writes a any more, if it had begun, and reports whether it was cut off.
func (s *Answers) End(a *Answer) (cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.place != nil {
		s.order.Remove(a.place)
		a.place, a.cutOff = nil, nil
	}
	return a.cut
}

// Unless calls extend, which gives the client more time, unless a was cut off. It is called under the lock of Answers and must not block.
func (s *Answers) Unless(a *Answer, extend func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.cut {
		extend()
	}
}

// CutOldest cuts off the answer that began first. It reports false when there is none.
func (s *Answers) CutOldest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.order.Front()
	if e == nil {
		return false
	}
	a, _ := s.order.Remove(e).(*Answer)
	cutOff := a.cutOff
	a.place, a.cutOff, a.cut = nil, nil, true
	cutOff()
	return true
}
