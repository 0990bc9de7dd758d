package forward

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A request with a tag that is not known waits for one reading that begins
// afterwards, together with all other such requests.
func TestFind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := newTable("self")
		tab.begin() // has passed over the tag already
		var asked sync.WaitGroup
		found := make(chan *peer, 10)
		for range 10 {
			asked.Go(func() { found <- tab.find(t.Context(), "a") })
		}
		synctest.Wait()
		<-tab.want
		tab.end(map[string]string{}, time.Now())
		synctest.Wait()
		if len(found) != 0 {
			t.Error("a reading that had begun before was believed")
		}
		tab.begin()
		tab.end(map[string]string{"a": "x:1", "self": "x:2"}, time.Now())
		asked.Wait()
		for range 10 {
			if p := <-found; p == nil || p.addr != "x:1" {
				t.Errorf("found %+v", p)
			}
		}
		if tab.len() != 1 {
			t.Errorf("%d peers", tab.len())
		}
		// A known one costs nothing.
		if tab.find(t.Context(), "a") == nil || len(tab.want) != 0 {
			t.Error("a known instance was looked up")
		}
	})
}

// Nobody waits for longer than a second, or for a reading that fails.
func TestFindInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := newTable("self")
		start := time.Now()
		if tab.find(t.Context(), "a") != nil || time.Since(start) != lookupTimeout {
			t.Errorf("after %v", time.Since(start))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if tab.find(ctx, "a") != nil {
			t.Error("found")
		}
		found := make(chan *peer)
		go func() { found <- tab.find(t.Context(), "a") }()
		synctest.Wait()
		tab.begin()
		tab.end(nil, time.Now())
		if <-found != nil {
			t.Error("found")
		}
		go func() { found <- tab.find(t.Context(), "a") }()
		synctest.Wait()
		tab.stop()
		if <-found != nil || tab.find(t.Context(), "a") != nil {
			t.Error("found after the end")
		}
	})
}

// An instance that is missing from the registry is kept for a while, since Redis
// may have lost it; a failed reading takes nobody away.
func TestMissingInstances(t *testing.T) {
	tab := newTable("self")
	now := time.Now()
	read := func(addrs map[string]string, d time.Duration) {
		tab.begin()
		tab.end(addrs, now.Add(d))
	}
	read(map[string]string{"a": "x:1", "b": "x:2"}, 0)
	a := tab.peers["a"]
	read(map[string]string{"b": "x:2"}, entryLife)
	if tab.peers["a"] != a || tab.len() != 2 {
		t.Error("it was forgotten too early")
	}
	read(nil, 10*entryLife)
	if tab.len() != 2 {
		t.Error("it was forgotten for want of a reading")
	}
	read(map[string]string{"b": "x:3"}, entryLife+1)
	if tab.peers["a"] != nil || tab.peers["b"].addr != "x:3" || !a.retired {
		t.Errorf("%+v", tab.peers)
	}
}
