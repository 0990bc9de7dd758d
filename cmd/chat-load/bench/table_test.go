//go:build linux

package bench

import (
	"strings"
	"testing"

	"socketio-chat/pkg/load/result"
)

func TestEveryRowCanBeMade(t *testing.T) {
	for _, timing := range []timing{fullTiming, quickTiming} {
		for _, r := range table(timing) {
			var variants []Variant
			for _, v := range r.variants {
				variants = append(variants, Variant{Name: v.name})
			}
			for _, v := range r.variants {
				cfg := v.load
				cfg.Servers = []string{"http://127.0.0.1:1"}
				if err := cfg.Validate(); err != nil {
					t.Errorf("%s, %s: %v", r.name, v.name, err)
				}
				if cfg.AllowRemote || v.load.Servers != nil {
					t.Errorf("%s, %s: leaves this machine", r.name, v.name)
				}
			}
			// What was not measured never passes, except that nothing cannot be faulty; and every name is in the row.
			for _, c := range r.judge(variants).Checks {
				if c.Verdict != short && c.Target != "0 faults" {
					t.Errorf("%s: %+v", r.name, c)
				}
			}
		}
	}
}

// The whole table keeps its time even if every load takes as long as it may, which only an overloaded server makes it.
func TestWholeTableIsShort(t *testing.T) {
	for _, timing := range []timing{fullTiming, quickTiming} {
		seconds := 0.0
		for _, r := range table(timing) {
			repeats := timing.repeatsOf(r)
			for _, v := range r.variants {
				seconds += float64(repeats) * (v.load.Warmup + v.load.Duration).Seconds()
			}
		}
		if limit := timing.total.Seconds() * 0.75; seconds > limit {
			t.Errorf("%v s of loads, want at most %v", seconds, limit)
		}
	}
}

func TestTargets(t *testing.T) {
	own := func(trials ...measures) []Variant {
		return []Variant{{Name: ours, Trials: trials, Median: median(trials)}}
	}
	against := func(other measures, trials ...measures) []Variant {
		others := make([]measures, len(trials))
		for i := range others {
			others[i] = other
		}
		return append(own(trials...), Variant{Name: uws, Trials: others, Median: other})
	}
	memory := target{unit: "KB", of: noteMemory.of, limit: 8}
	for _, tt := range []struct {
		target   target
		variants []Variant
		want     string
		verdict  verdict
	}{
		{rate(uws, 12), against(measures{Rate: 100}, measures{Rate: 1300}), "13× (1300 /s to 100)", pass},
		{rate(uws, 12), against(measures{Rate: 100}, measures{Rate: 1100}), "11× (1100 /s to 100)", short},
		{cpu(uws, 1.0/8), against(measures{CPU: 10}, measures{CPU: 1}), "1/10 (1 µs to 10)", pass},
		{cpu(uws, 1.0/8), against(measures{CPU: 4}, measures{CPU: 1}), "1/4 (1 µs to 4)", short},
		{cpu(uws, 1.15), against(measures{CPU: 1}, measures{CPU: 1.15}), "1.15× (1.15 µs to 1)", pass},
		{cpu(uws, 1.15), against(measures{CPU: 1}, measures{CPU: 1.2}), "1.2× (1.2 µs to 1)", short},
		{cpu(uws, 1.15), against(measures{CPU: 1}, measures{}), "not measured", short},
		{cpu(uws, 1.15), append(own(measures{CPU: 1}), Variant{Name: uws, Skipped: "no npm"}), "not measured", skipped},
		{p99(uws, 1), against(measures{P99: 1000}, measures{P99: 900}, measures{P99: 1100}, measures{P99: 800}), "0.9× (0.9 ms to 1)", pass},
		{p99(uws, 1).everyTime(), against(measures{P99: 1000}, measures{P99: 900}, measures{P99: 1100}, measures{P99: 800}), "1.1× (0.9 ms to 1)", short},
		{memory, own(measures{IdleKB: 7.5}), "7.5 KB", pass},
		{memory, own(measures{IdleKB: 8.1}), "8.1 KB", short},
		{memory, own(measures{IdleKB: -1}), "not measured", short},
	} {
		if got := tt.target.judge(tt.variants); got.Measured != tt.want || got.Verdict != tt.verdict {
			t.Errorf("%+v, want %q, %v", got, tt.want, tt.verdict)
		}
	}
}

func TestFaultsAndNotices(t *testing.T) {
	for _, tt := range []struct {
		check   func([]Variant) check
		m       measures
		want    string
		verdict verdict
	}{
		{faultless, measures{Faults: 1}, "1", short},
		{faultless, measures{}, "0", pass},
		{everyNotice, measures{Notices: 2_001_000}, "2001000", pass},
		{everyNotice, measures{Notices: 2_001_005}, "2001005", pass},
		{everyNotice, measures{Notices: 2_000_999}, "2000999", short},
		{everyNotice, measures{Notices: 2_001_005, Faults: 1}, "2001005", short},
	} {
		if got := tt.check([]Variant{{Median: tt.m}}); got.Measured != tt.want || got.Verdict != tt.verdict {
			t.Errorf("%+v, want %q, %v", got, tt.want, tt.verdict)
		}
	}
}

func TestSpread(t *testing.T) {
	trials := func(rates ...float64) (all []measures) {
		for _, r := range rates {
			all = append(all, measures{Rate: r})
		}
		return all
	}
	for _, tt := range []struct {
		trials []measures
		want   float64
	}{
		{trials(), 0}, {trials(5), 0}, {trials(0, 0), 0}, {trials(5, 5), 0}, {trials(9, 10, 12), 0.3}, {trials(12, 9, 10, 10), 0.3},
	} {
		if got := spread(tt.trials, noteRate.of) - tt.want; got > 1e-9 || got < -1e-9 {
			t.Errorf("%+v: off by %v", tt.trials, got)
		}
	}
	r := row{targets: []target{rate(uws, 1)}}
	out := r.judge([]Variant{{Name: ours, Trials: trials(10, 10)}, {Name: uws, Trials: trials(10, 15)}})
	if got := out.spread(); got < 0.39 || got > 0.41 {
		t.Errorf("the row's spread is %v, want the peer's 0.4", got)
	}
}

func TestMedian(t *testing.T) {
	got := median([]measures{{Rate: 3, CPU: 1}, {Rate: 1, CPU: 9, Faults: 5}, {Rate: 2, CPU: 2}})
	if got.Rate != 2 || got.CPU != 2 || got.Faults != 5 {
		t.Errorf("%+v", got)
	}
	if got := median([]measures{{Rate: 1}, {Rate: 2}}); got.Rate != 1.5 {
		t.Errorf("%+v", got)
	}
	if got := median(nil); got != (measures{}) {
		t.Errorf("%+v", got)
	}
}

func TestMeasure(t *testing.T) {
	r := &result.Run{
		Connect: result.Connect{
			Joined: 10, Failed: 1, Notices: 55, Expected: 55, Missed: 2, NoticeSeconds: 3,
			KernelStart: 1 << 20, Processes: []result.Usage{{CPU: 0.2, RSSStart: 1 << 20}, {CPU: 0.3, RSSStart: 1 << 20}},
		},
		Window: result.Window{
			Seconds: 2, Deliveries: 1000, Self: 1, Others: 0.5,
			KernelEnd: 1<<20 + 70<<10, Processes: []result.Usage{{CPU: 0.002, RSSEnd: 1<<20 + 50<<10}, {CPU: 0.001, RSSEnd: 1<<20 + 30<<10}},
		},
		Counts:  result.Counts{Lost: 4, Left: 1},
		Latency: result.Latency{P50: 5, P99: 9},
	}
	want := measures{
		Rate: 500, CPU: 3, P50: 5, P99: 9, Faults: 8, IdleKB: 8, ConnectCPU: 50_000, StormCPU: 0.5, StormSeconds: 3, Notices: 55,
		Client: 0.5, Others: 0.25, KernelKB: 7, IdleCPU: 150,
	}
	if got := measure(r); got != want {
		t.Errorf("%+v, want\n%+v", got, want)
	}
}

func TestPrint(t *testing.T) {
	r := Report{Quick: true, Rows: []Row{
		{
			Name: "light", Variants: []Variant{{Name: ours, Median: measures{Others: 1}}, {Name: bun4, Skipped: "no registry"}}, Notes: []string{"of note"}, Again: true,
			Checks: []check{{What: "CPU a delivery", Against: floorGo, Target: "≤ 1.15×", Measured: "2× (2 µs to 1)", Spread: 0.31, Verdict: short}},
		},
		{Name: "brisk", Checks: []check{
			{What: "p99", Against: node4, Target: "≤ 1/50", Measured: "1/100 (1 ms to 100)", Verdict: pass},
			{What: "p99", Against: bun4, Target: "≤ 1×", Measured: "not measured", Verdict: skipped},
		}},
		{Name: "storm", Error: "no server"},
	}}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"light  CPU a delivery  bare Go          ≤ 1.15×  2× (2 µs to 1)       31 %    SHORT",
		"brisk  p99             socket.io 4.8.4  ≤ 1/50   1/100 (1 ms to 100)  –       pass",
		"brisk  p99             … on Bun         ≤ 1×     not measured         –       skipped",
		"FAILED", "QUICK", "1.0 cores busy", "light: of note", "light: … on Bun was SKIPPED: no registry", "light: measured twice as often",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if r.Passed() {
		t.Error("passed")
	}
	if !(&Report{Rows: r.Rows[1:2]}).Passed() {
		t.Error("a row without shortfalls has not passed")
	}
}
