package redisadapter

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lostItems collects what a queue gives up.
type lostItems struct {
	list []string
}

func (l *lostItems) take(it item, err error) {
	l.list = append(l.list, fmt.Sprintf("%s: %v", it.channel, err))
}

func channels(items []item) (names []string) {
	for _, it := range items {
		names = append(names, it.channel)
	}
	return names
}

func TestQueueKeepsOrder(t *testing.T) {
	q := newQueue(1<<20, time.Minute, func(item, error) { t.Error("lost") })
	var want []string
	for i := range 5000 {
		_ = q.push(item{out: out{channel: fmt.Sprint(i)}})
		want = append(want, fmt.Sprint(i))
	}
	var got []string
	for n := 1; len(got) < len(want); n = n%300 + 1 {
		batch := q.take(nil, n, 1<<20)
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
		_ = q.push(item{out: out{payload: make(message, 1000)}})
	}
	if n := len(q.take(nil, 100, 2500)); n != 3 {
		t.Errorf("took %d", n)
	}
}

func TestQueueExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost lostItems
		q := newQueue(1000, 10*time.Second, lost.take)
		_ = q.push(item{out: out{channel: "a"}})
		time.Sleep(6 * time.Second)
		_ = q.push(item{out: out{channel: "b"}})
		_ = q.push(item{out: out{channel: "too large", payload: make(message, 1000)}})
		time.Sleep(5 * time.Second)
		_ = q.push(item{out: out{channel: "c"}})
		if got := channels(q.take(nil, 10, 1000)); !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("took %v", got)
		}
		_ = q.push(item{out: out{channel: "alone", payload: make(message, 5000)}}) // fits because it is
		_ = q.push(item{out: out{channel: "d"}})
		q.close()
		_ = q.push(item{out: out{channel: "e"}})
		want := []string{
			"too large: publish queue is full", "a: message waited too long for Redis", "d: publish queue is full",
			"alone: cluster adapter is closed", "e: cluster adapter is closed",
		}
		if !slices.Equal(lost.list, want) {
			t.Errorf("lost %q", lost.list)
		}
	})
}

func TestSerial(t *testing.T) {
	s := serial{limit: 10}
	var mu sync.Mutex
	var got []int
	running, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s.push(func() { close(running); <-release })
	<-running // with nothing else, so that all that follows waits
	accepted := 0
	for i := range 20 {
		if s.push(func() {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, i)
		}) {
			accepted++
		}
	}
	close(release)
	if accepted != 10 {
		t.Errorf("accepted %d with a limit of 10", accepted)
	}
	eventually(t, "all have run", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) == accepted
	})
	if !s.push(func() { close(done) }) {
		t.Error("refused when idle")
	}
	<-done
	if !slices.IsSorted(got) {
		t.Errorf("order %v", got)
	}
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

func TestGlobEscape(t *testing.T) {
	if got := globEscape(`/a*b?c[d]e\f`); got != `/a\*b\?c\[d\]e\\f` {
		t.Error(got)
	}
}
