package histogram

import (
	"slices"
	"sync"
	"testing"
	"time"
)

func TestBoundsAscend(t *testing.T) {
	if !slices.IsSorted(Bounds[:]) {
		t.Errorf("%v", Bounds)
	}
}

func TestObserve(t *testing.T) {
	for _, tt := range []struct {
		observed time.Duration
		bucket   time.Duration // the first that contains it; 0: none
	}{
		{-time.Second, 100 * time.Microsecond},
		{0, 100 * time.Microsecond},
		{100 * time.Microsecond, 100 * time.Microsecond},
		{100*time.Microsecond + 1, 250 * time.Microsecond},
		{time.Minute, time.Minute},
		{time.Minute + 1, 0},
	} {
		var h Histogram
		h.Observe(tt.observed)
		s := h.Snapshot()
		if s.Count != 1 || s.Sum != max(tt.observed, 0) {
			t.Errorf("%v: count %d, sum %v", tt.observed, s.Count, s.Sum)
		}
		for i, bound := range Bounds {
			want := uint64(0)
			if tt.bucket != 0 && bound >= tt.bucket {
				want = 1
			}
			if s.Buckets[i] != want {
				t.Errorf("%v: bucket %v has %d, want %d", tt.observed, bound, s.Buckets[i], want)
			}
		}
	}
}

func TestQuantile(t *testing.T) {
	var h Histogram
	if got := h.Snapshot().Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for range 98 {
		h.Observe(time.Millisecond)
	}
	h.Observe(time.Second)
	h.Observe(time.Hour)
	s := h.Snapshot()
	for q, want := range map[float64]time.Duration{
		0: time.Millisecond, 0.5: time.Millisecond, 0.98: time.Millisecond, 0.99: time.Second, 1: time.Minute,
	} {
		if got := s.Quantile(q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestSub(t *testing.T) {
	var h Histogram
	h.Observe(time.Second)
	before := h.Snapshot()
	h.Observe(time.Millisecond)
	d := h.Snapshot().Sub(before)
	if d.Count != 1 || d.Sum != time.Millisecond || d.Quantile(1) != time.Millisecond {
		t.Errorf("%+v", d)
	}
}

func TestConcurrentObservations(t *testing.T) {
	var h Histogram
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				h.Observe(time.Millisecond)
			}
		})
	}
	all.Wait()
	if s := h.Snapshot(); s.Count != 8000 || s.Sum != 8*time.Second {
		t.Errorf("count %d, sum %v", s.Count, s.Sum)
	}
}

func BenchmarkObserve(b *testing.B) {
	var h Histogram
	b.ReportAllocs()
	for b.Loop() {
		h.Observe(3 * time.Millisecond)
	}
}
