package engineio

import "sync/atomic"

// A sender brings frames to the client, in order and once, by what carries the session now:
//
//	                    ┌─ polling: poll, when one is pending ──► takePollLocked ─► pollAnswer
//	enqueue ──► queue ──┤
//	                    └─ WebSocket: flusher, catchUp ─────────► takeTurn ───────► turn, ws
//
// Conn.mu guards it, but for text and what is static. What has been taken from the queue
// is written without it, and counts in queued until it has left.
type sender struct {
	// What a delivery touches, on the first cache line of a Conn.
	queue    outbox        // frames in order
	queued   int64         // bytes in queue and in what is being written
	ws       *wsTransport  // nil while the transport is polling
	poll     *pendingPoll  // the GET that waits for packets
	writer   writerState   // what takes frames from the queue
	greeted  bool          // the first poll has been answered
	protocol uint8         // static
	b64      bool          // static; protocol 3: the client cannot read binary responses
	text     atomic.Uint32 // protocol 3: a textRule; guarded by nothing

	probe *wsTransport // a WebSocket that asked to take over, until it does
	slow  *slowAnswer  // answers to polls that wait for their peers
}

// writerState tells what takes frames from the queue.
type writerState uint8

const (
	writerIdle      writerState = iota // nobody; the queue is empty, or waits for a poll
	writerScheduled                    // the connection is in a Batch or in the flusher's line
	writerFlushing                     // a flusher worker, or the connection's own goroutine, writes
)

// frameCost is what a frame takes in each queue that it waits in, beside its own bytes
// which all queues share: a pointer, and as much again that slices grow ahead.
const frameCost = 16

// full tells whether n more frames of size bytes would take more than most, with the memory of
// the queue itself: messages of a few bytes must not make it many times what the bytes
// amount to. One message always has room.
func (s *sender) full(n int, size, most int64) bool {
	return s.queued > 0 && s.queued+size+int64(n+s.queue.len())*frameCost > most
}

// add appends frames of size bytes in all.
func (s *sender) add(frames []*Frame, size int64) {
	s.queue.add(frames, size)
	s.queued += size
}

// ready tells whether a frame would leave at once.
func (s *sender) ready() bool {
	switch {
	case !s.queue.empty():
		return false
	case s.ws != nil:
		return s.writer == writerIdle
	}
	return s.poll != nil
}

// scheduleTurn reports whether the caller must give the connection to the flusher: nobody
// writes to its WebSocket yet.
func (s *sender) scheduleTurn() bool {
	if s.writer != writerIdle {
		return false
	}
	s.writer = writerScheduled
	return true
}

// schedulePoll reports whether the caller must give the connection to the flusher, so that
// it looks at the poll that waits at the front.
func (s *sender) schedulePoll() bool { return s.poll != nil && s.poll.front != nil && s.scheduleTurn() }

// wakeHandler lets a poll look again that waits in a handler of net/http.
func (s *sender) wakeHandler() {
	if s.poll == nil || s.poll.wake == nil {
		return
	}
	select {
	case s.poll.wake <- struct{}{}:
	default: // woken already
	}
}

// due tells whether there is something to answer p with: packets, the end of the session, or
// an upgrade.
func (s *sender) due(p *pendingPoll, open bool) bool {
	return !s.queue.empty() || !open || s.ws != nil || p.noop
}

// takePoll ends the pending poll and takes what it is answered with: nothing after an
// upgrade, when the queue is the WebSocket's.
func (s *sender) takePoll() (out outbox) {
	s.poll = nil
	switch {
	case s.ws != nil:
	case s.greeted:
		out = s.queue.take()
	default:
		out = s.queue.cutFirst()
	}
	s.greeted = true
	return out
}

// takeTurn takes what is queued for the WebSocket. Without any, nobody writes from then on.
func (s *sender) takeTurn() (t *wsTransport, out outbox) {
	if s.ws == nil || s.queue.empty() {
		s.writer = writerIdle
		return nil, out
	}
	s.writer = writerFlushing
	return s.ws, s.queue.take()
}

// wrote ends a turn. It reports whether there is more to write, unless it is over: then that is
// scheduled.
func (s *sender) wrote(over bool) (again bool) {
	if over || s.queue.empty() {
		s.writer = writerIdle
		return false
	}
	s.writer = writerScheduled
	return true
}

// dequeue takes bytes that have left, or never will, off what waits. It reports whether
// nothing waits any more.
func (s *sender) dequeue(size int64) (empty bool) {
	s.queued -= size
	return s.queued == 0
}

// upgrade makes t what carries the session.
func (s *sender) upgrade(t *wsTransport) { s.ws, s.probe = t, nil }
