// Package histogram counts durations in fixed buckets, for code that measures on a path it must not
// slow down and leaves it to others to show the numbers.
//
// # Use
//
//	var roundTrips histogram.Histogram
//	roundTrips.Observe(time.Since(sent))
//	…
//	s := roundTrips.Snapshot()
//
// The buckets are the same for every histogram, from 100 µs to 60 s, about three for each power of
// ten, so that the zero value can be used and snapshots of several instances can be added up.
//
// # Concurrency
//
// All methods are safe for concurrent use. Observe is two atomic additions and allocates nothing. A
// snapshot that is taken meanwhile may have an observation in its buckets that its sum lacks.
package histogram

import (
	"sync/atomic"
	"time"
)

// Bounds are the upper bounds of the buckets, in ascending order, each included in its bucket. What
// is longer than the last is counted in Snapshot.Count alone.
var Bounds = [bounds]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	1 * time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	1 * time.Second, 2500 * time.Millisecond, 5 * time.Second,
	10 * time.Second, 30 * time.Second, 60 * time.Second,
}

const bounds = 18

// A Histogram counts durations. The zero value is empty and ready.
type Histogram struct {
	buckets [bounds + 1]atomic.Uint64 // each by itself; the last for what is longer than all bounds
	sum     atomic.Int64              // nanoseconds
}

// Observe counts one duration. A negative one counts as zero: clocks can be set back.
func (h *Histogram) Observe(d time.Duration) {
	d = max(d, 0)
	i := 0
	for i < bounds && d > Bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// A Snapshot is the state of a Histogram at about one moment.
type Snapshot struct {
	// Buckets has, for each of Bounds, how many durations were at most as long: each bucket
	// contains the ones before it.
	Buckets [bounds]uint64
	Count   uint64        // of all durations
	Sum     time.Duration // of all durations
}

// Snapshot returns what has been counted so far.
func (h *Histogram) Snapshot() (s Snapshot) {
	for i := range s.Buckets {
		s.Count += h.buckets[i].Load()
		s.Buckets[i] = s.Count
	}
	s.Count += h.buckets[bounds].Load()
	s.Sum = time.Duration(h.sum.Load())
	return s
}

// Sub returns what was counted after earlier, an older snapshot of the same histogram, was taken.
func (s Snapshot) Sub(earlier Snapshot) Snapshot {
	for i := range s.Buckets {
		s.Buckets[i] -= earlier.Buckets[i]
	}
	s.Count -= earlier.Count
	s.Sum -= earlier.Sum
	return s
}

// Quantile estimates the duration that the share q of all (0 to 1) does not exceed: the bound of
// the bucket it falls into, or a minute if that is longer. Without any observation it is 0.
func (s Snapshot) Quantile(q float64) time.Duration {
	if s.Count == 0 {
		return 0
	}
	rank := q * float64(s.Count)
	for i, n := range s.Buckets {
		if n > 0 && float64(n) >= rank {
			return Bounds[i]
		}
	}
	return Bounds[bounds-1]
}
