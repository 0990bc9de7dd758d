package hub

import (
	"errors"
	"sync"
	"time"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

var (
	errQueueFull = errors.New("publish queue is full")
	errMemory    = errors.New("this process is short of memory")
	errStale     = errors.New("message waited too long for Redis")
)

// item is one thing for the publisher to do: send a message, or ask.
type item struct {
	wire.Out
	at  time.Time // when it was queued
	ask *question

	// Of entries of the stream.
	seq    uint64 // given by the queue
	unsure bool   // was sent, and the connection broke before the answer
}

func (i item) size() int { return i.Out.Size() + itemOverhead }

// itemOverhead is what an item costs beside its bytes.
const itemOverhead = 96

// question asks Redis who listens in a namespace. It takes its place in the queue, so that its
// answer is as of everything queued before.
type question struct {
	of wire.Listeners
	// answered is called on the publisher's goroutine and must not block; what it returns is
	// published before anything queued later.
	answered func(wire.Census, error) []wire.Out
}

// queue holds what is to be published, in order, bounded in bytes and in age. Pushing never blocks.
type queue struct {
	limit int           // bytes
	hold  time.Duration // age
	brief time.Duration // age of what is no entry; the same as hold, unless changed before use
	wake  chan struct{} // has an element when there may be something to take
	late  chan struct{} // has an element when there may be stale questions
	lost  func(item, error)

	mu     sync.Mutex
	seq    uint64 // of the latest entry
	items  []item // items[:head] are taken
	soon   []item // those that overtake them
	stale  []item // questions that waited too long, for the publisher to answer
	head   int
	bytes  int
	closed bool
}

func newQueue(limit int, hold time.Duration, lost func(item, error)) *queue {
	return &queue{limit: limit, hold: hold, brief: hold, wake: make(chan struct{}, 1), late: make(chan struct{}, 1), lost: lost}
}

// maxBrief is how long requests, answers and other fleeting messages wait: nobody waits for them any
// more after that.
const maxBrief = 10 * time.Second

// push appends it. A message that does not fit is given to lost, a question is the caller's to answer:
// a caller may hold locks that the answer needs. A message may always be alone in the queue, whatever
// its size.
func (q *queue) push(it item) error {
	it.at = time.Now()
	q.mu.Lock()
	stale := q.expireLocked(it.at)
	if it.Entry != nil {
		q.seq++ // also for what is dropped here: readers see that something is missing
		it.seq = q.seq
	}
	var err error
	switch {
	case q.closed:
		err = ErrClosed
	case q.bytes > 0 && q.bytes+it.size() > q.limit:
		err = errQueueFull
	case it.Soon:
		q.soon = append(q.soon, it)
		q.bytes += it.size()
	default:
		q.items = append(q.items, it)
		q.bytes += it.size()
	}
	q.mu.Unlock()
	q.giveUp(stale)
	if err != nil {
		if it.ask == nil {
			q.lost(it, err)
		}
		return err
	}
	q.signal()
	return nil
}

// answerStale gives lost the questions that waited too long. Called by the publisher alone.
func (q *queue) answerStale() {
	q.mu.Lock()
	stale := q.stale
	q.stale = nil
	q.mu.Unlock()
	for _, it := range stale {
		q.lost(it, errStale)
	}
}

func (q *queue) signal() { notify(q.wake) }

// notify puts an element into a channel that holds one, unless it has it.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// take removes up to maxItems items of together about maxBytes into buf[:0]: of those that overtake, and if all may flow, of all.
func (q *queue) take(buf []item, flow bool, maxItems, maxBytes int) []item {
	buf = buf[:0]
	q.mu.Lock()
	now := time.Now()
	stale := q.expireLocked(now)
	for size := 0; (len(q.soon) > 0 || flow && q.head < len(q.items)) && len(buf) < maxItems && size < maxBytes; {
		it := q.nextLocked()
		if it.Entry == nil && now.Sub(it.at) > q.brief {
			stale = append(stale, it)
			continue
		}
		size += it.size()
		buf = append(buf, it)
	}
	q.mu.Unlock()
	for _, it := range stale {
		q.lost(it, errStale)
	}
	return buf
}

// unshift puts items back that were taken and not sent. They keep their place and their age.
func (q *queue) unshift(items []item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rest := q.items[q.head:]
	q.items = append(append(make([]item, 0, len(items)+len(rest)), items...), rest...)
	q.head = 0
	for _, it := range items {
		q.bytes += it.size()
	}
}

// unsure tells whether there is an entry of unknown outcome.
func (q *queue) unsure() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, it := range q.items[q.head:] {
		if it.Entry != nil {
			return it.unsure // they come first
		}
	}
	return false
}

// settle removes the entries of unknown outcome that have arrived, and returns how many they were.
func (q *queue) settle(arrived map[uint64]bool) (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.items[:q.head]
	for _, it := range q.items[q.head:] {
		if it.Entry != nil && it.unsure {
			if arrived[it.seq] {
				q.bytes -= it.size()
				n++
				continue
			}
			it.unsure = false
		}
		left = append(left, it)
	}
	clear(q.items[len(left):])
	q.items = left
	return n
}

// expire drops what has waited too long.
func (q *queue) expire() {
	q.mu.Lock()
	stale := q.expireLocked(time.Now())
	q.mu.Unlock()
	q.giveUp(stale)
}

// giveUp drops stale messages, and leaves stale questions to the publisher.
func (q *queue) giveUp(stale []item) {
	for _, it := range stale {
		if it.ask == nil {
			q.lost(it, errStale)
			continue
		}
		q.mu.Lock()
		q.stale = append(q.stale, it)
		q.mu.Unlock()
		notify(q.late)
	}
}

// shed drops the newest messages, about want bytes, and returns how many bytes and messages those were.
func (q *queue) shed(want int) (bytes, items int) {
	q.mu.Lock()
	var last []item
	for n := len(q.items); n > q.head && bytes < want; n = len(q.items) {
		it := q.items[n-1]
		q.items[n-1] = item{}
		q.items = q.items[:n-1]
		q.bytes -= it.size()
		bytes += it.size()
		last = append(last, it)
	}
	q.mu.Unlock()
	for _, it := range last {
		q.lost(it, errMemory)
	}
	return bytes, len(last)
}

// close refuses what comes from now on and gives lost what is there. Called by the publisher, or when it
// never ran.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	left := q.stale
	q.stale = nil
	for len(q.soon) > 0 || q.head < len(q.items) {
		left = append(left, q.nextLocked())
	}
	q.mu.Unlock()
	for _, it := range left {
		q.lost(it, ErrClosed)
	}
}

func (q *queue) len() (items, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.soon) + len(q.items) - q.head, q.bytes
}

// more tells whether there is something to take.
func (q *queue) more(flow bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.soon) > 0 || flow && q.head < len(q.items)
}

func (q *queue) nextLocked() item {
	if len(q.soon) == 0 {
		return q.popLocked()
	}
	it := q.soon[0]
	q.soon[0] = item{}
	if q.soon = q.soon[1:]; len(q.soon) == 0 {
		q.soon = nil
	}
	q.bytes -= it.size()
	return it
}

func (q *queue) popLocked() item {
	it := q.items[q.head]
	q.items[q.head] = item{}
	q.head++
	q.bytes -= it.size()
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > 4096 {
			q.items = nil // a backlog is over
		}
	} else if q.head >= 1024 && q.head*2 > len(q.items) {
		q.items = q.items[:copy(q.items, q.items[q.head:])]
		clear(q.items[len(q.items):cap(q.items)])
		q.head = 0
	}
	return it
}

// expireLocked removes what has waited too long; items are in order of age.
func (q *queue) expireLocked(now time.Time) (stale []item) {
	for len(q.soon) > 0 && now.Sub(q.soon[0].at) > q.brief {
		stale = append(stale, q.nextLocked())
	}
	for q.head < len(q.items) && now.Sub(q.items[q.head].at) > q.hold {
		stale = append(stale, q.popLocked())
	}
	return stale
}
