//go:build linux

package bench

import (
	"reflect"
	"slices"

	"socketio-chat/pkg/load/result"
)

// measures is what one trial, or the median of several, has found. What a load does not show is 0.
type measures struct {
	Rate         float64 `json:"deliveriesPerSecond"`
	CPU          float64 `json:"cpuMicrosPerDelivery"`
	P50          float64 `json:"p50Micros"`
	P99          float64 `json:"p99Micros"`
	Faults       float64 `json:"faults"` // lost, twice, out of order, damaged, join notices missed, clients cut off or not let in
	IdleKB       float64 `json:"idleKBPerClient"`
	KernelKB     float64 `json:"kernelKBPerClient"`      // both ends of a connection
	IdleCPU      float64 `json:"idleCPUMicrosPerSecond"` // of a client, where nobody sends
	ConnectCPU   float64 `json:"connectCPUMicrosPerClient"`
	StormCPU     float64 `json:"stormCPUSeconds"`
	StormSeconds float64 `json:"stormSeconds"`
	Notices      float64 `json:"joinNotices"`
	Client       float64 `json:"loadClientCores"`
	Others       float64 `json:"otherCores"` // what else the machine was busy with
}

func measure(r *result.Run) measures {
	n := r.Counts
	m := measures{
		Rate:   r.Window.Rate(),
		CPU:    r.Window.MicrosPerDelivery(),
		P50:    float64(r.Latency.P50),
		P99:    float64(r.Latency.P99),
		Faults: float64(n.Lost+n.Duplicates+n.Reordered+n.Damaged) + float64(n.Left+r.Connect.Failed) + float64(r.Connect.Missed),
	}
	if s := r.Window.Seconds; s > 0.5 { // CPU time is known to 10 ms
		m.Client, m.Others = r.Window.Self/s, r.Window.Others/s
	}
	if joined := float64(r.Connect.Joined); joined > 0 {
		m.ConnectCPU = r.Connect.CPU() * 1e6 / joined
		var before, after int64
		for _, p := range r.Connect.Processes {
			before += p.RSSStart
		}
		for _, p := range r.Window.Processes {
			after += p.RSSEnd
		}
		m.IdleKB = float64(after-before) / 1024 / joined
		if start := r.Connect.KernelStart; start > 0 {
			m.KernelKB = float64(r.Window.KernelEnd-start) / 1024 / joined
		}
		if r.Window.Sent == 0 && r.Window.Seconds > 0 {
			m.IdleCPU = r.Window.CPU() * 1e6 / r.Window.Seconds / joined
		}
	}
	if r.Connect.Expected > 0 {
		m.StormCPU, m.StormSeconds = r.Connect.CPU(), r.Connect.NoticeSeconds
		m.Notices = float64(r.Connect.Notices)
	}
	return m
}

// median is taken for each measure by itself, except for faults, of which none may be hidden.
func median(trials []measures) measures {
	var m measures
	if len(trials) == 0 {
		return m
	}
	out := reflect.ValueOf(&m).Elem()
	for i := range out.NumField() {
		values := make([]float64, len(trials))
		for j := range trials {
			values[j] = reflect.ValueOf(trials[j]).Field(i).Float()
		}
		slices.Sort(values)
		out.Field(i).SetFloat(middle(values))
	}
	for _, t := range trials {
		m.Faults = max(m.Faults, t.Faults)
	}
	return m
}

// middle is the median of values, which are sorted.
func middle(values []float64) float64 {
	mid := len(values) / 2
	if len(values)%2 == 0 {
		return (values[mid-1] + values[mid]) / 2
	}
	return values[mid]
}
