package engineio

import (
	"sync"
	"time"
)

// A restList holds the connections of the front that rest, those first that have
// rested longest, and closes those that do so for longer than timeout. Being in
// it is not ownership: call parking.Claim first.
type restList struct {
	timeout time.Duration

	mu         sync.Mutex
	head, tail *frontConn
	n          int
	armed      bool // expire will run
}

// A restMark is a connection's place in a list.
type restMark struct {
	list       *restList // where it is, or was last; changed by the owner of the connection
	prev, next *frontConn
	linked     bool
	since      time.Time
}

// add appends fc, which the caller owns and parks next.
func (l *restList) add(fc *frontConn) {
	fc.list = l
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	fc.since, fc.linked, fc.prev, fc.next = now, true, l.tail, nil
	if l.tail == nil {
		l.head = fc
	} else {
		l.tail.next = fc
	}
	l.tail = fc
	l.n++
	if !l.armed {
		l.armed = true
		time.AfterFunc(l.timeout, l.expire)
	}
}

// remove takes fc out, if expire has not.
func (l *restList) remove(fc *frontConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if fc.linked {
		l.unlinkLocked(fc)
	}
}

func (l *restList) unlinkLocked(fc *frontConn) {
	if fc.prev == nil {
		l.head = fc.next
	} else {
		fc.prev.next = fc.next
	}
	if fc.next == nil {
		l.tail = fc.prev
	} else {
		fc.next.prev = fc.prev
	}
	fc.prev, fc.next, fc.linked = nil, nil, false
	l.n--
}

// expire closes what has rested too long. It runs on a timer of its own as long
// as the list is not empty, some once each timeout.
func (l *restList) expire() {
	var old []*frontConn
	now := time.Now()
	l.mu.Lock()
	for fc := l.head; fc != nil && now.Sub(fc.since) >= l.timeout; fc = l.head {
		l.unlinkLocked(fc)
		old = append(old, fc)
	}
	l.armed = l.head != nil
	if l.armed {
		time.AfterFunc(l.head.since.Add(l.timeout).Sub(now), l.expire)
	}
	l.mu.Unlock()
	for _, fc := range old {
		fc.evict()
	}
}

func (l *restList) all() (list []*frontConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for fc := l.head; fc != nil; fc = fc.next {
		list = append(list, fc)
	}
	return list
}
