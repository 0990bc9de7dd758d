package auth

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestScheduleCallsEachAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s schedule
		begin := time.Now()
		var mu sync.Mutex
		called := map[int]time.Duration{}
		var removed []*expiry
		for i := range 1000 {
			at := time.Duration(rand.IntN(3600)) * time.Second
			e := s.add(begin.Add(at), func() {
				mu.Lock()
				defer mu.Unlock()
				called[i] = time.Since(begin) - at
			})
			if i%3 == 0 {
				removed = append(removed, e)
			}
		}
		for _, e := range removed {
			s.remove(e)
			s.remove(e) // once more does nothing
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if len(called) != 1000-len(removed) || s.len() != 0 {
			t.Errorf("%d called, %d removed, %d left", len(called), len(removed), s.len())
		}
		for i, late := range called {
			if late != 0 || i%3 == 0 {
				t.Errorf("%d called, %s late", i, late)
			}
		}
		past := make(chan struct{})
		s.add(begin, func() { close(past) })
		<-past
		s.close()
	})
}

func TestScheduleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s schedule
		running, goOn := make(chan struct{}), make(chan struct{})
		s.add(time.Now(), func() { close(running); <-goOn })
		s.add(time.Now().Add(time.Hour), func() { t.Error("called after close") })
		<-running
		closed := make(chan struct{})
		go func() { s.close(); close(closed) }()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("close did not wait")
		default:
		}
		close(goOn)
		<-closed
		s.close()
		s.add(time.Now(), func() { t.Error("called after close") })
		time.Sleep(2 * time.Hour)
	})
}

func TestScheduleFromManyGoroutines(t *testing.T) {
	var s schedule
	var all, called sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				if i%2 == 0 {
					called.Add(1)
					s.add(time.Now().Add(time.Duration(i)*10*time.Microsecond), called.Done)
				} else {
					s.remove(s.add(time.Now().Add(time.Hour), func() { panic("removed, yet called") }))
				}
			}
		})
	}
	all.Wait()
	called.Wait()
	s.close()
}
