package engineio

import (
	"container/list"
	"sync"
	"time"
)

// Idle is how many connections wait at the front for a request. They belong to no
// session.
func (f *front) Idle() int { return f.fresh.len() + f.idle.len() }

// CloseIdle closes one of them: the one that has waited longest, of those that have sent
// nothing yet or of those between two requests, whichever are more. It reports false when there
// is none.
func (f *front) CloseIdle() bool {
	l := &f.idle
	if f.fresh.len() > l.len() {
		l = &f.fresh
	}
	var room [8]*frontConn
	for _, fc := range l.oldest(room[:0]) {
		if fc.evict() { // or it has begun to read
			return true
		}
	}
	return false
}

func (l *restList) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// oldest appends the connections that have waited longest to dst, as far as it has room.
func (l *restList) oldest(dst []*frontConn) []*frontConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	for fc := l.head; fc != nil && len(dst) < cap(dst); fc = fc.next {
		dst = append(dst, fc)
	}
	return dst
}

// A slowAnswers holds the requests whose answers have begun to leave and wait for their clients, the oldest
// first. They are of no session: those bound theirs (see slowAnswer).
type slowAnswers struct {
	mu    sync.Mutex
	order list.List // of *servedRequest
}

// add is called by whoever serves r.
func (s *slowAnswers) add(r *servedRequest, fc *frontConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.slow == nil && !r.cut {
		r.conn, r.slow = fc, s.order.PushBack(r)
	}
}

// remove is called by whoever serves r, at the end, and reports whether the answer was cut off.
func (s *slowAnswers) remove(r *servedRequest) (cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.slow != nil {
		s.order.Remove(r.slow)
		r.slow = nil
	}
	return r.cut
}

// extend is the connection's own, unless the answer was cut off.
func (s *slowAnswers) extend(fc *frontConn) (goesOn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := fc.serving.Load()
	return (r == nil || !r.cut) && fc.extend()
}

// CloseSlow cuts off the answer that has waited longest for its client to read it. It reports false when
// there is none.
func (f *front) CloseSlow() bool {
	s := &f.slow
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.order.Front()
	if e == nil {
		return false
	}
	r, _ := s.order.Remove(e).(*servedRequest)
	r.slow, r.cut = nil, true
	_ = r.conn.nc.SetWriteDeadline(time.Unix(1, 0)) // its owner closes it; fails on a closed connection only
	return true
}
