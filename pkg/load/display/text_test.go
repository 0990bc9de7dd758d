package display

import (
	"strings"
	"testing"

	"socketio-chat/pkg/load/result"
)

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Micros(0), "0 µs"}, {Micros(999), "999 µs"}, {Micros(1000), "1 ms"}, {Micros(12_345), "12.3 ms"},
		{Micros(1_500_000), "1.5 s"}, {Micros(120_000_000), "120 s"},
		{Count(0), "0"}, {Count(999), "999"}, {Count(1234), "1.23k"}, {Count(2_555_000), "2.56M"},
		{Bytes(0), "0.0 MB"}, {Bytes(12_300_000), "12.3 MB"}, {Bytes(2_500_000_000), "2.5 GB"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

var sample = result.Sample{
	At: 12.3, Phase: "measuring", PhaseAt: 6.2, PhaseFor: 8, Connected: 200, Deliveries: 20_000, Sent: 100, P50: 800, P99: 2500, Missing: 3, Reordered: 1,
	Processes: []result.Moment{{PID: 42, Cores: 0.5, RSS: 16e6}},
}

func TestPlainLine(t *testing.T) {
	var b strings.Builder
	Plain{&b}.Progress(sample)
	want := "  12.3s  measuring, 6 of 8 s     connected 200  deliveries/s 20k  p50 800 µs  p99 2.5 ms  lost 3  reordered 1  [42: cpu 50% mem 16.0 MB]\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestNoTerminalMeansPlainLines(t *testing.T) {
	var b strings.Builder
	d := New(&b, false, "the title", func() { t.Error("cancelled") })
	d.Progress(sample)
	d.Close()
	if got := b.String(); !strings.HasPrefix(got, "the title\n") || strings.Count(got, "\n") != 2 || strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}

func TestSummary(t *testing.T) {
	r := &result.Run{
		Connect: result.Connect{Joined: 9, Failed: 1, Reason: "100% refused", Seconds: 0.5, Notices: 45, Expected: 45, NoticeSeconds: 0.6},
		Window:  result.Window{Seconds: 10, Deliveries: 1000, Processes: []result.Usage{{PID: 7, Name: "server", CPU: 0.01, RSSEnd: 9e6}}},
		Counts:  result.Counts{Sent: 100, Expected: 1000, Lost: 4, Left: 1, LeftReason: "cut", Stalls: 2, Inexact: true},
		Latency: result.Latency{P50: 100, P99: 200},
	}
	var b strings.Builder
	Summary(&b, r)
	for _, want := range []string{
		"9 in 0.50 s, 1 FAILED: 100% refused", "45 of 45, the last after 0.60 s", "1000, 100/s over 10.0 s", "p50 100 µs",
		"lost 4 of 1000", "1 clients: cut", "2 times a sender", "estimates", "server: CPU 0.01 s", "10.00 µs",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
