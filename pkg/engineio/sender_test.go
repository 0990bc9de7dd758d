package engineio

import "testing"

// Whatever a sender is asked, one at most takes frames from its queue.
func TestSenderSchedules(t *testing.T) {
	handler, front := &pendingPoll{wake: make(chan struct{}, 1)}, &pendingPoll{front: &frontConn{}}
	for _, tt := range []struct {
		name       string
		pending    *pendingPoll
		writer     writerState
		turn, poll bool // whether the flusher is to look, for a WebSocket and for a poll
	}{
		{"nobody to write to", nil, writerIdle, true, false},
		{"a poll in a handler", handler, writerIdle, true, false},
		{"a poll at the front", front, writerIdle, true, true},
		{"scheduled", front, writerScheduled, false, false},
		{"being written", front, writerFlushing, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sender{poll: tt.pending, writer: tt.writer}
			if s.schedulePoll() != tt.poll || tt.poll && s.scheduleTurn() {
				t.Error("poll")
			}
			again := sender{poll: tt.pending, writer: tt.writer}
			if again.scheduleTurn() != tt.turn || again.scheduleTurn() {
				t.Error("turn")
			}
		})
	}
	s := &sender{poll: handler}
	s.wakeHandler()
	s.wakeHandler() // nobody waits for it to be taken
	if len(handler.wake) != 1 {
		t.Error("the handler sleeps on")
	}
}

// The queue is bounded by the bytes of what waits, what is being written included, and by the
// memory of the places in it; one frame always has room.
func TestSenderIsFull(t *testing.T) {
	s := &sender{ws: &wsTransport{}}
	f := NewTextFrame(make([]byte, 1000))
	size, most := f.size(), 3*(f.size()+frameCost)
	if s.full(1, size, 10) {
		t.Error("there is no room for the first frame")
	}
	for range 3 {
		if s.full(1, size, most) {
			t.Fatalf("full with %d bytes of %d", s.queued, most)
		}
		s.add([]*Frame{f}, size)
	}
	if !s.full(1, size, most) {
		t.Error("there is room for one frame too many")
	}
	_, out := s.takeTurn()
	if out.len() != 3 || s.writer != writerFlushing || s.queued != 3*size || !s.full(1, size, most) {
		t.Errorf("what is being written does not count: %d frames, %d bytes", out.len(), s.queued)
	}
	s.add([]*Frame{f}, size)
	if empty := s.dequeue(3 * size); empty || !s.wrote(false) || s.writer != writerScheduled {
		t.Error("what came meanwhile is forgotten")
	}
	if _, out = s.takeTurn(); out.len() != 1 || !s.dequeue(size) || s.wrote(false) || s.writer != writerIdle {
		t.Error("something waits after all was written")
	}
}

// The first answer to a poll has the open packet alone, the next have all that waits; after an
// upgrade a poll gets nothing, since the queue is the WebSocket's.
func TestSenderAnswersPolls(t *testing.T) {
	s := &sender{}
	f := NewTextFrame([]byte("x"))
	for _, step := range []struct{ add, frames, left int }{{3, 1, 2}, {1, 3, 0}, {0, 0, 0}} {
		for range step.add {
			s.add([]*Frame{f}, f.size())
		}
		s.poll = &pendingPoll{}
		if s.due(s.poll, true) != (step.frames > 0) || !s.due(s.poll, false) {
			t.Errorf("%+v: due is wrong", step)
		}
		if out := s.takePoll(); out.len() != step.frames || s.queue.len() != step.left || s.poll != nil {
			t.Errorf("%+v: %d frames, %d left", step, out.len(), s.queue.len())
		}
	}
	s.add([]*Frame{f}, f.size())
	s.upgrade(&wsTransport{})
	s.poll = &pendingPoll{}
	if out := s.takePoll(); !out.empty() || s.queue.len() != 1 || s.ready() {
		t.Errorf("%d frames after the upgrade", out.len())
	}
}
