package history

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A waiting message is on its way to Redis.
type waiting struct {
	message Message // without a payload: only its key is remembered
	foreign bool    // from a server that keeps nothing itself
	done    func(Receipt)
	since   time.Time
}

// tell calls done, once.
func (w *waiting) tell(r Receipt) {
	if done := w.done; done != nil {
		w.done = nil
		done(r)
	}
}

// queue is what waits for the writer, oldest first. Senders push, one writer takes; nobody blocks but the writer.
type queue struct {
	limit int64

	mu     sync.Mutex
	list   []*waiting
	bytes  int64 // of list and of what the writer has taken
	lost   int   // messages to keep that were given up, because it was too much
	taken  []*waiting
	closed bool
	wake   chan struct{} // has one element when there may be something to do
	empty  chan struct{} // closed and replaced when nothing waits
}

func (q *queue) init(limit int64) {
	q.limit, q.wake, q.empty = limit, make(chan struct{}, 1), make(chan struct{})
}

// push adds a message. If it is too much, the oldest ones that the writer has not taken are given up.
func (q *queue) push(w *waiting) {
	size := w.message.size()
	var gone []*waiting
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		w.tell(Receipt{})
		return
	}
	for q.bytes+size > q.limit && len(q.list) > 0 {
		gone = append(gone, q.list[0])
		if q.list[0].message.kept() {
			q.lost++
		}
		q.bytes -= q.list[0].message.size()
		q.list = q.list[1:]
	}
	q.list = append(q.list, w)
	q.bytes += size
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	for _, w := range gone {
		w.tell(Receipt{})
	}
}

// take gives the writer up to most messages of one kind. They count as waiting until finished.
func (q *queue) take(most int) []*waiting {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.list) && n < most && q.list[n].foreign == q.list[0].foreign {
		n++
	}
	q.taken = q.list[:n:n]
	q.list = q.list[n:]
	return q.taken
}

// finished tells that the writer is done with what it took.
func (q *queue) finished() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.taken {
		q.bytes -= w.message.size()
	}
	q.taken = nil
	if len(q.list) == 0 {
		q.list = nil
		close(q.empty)
		q.empty = make(chan struct{})
	}
}

// overdue tells those who have waited since before a time that their message is not kept yet.
func (q *queue) overdue(before time.Time) {
	q.mu.Lock()
	late := takeOverdue(q.list, before, takeOverdue(q.taken, before, nil))
	q.mu.Unlock()
	for _, done := range late {
		done(Receipt{})
	}
}

// takeOverdue adds to late whom to tell, and forgets them. list is in order of time.
func takeOverdue(list []*waiting, before time.Time, late []func(Receipt)) []func(Receipt) {
	for _, w := range list {
		if w.since.After(before) {
			break
		}
		if w.done != nil {
			late = append(late, w.done)
			w.done = nil
		}
	}
	return late
}

// hasForeign tells whether a message of others waits.
func (q *queue) hasForeign() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	isForeign := func(w *waiting) bool { return w.foreign }
	return slices.ContainsFunc(q.taken, isForeign) || slices.ContainsFunc(q.list, isForeign)
}

// givenUp returns how many messages were given up since it was last asked.
func (q *queue) givenUp() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.lost
	q.lost = 0
	return n
}

// drained waits until nothing waits.
func (q *queue) drained(ctx context.Context) error {
	for {
		q.mu.Lock()
		n, empty := len(q.list)+len(q.taken), q.empty
		q.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-empty:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// close gives up what waits, and whatever comes.
func (q *queue) close() {
	q.mu.Lock()
	list := q.list
	q.list, q.closed = nil, true
	q.mu.Unlock()
	for _, w := range list {
		w.tell(Receipt{})
	}
}
