package report

import (
	"math"

	"gonum.org/v1/plot/plotter"

	"socketio-chat/pkg/load/result"
)

// series is a line of a plot.
type series struct {
	name string
	xy   plotter.XYs
}

// figures draws everything that the runs have data for.
func figures(runs []*result.Run, names []string) ([]figure, error) {
	var all []figure
	for _, f := range []struct {
		title, caption string
		draw           func() (*drawing, error)
	}{
		{"Latency by share of deliveries", "Half of all deliveries took no longer than the value at 50 %, all but one in a hundred no longer than at 99 %.",
			func() (*drawing, error) { return latencyCurve(runs, names) }},
		{"Latency distribution", "How many of the deliveries took how long.",
			func() (*drawing, error) { return latencyBins(runs, names) }},
		{"Throughput over time", "Deliveries and join notices per second, connecting and warm-up included.",
			func() (*drawing, error) {
				return overTime(runs, names, "per second", func(s result.Sample) (float64, bool) { return s.Deliveries + s.Notices, true })
			}},
		{"Latency over time", "The 99th percentile of each second.",
			func() (*drawing, error) {
				return overTime(runs, names, "p99, ms", func(s result.Sample) (float64, bool) { return float64(s.P99) / 1e3, s.P99 > 0 })
			}},
		{"Memory over time", "Resident memory of the watched server processes together.",
			func() (*drawing, error) { return overTime(runs, names, "MB", memory) }},
		{"CPU over time", "Processors that the watched server processes keep busy together.",
			func() (*drawing, error) { return overTime(runs, names, "processors", cores) }},
		{"Deliveries per second", "Mean over the measured window.",
			func() (*drawing, error) {
				return bars(runs, names, "per second", func(r *result.Run) float64 { return r.Window.Rate() })
			}},
		{"Server CPU per delivery", "User and system time of the watched processes over the measured window.",
			func() (*drawing, error) {
				return bars(runs, names, "µs", func(r *result.Run) float64 { return r.Window.MicrosPerDelivery() })
			}},
		{"99th percentile of the latency", "Of the messages sent in the measured window.",
			func() (*drawing, error) {
				return bars(runs, names, "ms", func(r *result.Run) float64 { return float64(r.Latency.P99) / 1e3 })
			}},
	} {
		d, err := f.draw()
		if err != nil {
			return nil, err
		}
		if d == nil { // nothing to show
			continue
		}
		svg, err := d.svg()
		if err != nil {
			return nil, err
		}
		all = append(all, figure{Title: f.title, Caption: f.caption, SVG: svg})
	}
	return all, nil
}

// nines is the x axis of the latency curve: 1 at 90 %, 2 at 99 %, and so on.
func nines(share float64) float64 { return -math.Log10(1 - share) }

func latencyCurve(runs []*result.Run, names []string) (*drawing, error) {
	var lines []series
	for i, r := range runs {
		var xy plotter.XYs
		for _, p := range r.Latency.Curve {
			if p.Share < 1 && p.Micros > 0 {
				xy = append(xy, plotter.XY{X: nines(p.Share), Y: float64(p.Micros) / 1e3})
			}
		}
		lines = append(lines, series{names[i], xy})
	}
	d, err := lineDrawing(lines, "share of deliveries", "ms")
	if d != nil {
		d.logY()
		d.shareTicks()
	}
	return d, err
}

func latencyBins(runs []*result.Run, names []string) (*drawing, error) {
	var lines []series
	for i, r := range runs {
		var xy plotter.XYs
		for _, b := range r.Latency.Bins {
			xy = append(xy, plotter.XY{X: float64(b.To) / 1e3, Y: 100 * float64(b.Count) / float64(r.Latency.Count)})
		}
		if len(xy) > 0 { // down to the axis on both sides
			first, last := xy[0], xy[len(xy)-1]
			xy = append(plotter.XYs{{X: first.X / 1.1}}, append(xy, plotter.XY{X: last.X * 1.1})...)
		}
		lines = append(lines, series{names[i], xy})
	}
	d, err := lineDrawing(lines, "ms", "% of deliveries")
	if d != nil {
		d.logX()
	}
	return d, err
}

// overTime draws a value of the samples, where there is one.
func overTime(runs []*result.Run, names []string, unit string, value func(result.Sample) (float64, bool)) (*drawing, error) {
	var lines []series
	for i, r := range runs {
		var xy plotter.XYs
		for _, s := range r.Samples {
			if v, ok := value(s); ok {
				xy = append(xy, plotter.XY{X: s.At, Y: v})
			}
		}
		lines = append(lines, series{names[i], xy})
	}
	d, err := lineDrawing(lines, "seconds", unit)
	if d != nil {
		d.p.Y.Min = 0
	}
	return d, err
}

func memory(s result.Sample) (float64, bool) {
	sum := int64(0)
	for _, m := range s.Processes {
		sum += m.RSS
	}
	return float64(sum) / 1e6, len(s.Processes) > 0
}

func cores(s result.Sample) (float64, bool) {
	sum := 0.0
	for _, m := range s.Processes {
		sum += m.Cores
	}
	return sum, len(s.Processes) > 0
}
