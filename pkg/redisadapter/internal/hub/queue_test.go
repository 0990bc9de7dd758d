package hub

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// lostItems collects what a queue gives up.
type lostItems struct {
	list []string
}

func (l *lostItems) take(it item, err error) {
	l.list = append(l.list, fmt.Sprintf("%s: %v", it.Channel, err))
}

func channels(items []item) (names []string) {
	for _, it := range items {
		names = append(names, it.Channel)
	}
	return names
}

func TestQueueKeepsOrder(t *testing.T) {
	q := newQueue(1<<20, time.Minute, func(item, error) { t.Error("lost") })
	var want []string
	for i := range 5000 {
		_ = q.push(item{Out: wire.Out{Channel: fmt.Sprint(i)}})
		want = append(want, fmt.Sprint(i))
	}
	var got []string
	for n := 1; len(got) < len(want); n = n%300 + 1 {
		batch := q.take(nil, true, n, 1<<20)
		if n%3 == 0 && len(batch) > 1 { // half of it goes back
			q.unshift(batch[len(batch)/2:])
			batch = batch[:len(batch)/2]
		}
		got = append(got, channels(batch)...)
	}
	if !slices.Equal(got, want) {
		t.Error("order is lost")
	}
	if items, bytes := q.len(); items != 0 || bytes != 0 {
		t.Errorf("%d items, %d bytes left", items, bytes)
	}
}

func TestQueueTakesByBytes(t *testing.T) {
	q := newQueue(1<<20, time.Minute, nil)
	for range 10 {
		_ = q.push(item{Out: wire.Out{Payload: make(wire.Message, 1000)}})
	}
	if n := len(q.take(nil, true, 100, 2500)); n != 3 {
		t.Errorf("took %d", n)
	}
}

func TestQueueExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost lostItems
		q := newQueue(1000, 10*time.Second, lost.take)
		_ = q.push(item{Out: wire.Out{Channel: "a"}})
		time.Sleep(6 * time.Second)
		_ = q.push(item{Out: wire.Out{Channel: "b"}})
		_ = q.push(item{Out: wire.Out{Channel: "too large", Payload: make(wire.Message, 1000)}})
		time.Sleep(5 * time.Second)
		_ = q.push(item{Out: wire.Out{Channel: "c"}})
		if got := channels(q.take(nil, true, 10, 1000)); !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("took %v", got)
		}
		_ = q.push(item{Out: wire.Out{Channel: "alone", Payload: make(wire.Message, 5000)}}) // fits because it is
		_ = q.push(item{Out: wire.Out{Channel: "d"}})
		q.close()
		_ = q.push(item{Out: wire.Out{Channel: "e"}})
		want := []string{
			"too large: publish queue is full", "a: message waited too long for Redis", "d: publish queue is full",
			"alone: cluster adapter is closed", "e: cluster adapter is closed",
		}
		if !slices.Equal(lost.list, want) {
			t.Errorf("lost %q", lost.list)
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackoff()
		for _, most := range []time.Duration{50, 100, 200, 400, 800, 1600, 2000, 2000} {
			start := time.Now()
			if !b.wait(t.Context()) {
				t.Fatal("ended")
			}
			if d := time.Since(start); d > most*time.Millisecond || d < most*time.Millisecond/2-1 {
				t.Errorf("waited %v, want %v at most", d, most*time.Millisecond)
			}
		}
	})
}

func TestFaultLogIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		l := faultLog{log: slog.New(slog.NewTextHandler(&out, nil))}
		for range 100 {
			l.warn("a", errors.New("x"))
			l.warn("b", nil)
			time.Sleep(time.Second / 5)
		}
		if n := strings.Count(out.String(), "msg=a"); n != 2 {
			t.Errorf("%d lines:\n%s", n, out.String())
		}
		if !strings.Contains(out.String(), "suppressed=49") {
			t.Errorf("no count:\n%s", out.String())
		}
	})
}
