package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

func TestWorthTrimming(t *testing.T) {
	const mb = 1 << 20
	for _, tt := range []struct {
		name   string
		before heapState
		now    heapState
		want   bool
	}{
		{"small server", heapState{}, heapState{live: mb, objects: 3 * mb}, false},
		{"garbage of a storm", heapState{}, heapState{live: 40 * mb, objects: 55 * mb}, true},
		{"pages of a storm", heapState{}, heapState{live: 10 * mb, objects: 10 * mb, free: 60 * mb}, true},
		{"both together", heapState{}, heapState{live: 40 * mb, objects: 46 * mb, free: 5 * mb}, true},
		{"too little of much", heapState{}, heapState{live: 400 * mb, objects: 430 * mb, free: 5 * mb}, false},
		{"Go collects by itself", heapState{collections: 7}, heapState{collections: 8, live: 40 * mb, objects: 55 * mb}, false},
		{"a collection grew the mark", heapState{}, heapState{live: 40 * mb, objects: 39 * mb}, false},
	} {
		if got := tt.now.worthTrimming(tt.before); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// After a storm the heap is collected without anybody allocating.
func TestTrimMemory(t *testing.T) {
	// Go's own collector would count what is allocated while it runs as live.
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			trimMemory(ctx)
			close(done)
		}()
		synctest.Wait()
		before := readHeap()
		storm := make([]byte, 64<<20)
		storm[0] = 1
		time.Sleep(3 * trimInterval) // of the bubble's clock
		if now := readHeap(); now.collections == before.collections {
			t.Errorf("nothing was collected: %+v, then %+v", before, now)
		}
		cancel()
		<-done
	})
}
