package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

const mb = 1 << 20

func TestWorthTrimming(t *testing.T) {
	for _, tt := range []struct {
		name string
		now  heapState
		want bool
	}{
		{"small server", heapState{live: mb, objects: 3 * mb}, false},
		{"garbage of a storm", heapState{live: 40 * mb, objects: 55 * mb}, true},
		{"pages of a storm", heapState{live: 10 * mb, objects: 10 * mb, free: 60 * mb}, true},
		{"both together", heapState{live: 40 * mb, objects: 46 * mb, free: 5 * mb}, true},
		{"too little of much", heapState{live: 400 * mb, objects: 430 * mb, free: 5 * mb}, false},
		{"a collection grew the mark", heapState{live: 40 * mb, objects: 39 * mb}, false},
	} {
		if got := tt.now.worthTrimming(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// The heap is trimmed when it is quiet behind a storm, and never because of a chat that goes on, however slow.
func TestTrimmerWaits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		growth []float64 // of the heap in each trimInterval, in MB
		want   []int     // after which of them the heap is trimmed
	}{
		{"nothing happens", make([]float64, 100), nil},
		{"a storm", []float64{30, 20, 0, 0, 0}, []int{2}},
		{"a storm and heartbeats", []float64{50, 0.1, 0.1, 0.1}, []int{1}},
		{"a trickle", slices.Repeat([]float64{3.9}, 100), nil},
		{"a chat", slices.Repeat([]float64{6}, 100), nil},
		{"a chat with pauses", slices.Repeat([]float64{6, 0, 6, 0}, 9), nil},
		{"storms without end", slices.Repeat([]float64{18, 0}, 18), []int{1, 13, 25}},
		{"a trickle behind a storm", append([]float64{50}, slices.Repeat([]float64{3}, 50)...), []int{1}},
		{"two storms", []float64{50, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, []int{1, 13}},
	} {
		now, h := time.Now(), heapState{live: 10 * mb, objects: 10 * mb}
		trimmer := trimmer{before: h}
		var got []int
		for i, growth := range tt.growth {
			h.objects, h.allocated = h.objects+uint64(growth*mb), h.allocated+uint64(growth*mb)
			if h.objects > h.live+spareHeap { // Go collects
				h.collections, h.objects = h.collections+1, h.live
				h.free = spareHeap
			}
			now = now.Add(trimInterval)
			if trimmer.due(h, now) {
				got = append(got, i)
				h.collections, h.objects, h.free = h.collections+1, h.live, 0
				trimmer.before = h
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: trimmed after %v, want %v", tt.name, got, tt.want)
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
