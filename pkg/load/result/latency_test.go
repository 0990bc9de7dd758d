package result

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNoLatencies(t *testing.T) {
	if got := NewHistogram().Latency(); got.Count != 0 || got.Max != 0 || len(got.Curve)+len(got.Bins) != 0 {
		t.Errorf("%+v", got)
	}
	if got := NewHistogram().Quantile(0.99); got != 0 {
		t.Errorf("p99 of nothing is %d", got)
	}
}

// The histogram agrees with sorting, within its three digits.
func TestAgainstSorting(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := NewHistogram(), NewHistogram()
	var all []int64
	for i := range 20_000 {
		v := int64(math.Exp(rng.Float64()*14)) + 1 // 2 µs to 1.2 s
		all = append(all, v)
		[]*Histogram{a, b}[i%2].Record(v)
	}
	a.Merge(b)
	slices.Sort(all)
	got := a.Latency()
	for _, tt := range []struct {
		name string
		q    float64
		got  int64
	}{{"p50", 0.5, got.P50}, {"p90", 0.9, got.P90}, {"p99", 0.99, got.P99}, {"p99.9", 0.999, got.P999}, {"max", 1, got.Max}} {
		want := all[min(int(math.Ceil(tt.q*float64(len(all))))-1, len(all)-1)]
		if math.Abs(float64(tt.got-want)) > float64(want)*0.002+1 {
			t.Errorf("%s is %d, want %d", tt.name, tt.got, want)
		}
	}
	if got.Count != 20_000 {
		t.Errorf("%d counted", got.Count)
	}
}

func TestCurveRises(t *testing.T) {
	h := NewHistogram()
	for i := range int64(5000) {
		h.Record(i)
	}
	curve := h.Latency().Curve
	for i, p := range curve {
		if i > 0 && (p.Share <= curve[i-1].Share || p.Micros < curve[i-1].Micros) {
			t.Errorf("point %d: %+v after %+v", i, p, curve[i-1])
		}
	}
	if last := curve[len(curve)-1]; curve[0].Share != 0 || last.Share != 1 || last.Micros != h.Latency().Max {
		t.Errorf("from %+v to %+v", curve[0], last)
	}
}

func TestBinsHoldEverythingOnce(t *testing.T) {
	h := NewHistogram()
	for _, v := range []int64{1, 1, 2, 3, 999, 1000, 1001, 5_000_000} {
		h.Record(v)
	}
	bins := h.Latency().Bins
	sum := uint64(0)
	for i, b := range bins {
		sum += b.Count
		if i > 0 && b.To <= bins[i-1].To || b.Count == 0 {
			t.Errorf("bin %d: %+v", i, b)
		}
	}
	if sum != 8 || bins[0] != (Bin{To: 1, Count: 2}) {
		t.Errorf("%d in %+v", sum, bins)
	}
	if last := bins[len(bins)-1].To; last < 5_000_000 || last > 5_600_000 {
		t.Errorf("the last bin ends at %d", last)
	}
}

func TestOutOfBounds(t *testing.T) {
	h := NewHistogram()
	h.Record(-5) // a clock that was read too early
	h.Record(1 << 60)
	if got := h.Latency(); got.Count != 2 || got.Min > 1 || got.Max < maxMicros {
		t.Errorf("%+v", got)
	}
	h.Reset()
	if got := h.Latency(); got.Count != 0 {
		t.Errorf("%+v", got)
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	h := NewHistogram()
	if n := testing.AllocsPerRun(100, func() { h.Record(1234) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
