//go:build linux

package bench

import (
	"fmt"
	"math"
	"slices"
)

// target is what a row must reach: a measure of one variant, against the same measure of another or against a number.
type target struct {
	what, unit string
	of         func(m measures) float64
	variant    string // "": the row's first
	against    string // "": limit is the measure itself
	atLeast    bool   // the limit is the least and not the most
	limit      float64
	inEach     bool // every repeat must reach it, not only the medians
}

// The measures that targets are about, with their names and units.
func rate(against string, limit float64) target {
	return target{what: "deliveries/s", unit: "/s", of: func(m measures) float64 { return m.Rate }, against: against, atLeast: true, limit: limit}
}

func cpu(against string, limit float64) target {
	return target{what: "CPU a delivery", unit: "µs", of: func(m measures) float64 { return m.CPU }, against: against, limit: limit}
}

func p99(against string, limit float64) target {
	return target{what: "p99", unit: "ms", of: func(m measures) float64 { return m.P99 / 1e3 }, against: against, limit: limit}
}

func connectCPU(against string, limit float64) target {
	return target{
		what: "CPU of connecting a client", unit: "µs", of: func(m measures) float64 { return m.ConnectCPU }, against: against, limit: limit,
	}
}

func (t target) called(what string) target { t.what = what; return t }
func (t target) by(variant string) target  { t.variant = variant; return t }
func (t target) everyTime() target         { t.inEach = true; return t }

// check is a target and what became of it.
type check struct {
	What     string  `json:"what"`
	Against  string  `json:"against,omitempty"`
	Target   string  `json:"target"`
	Measured string  `json:"measured"`
	Ratio    float64 `json:"ratio,omitempty"`  // 0: the target is no ratio
	Spread   float64 `json:"spread,omitempty"` // of the trials: see spread
	Verdict  verdict `json:"verdict"`
}

type verdict string

const (
	pass  verdict = "pass"
	short verdict = "SHORT"
	// skipped says that the peer to compare with could not be had, which is nobody's failure.
	skipped verdict = "skipped"
)

func verdictOf(ok bool) verdict {
	if ok {
		return pass
	}
	return short
}

// judge compares what the trials of a row's variants have found with a target.
func (t target) judge(variants []Variant) check {
	c := check{What: t.what, Against: t.against, Target: t.String(), Measured: "not measured", Verdict: short}
	own := variants[0]
	if t.variant != "" {
		own = find(variants, t.variant)
	}
	a := t.of(own.Median)
	c.Spread = spread(own.Trials, t.of)
	if t.against == "" {
		if a > 0 && !math.IsNaN(a) {
			c.Measured = fmt.Sprintf("%s %s", number(a), t.unit)
			c.Verdict = verdictOf(t.reached(a))
		}
		return c
	}
	other := find(variants, t.against)
	if other.Skipped != "" {
		c.Verdict = skipped
		return c
	}
	b := t.of(other.Median)
	if a <= 0 || b <= 0 || math.IsNaN(a) || math.IsNaN(b) {
		return c
	}
	c.Spread = max(c.Spread, spread(other.Trials, t.of))
	c.Ratio = a / b
	if t.inEach {
		c.Ratio = t.worst(own.Trials, other.Trials)
	}
	c.Measured = fmt.Sprintf("%s (%s %s to %s)", factor(c.Ratio), number(a), t.unit, number(b))
	c.Verdict = verdictOf(t.reached(c.Ratio))
	return c
}

func (t target) reached(v float64) bool {
	if t.atLeast {
		return v >= t.limit
	}
	return v <= t.limit
}

// worst is the ratio of the repeat that comes nearest to missing the target, or misses it most.
func (t target) worst(a, b []measures) float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		ratios = append(ratios, t.of(a[i])/t.of(b[i]))
	}
	if t.atLeast {
		return slices.Min(ratios)
	}
	return slices.Max(ratios)
}

func (t target) String() string {
	sign := "≤"
	if t.atLeast {
		sign = "≥"
	}
	switch {
	case t.against == "":
		return fmt.Sprintf("%s %s %s", sign, number(t.limit), t.unit)
	case t.inEach:
		return sign + " " + factor(t.limit) + " each time"
	}
	return sign + " " + factor(t.limit)
}

// find is the variant of that name; a table that names one which it does not have is a mistake in the table.
func find(variants []Variant, name string) Variant {
	i := slices.IndexFunc(variants, func(v Variant) bool { return v.Name == name })
	if i < 0 {
		return Variant{Name: name, Skipped: "not in this row"}
	}
	return variants[i]
}

// spread is how far the trials lie from each other: the greatest less the least, over the median. 0 with fewer than two.
func spread(trials []measures, of func(m measures) float64) float64 {
	if len(trials) < 2 {
		return 0
	}
	values := make([]float64, len(trials))
	for i, m := range trials {
		values[i] = of(m)
	}
	slices.Sort(values)
	mid := middle(values)
	if mid <= 0 {
		return 0
	}
	return (values[len(values)-1] - values[0]) / mid
}

// faultless wants that nothing was lost, doubled, damaged or out of order in any trial of the row's first variant.
func faultless(variants []Variant) check {
	m := variants[0].Median
	return check{
		What: "nothing lost or out of order", Target: "0 faults", Measured: fmt.Sprintf("%.0f", m.Faults), Verdict: verdictOf(m.Faults == 0),
	}
}

// everyNotice wants that every client has heard of itself and of every later one, none missed. Of two that come at the
// same moment each may hear of the other: a few more notices are no fault.
func everyNotice(variants []Variant) check {
	m := variants[0].Median
	want := float64(stormClients) * (stormClients + 1) / 2
	return check{
		What: "join notices delivered", Target: fmt.Sprintf("≥ %.0f", want), Measured: fmt.Sprintf("%.0f", m.Notices),
		Verdict: verdictOf(m.Notices >= want && m.Faults == 0),
	}
}

// factor writes ratios below one as the fractions that they are known by.
func factor(r float64) string {
	if r < 0.45 {
		return fmt.Sprintf("1/%s", number(1/r))
	}
	return number(r) + "×"
}

func number(v float64) string {
	switch {
	case v >= 10_000:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
