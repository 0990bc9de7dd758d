package redisadapter

import (
	"slices"
	"sync"
	"testing"
)

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
