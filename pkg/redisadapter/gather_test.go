package redisadapter

import (
	"testing"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Redis may say who is there when a question is over: then done may read what want writes, and nobody is asked any more.
func TestGatherThatIsOverAsksNobody(t *testing.T) {
	wanted, done := 0, make(chan int, 1)
	g := &gather{
		expected: -1, want: func(wire.Census) int { wanted++; return 2 }, take: func(*wire.Response) {},
		done: func(error) { done <- wanted },
	}
	all := func(c wire.Census) wire.Census { return c }
	g.finish(ErrClosed)
	if !g.expect(wire.Census{All: 3}, all) {
		t.Error("others are asked for what nobody waits for")
	}
	g.answer(&wire.Response{})
	g.finish(nil)
	if n := <-done; n != 0 || wanted != 0 || g.got != 0 {
		t.Errorf("wanted %d times, %d answers taken", wanted, g.got)
	}
}

// A question is complete when as many answers have come as instances were counted, whichever came first.
func TestGatherCounts(t *testing.T) {
	all := func(c wire.Census) wire.Census { return c }
	for _, tc := range []struct {
		name                  string
		before, others, after int // answers before Redis has told who is there, who those are, and answers after that
		complete              bool
	}{
		{"nobody is there", 0, 0, 0, true},
		{"all answer", 0, 2, 2, true},
		{"one is missing", 0, 2, 1, false},
		{"all have answered before", 2, 2, 0, true},
		{"some before, some after", 1, 3, 2, true},
		{"Redis has not told", 2, -1, 0, false},
	} {
		g := &gather{expected: -1, want: wire.Census.Others, take: func(*wire.Response) {}}
		complete := false
		for range tc.before {
			complete = g.answer(&wire.Response{}) || complete
		}
		if tc.others >= 0 {
			complete = g.expect(wire.Census{All: tc.others + 1, Modern: tc.others + 1}, all) || complete
		}
		for range tc.after {
			complete = g.answer(&wire.Response{}) || complete
		}
		if complete != tc.complete || g.complete(all) != tc.complete {
			t.Errorf("%s: %v, later %v", tc.name, complete, g.complete(all))
		}
	}
}
