package result

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Bounds of what is recorded, in microseconds; longer latencies count as the longest.
const (
	minMicros = 1
	maxMicros = 2 * 60 * 1e6
	digits    = 3
)

// Latency describes how long deliveries took, from the moment they were to be sent until they were read. Microseconds.
type Latency struct {
	Count uint64  `json:"count"`
	Mean  float64 `json:"meanMicros"`
	Min   int64   `json:"minMicros"`
	P50   int64   `json:"p50Micros"`
	P90   int64   `json:"p90Micros"`
	P99   int64   `json:"p99Micros"`
	P999  int64   `json:"p999Micros"`
	Max   int64   `json:"maxMicros"`
	// Curve has the latency at more and more nines, Bins how many deliveries took how long.
	Curve []Point `json:"curve"`
	Bins  []Bin   `json:"bins"`
}

// Point says that a share of all deliveries (0 to 1) took at most Micros.
type Point struct {
	Share  float64 `json:"share"`
	Micros int64   `json:"micros"`
}

// Bin counts the deliveries that took up to To microseconds and longer than the bin before. Bins are a tenth wide.
type Bin struct {
	To    int64  `json:"to"`
	Count uint64 `json:"count"`
}

// Histogram collects latencies for one goroutine.
type Histogram struct{ h *hdrhistogram.Histogram }

// NewHistogram makes an empty one, of about 200 KB.
func NewHistogram() *Histogram {
	return &Histogram{hdrhistogram.New(minMicros, maxMicros, digits)}
}

// Record adds one latency, in microseconds.
func (h *Histogram) Record(micros int64) {
	// Within its bounds recording cannot fail.
	_ = h.h.RecordValue(min(max(micros, minMicros), maxMicros))
}

// Merge adds what other holds.
func (h *Histogram) Merge(other *Histogram) { h.h.Merge(other.h) }

// Reset empties it.
func (h *Histogram) Reset() { h.h.Reset() }

// Quantile is the latency that a share q (0 to 1) of the deliveries did not exceed; 0 if there were none.
func (h *Histogram) Quantile(q float64) int64 { return h.h.ValueAtPercentile(q * 100) }

// Latency sums up what was recorded.
func (h *Histogram) Latency() Latency {
	if h.h.TotalCount() == 0 {
		return Latency{}
	}
	return Latency{
		Count: uint64(h.h.TotalCount()),
		Mean:  h.h.Mean(),
		Min:   h.h.Min(),
		P50:   h.Quantile(0.5),
		P90:   h.Quantile(0.9),
		P99:   h.Quantile(0.99),
		P999:  h.Quantile(0.999),
		Max:   h.h.Max(),
		Curve: h.curve(),
		Bins:  h.bins(),
	}
}

// curve steps through the shares so that every further nine has as many points as the first half.
func (h *Histogram) curve() []Point {
	const pointsPerHalving = 4
	var curve []Point
	total := float64(h.h.TotalCount())
	for i := 0; ; i++ {
		left := math.Exp2(-float64(i) / pointsPerHalving) // share of the slower ones
		if left*total < 1 {
			break
		}
		curve = append(curve, Point{Share: 1 - left, Micros: h.Quantile(1 - left)})
	}
	return append(curve, Point{Share: 1, Micros: h.h.Max()})
}

func (h *Histogram) bins() []Bin {
	const width = 1.1
	var bins []Bin
	limit := float64(minMicros)
	for _, bar := range h.h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		for float64(bar.From) > limit {
			limit = math.Max(limit*width, limit+1)
		}
		to := int64(limit)
		if n := len(bins); n > 0 && bins[n-1].To == to {
			bins[n-1].Count += uint64(bar.Count)
		} else {
			bins = append(bins, Bin{To: to, Count: uint64(bar.Count)})
		}
	}
	return bins
}
