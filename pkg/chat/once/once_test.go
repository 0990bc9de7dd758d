package once

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestWindowForgetsByCountAndAge(t *testing.T) {
	now := time.Unix(0, 0)
	w := NewWindow[int](2, time.Minute)
	w.now = func() time.Time { return now }
	begin := func(key string, want bool) *Call[int] {
		t.Helper()
		c, first := w.Begin(key)
		if first != want {
			t.Fatalf("%s: first is %v, want %v", key, first, want)
		}
		return c
	}
	begin("a", true)
	begin("b", true)
	begin("a", false) // it makes no place for itself
	begin("c", true)  // a goes
	begin("b", false)
	begin("a", true) // b goes
	now = now.Add(2 * time.Minute)
	begin("c", true)
}

func TestThenWaitsForFinish(t *testing.T) {
	w := NewWindow[int](10, time.Minute)
	first, _ := w.Begin("a")
	var got []int
	again, _ := w.Begin("a")
	again.Then(func(n int) { got = append(got, n) })
	if got != nil {
		t.Fatal("told before it has finished")
	}
	first.Finish(7)
	first.Finish(8)
	again.Then(func(n int) { got = append(got, n) })
	if fmt.Sprint(got) != "[7 7]" {
		t.Fatalf("got %v", got)
	}
}

// Of many who begin the same at once, one is the first, and all hear what came of it.
func TestOneOfManyIsFirst(t *testing.T) {
	w := NewWindow[int](10, time.Minute)
	var firsts, told atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			c, first := w.Begin("a")
			if first {
				firsts.Add(1)
				c.Finish(3)
			}
			c.Then(func(int) { told.Add(1) })
		})
	}
	all.Wait()
	if firsts.Load() != 1 || told.Load() != 50 {
		t.Fatalf("%d firsts, %d told", firsts.Load(), told.Load())
	}
}
