package hub

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// TestAttendance: an instance that has gone is missed for a while, also by one that was cut off itself meanwhile.
func TestAttendance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, began := &Hub{}, time.Now()
		for i, tc := range []struct {
			after   time.Duration
			there   int
			missing int
			counted time.Duration // when those that are missing were there
		}{
			{0, 3, 0, 0},
			{time.Second, 2, 1, 0},
			{time.Second, 3, 0, 2 * time.Second}, // it is back
			{time.Second, 1, 2, 2 * time.Second},
			{lately, 1, 0, 3*time.Second + lately}, // they are given up
			{0, 4, 0, 3*time.Second + lately},
		} {
			time.Sleep(tc.after)
			if missing, counted := h.attend("ours", tc.there); missing != tc.missing || counted.Sub(began) != tc.counted {
				t.Errorf("%d: %d are missing, counted after %v", i, missing, counted.Sub(began))
			}
		}
		counted := time.Now()
		time.Sleep(2 * lately)
		h.state.mu.Lock()
		h.since = time.Now() // joined again
		h.missLocked()
		h.state.mu.Unlock()
		time.Sleep(lately - time.Second)
		if missing, at := h.attend("ours", 2); missing != 2 || at != counted {
			t.Errorf("%d are missing, counted at %v", missing, at)
		}
		if missing, _ := h.attend("another", 2); missing != 0 {
			t.Errorf("%d are missing in another namespace", missing)
		}
	})
}

// TestQueueOvertaking: what may overtake goes first, also while nothing else may flow, and in its order.
func TestQueueOvertaking(t *testing.T) {
	q := newQueue(1<<20, time.Minute, func(it item, err error) { t.Errorf("lost %s: %v", it.Channel, err) })
	for _, o := range []wire.Out{{Channel: "a"}, {Channel: "1", Soon: true}, {Channel: "b"}, {Channel: "2", Soon: true}} {
		_ = q.push(item{Out: o})
	}
	if got := channels(q.take(nil, false, 10, 1<<20)); !slices.Equal(got, []string{"1", "2"}) || q.more(false) || !q.more(true) {
		t.Errorf("took %q, more: %v, %v", got, q.more(false), q.more(true))
	}
	_ = q.push(item{Out: wire.Out{Channel: "3", Soon: true}})
	if got := channels(q.take(nil, true, 10, 1<<20)); !slices.Equal(got, []string{"3", "a", "b"}) {
		t.Errorf("took %q", got)
	}
	if items, bytes := q.len(); items != 0 || bytes != 0 || q.more(true) {
		t.Errorf("%d items of %d bytes are left", items, bytes)
	}
}
