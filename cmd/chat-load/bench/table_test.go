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
			medians := make([]measures, len(r.variants))
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
			// What was not measured never passes, except that nothing cannot be faulty.
			for _, c := range r.checks(medians) {
				if c.Pass && c.Target != "0 faults" {
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
			repeats := timing.repeats
			if r.heavy() {
				repeats = timing.heavyRepeats
			}
			for _, v := range r.variants {
				seconds += float64(repeats) * (v.load.Warmup + v.load.Duration).Seconds()
			}
		}
		if limit := timing.total.Seconds() * 0.75; seconds > limit {
			t.Errorf("%v s of loads, want at most %v", seconds, limit)
		}
	}
}

func TestChecks(t *testing.T) {
	for _, tt := range []struct {
		check check
		want  string
		pass  bool
	}{
		{atLeast("x", "/s", 1300, 100, 12), "13× (1300 /s to 100)", true},
		{atLeast("x", "/s", 1100, 100, 12), "11× (1100 /s to 100)", false},
		{atMost("x", "µs", 1, 10, 1.0/8), "1/10 (1 µs to 10)", true},
		{atMost("x", "µs", 1, 4, 1.0/8), "1/4 (1 µs to 4)", false},
		{atMost("x", "µs", 1.15, 1, 1.15), "1.15× (1.15 µs to 1)", true},
		{atMost("x", "µs", 1.2, 1, 1.15), "1.2× (1.2 µs to 1)", false},
		{atMost("x", "µs", 0, 1, 1.15), "not measured", false},
		{below("x", "KB", 7.5, 8), "7.5 KB", true},
		{below("x", "KB", 8.1, 8), "8.1 KB", false},
		{below("x", "KB", -1, 8), "-1 KB", false},
		{faultless(measures{Faults: 1}), "1", false},
		{faultless(measures{}), "0", true},
		{everyNotice(measures{Notices: 2_001_000}), "2001000", true},
		{everyNotice(measures{Notices: 2_001_005}), "2001005", true},
		{everyNotice(measures{Notices: 2_000_999}), "2000999", false},
		{everyNotice(measures{Notices: 2_001_005, Faults: 1}), "2001005", false},
	} {
		if tt.check.Measured != tt.want || tt.check.Pass != tt.pass {
			t.Errorf("%+v, want %q, %v", tt.check, tt.want, tt.pass)
		}
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
			Processes: []result.Usage{{CPU: 0.2, RSSStart: 1 << 20}, {CPU: 0.3, RSSStart: 1 << 20}},
		},
		Window: result.Window{
			Seconds: 2, Deliveries: 1000, Self: 1, Others: 0.5,
			Processes: []result.Usage{{CPU: 0.002, RSSEnd: 1<<20 + 50<<10}, {CPU: 0.001, RSSEnd: 1<<20 + 30<<10}},
		},
		Counts:  result.Counts{Lost: 4, Left: 1},
		Latency: result.Latency{P50: 5, P99: 9},
	}
	want := measures{
		Rate: 500, CPU: 3, P50: 5, P99: 9, Faults: 8, IdleKB: 8, ConnectCPU: 50_000, StormCPU: 0.5, StormSeconds: 3, Notices: 55,
		Client: 0.5, Others: 0.25,
	}
	if got := measure(r); got != want {
		t.Errorf("%+v, want\n%+v", got, want)
	}
}

func TestPrint(t *testing.T) {
	r := Report{Quick: true, Rows: []Row{
		{Name: "light", Variants: []Variant{{Name: "ours", Median: measures{Others: 1}}, {Name: "socket.io 4.8.4"}, {Name: "bare Go"}},
			Checks: []check{atMost("CPU a delivery", "µs", 2, 1, 1.15)}},
		{Name: "brisk", Variants: []Variant{{Name: "ours"}, {Name: "socket.io 4.8.4"}},
			Checks: []check{atMost("p99", "ms", 1, 100, 1.0/50), faultless(measures{})}},
		{Name: "storm", Error: "no server"},
	}}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"light  CPU a delivery                bare Go          ≤ 1.15×   2× (2 µs to 1)       SHORT",
		"brisk  p99                           socket.io 4.8.4  ≤ 1/50    1/100 (1 ms to 100)  pass",
		"brisk  nothing lost or out of order  –                0 faults  0                    pass",
		"FAILED", "QUICK", "1.0 cores busy",
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
