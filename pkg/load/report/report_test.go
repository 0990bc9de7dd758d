package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"socketio-chat/pkg/load/result"
)

// sampleRun is a small, complete result.
func sampleRun(label string, scale float64) *result.Run {
	h := result.NewHistogram()
	for i := range int64(2000) {
		h.Record(int64(float64(100+i*i/50) * scale))
	}
	r := &result.Run{Version: result.Version, Label: label, Latency: h.Latency()}
	r.Settings = result.Settings{Clients: 200, Senders: 20, Rate: 100, Size: 32, Transport: "websocket", Protocol: 4}
	r.Window = result.Window{Seconds: 10, Deliveries: 200_000, Processes: []result.Usage{{PID: 1, CPU: scale, RSSEnd: 50e6}}}
	for i := range 12 {
		r.Samples = append(r.Samples, result.Sample{
			At: float64(i), Deliveries: 20_000 * scale, P50: 300, P99: int64(900 * scale),
			Processes: []result.Moment{{PID: 1, Cores: 0.1 * scale, RSS: int64(5e7 * scale)}},
		})
	}
	return r
}

func render(t testing.TB, runs ...*result.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, runs); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOneRun(t *testing.T) {
	got := render(t, sampleRun("before", 1))
	if n := strings.Count(got, "<svg"); n != 6 { // two of latency, four over time; nothing to compare
		t.Errorf("%d plots", n)
	}
	for _, want := range []string{"before", "200 clients, websocket, protocol 4; 20 senders, 100 messages/s of 32 bytes", "20,000", "5.00 µs", "50.0 MB"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestComparison(t *testing.T) {
	if n := strings.Count(render(t, sampleRun("before", 2), sampleRun("after", 1)), "<svg"); n != 9 {
		t.Errorf("%d plots", n)
	}
}

// TestVerdicts: the page begins with what came out, run by run.
func TestVerdicts(t *testing.T) {
	before, after := sampleRun("before", 2), sampleRun("after", 1)
	for _, r := range []*result.Run{before, after} {
		r.Counts = result.Counts{Sent: 1000, Expected: 200_000, Delivered: 200_000}
	}
	bad := sampleRun("bad", 2)
	bad.Counts = result.Counts{Sent: 1, Lost: 1234, Left: 2}
	idle := &result.Run{Connect: result.Connect{Joined: 5000}}
	got := verdicts([]*result.Run{before, after, bad, idle}, []string{"before", "after", "bad", "idle"})
	for i, want := range []struct {
		good bool
		text string
	}{
		{true, "Every message arrived once and in order: 20,000 deliveries per second, 99 % of them within "},
		{true, "Compared with before: latency (p99) × 0.5, CPU per delivery × 0.5."},
		{false, "1,234 lost, 2 clients disconnected. About the same as before."},
		{true, "5,000 clients connected, nothing was sent."},
	} {
		if got[i].Good != want.good || !strings.Contains(got[i].Text, want.text) {
			t.Errorf("%d: %+v", i, got[i])
		}
	}
	page := render(t, before, after, bad)
	if strings.Count(page, "✓ ") != 2 || strings.Count(page, "✗ bad") != 1 {
		t.Error("the page does not begin with the verdicts")
	}
}

// TestRoundTicks: a reader finds 0, 5, 10, 15, not 3, 9, 15.
func TestRoundTicks(t *testing.T) {
	for _, tt := range []struct {
		from, to float64
		want     string
	}{
		{0, 17, "0 2 4 6 8 10 12 14 16"}, {0, 12, "0 2 4 6 8 10 12"}, {0, 100, "0 20 40 60 80 100"}, {0.3, 1.1, "0.4 0.6 0.8 1"},
		{0, 41_000, "0 10k 20k 30k 40k"}, {-3, 3, "-3 -2 -1 0 1 2 3"}, {5, 5, "5"},
	} {
		var labels []string
		for _, tick := range (roundTicks{}).Ticks(tt.from, tt.to) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != tt.want {
			t.Errorf("%g to %g: %s, want %s", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestMaxRuns(t *testing.T) {
	var runs []*result.Run
	for i := range MaxRuns + 1 {
		runs = append(runs, sampleRun(fmt.Sprint("run ", i), float64(i+1)))
	}
	render(t, runs[:MaxRuns]...)
	if Write(io.Discard, runs) == nil || Write(io.Discard, nil) == nil {
		t.Error("took too many runs, or none")
	}
}

// A run that measured nothing still makes a page.
func TestEmptyRun(t *testing.T) {
	got := render(t, &result.Run{Version: result.Version}, sampleRun("other", 1))
	if !strings.Contains(got, "run 1") {
		t.Error("the run without a label has no name")
	}
	render(t, &result.Run{})
}

func TestFaultsStandOut(t *testing.T) {
	r := sampleRun("bad", 1)
	r.Counts = result.Counts{Lost: 7, Expected: 100, LeftReason: "cut", Left: 2}
	got := render(t, r)
	for _, want := range []string{`<td class="bad">7 of 100</td>`, `<td class="bad">2: cut</td>`} {
		if !strings.Contains(got, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

// The page asks nobody for anything: no scripts, no links, no addresses but XML's names.
func TestSelfContained(t *testing.T) {
	got := render(t, sampleRun("a", 1), sampleRun("b", 2))
	for _, address := range regexp.MustCompile(`(?:https?:)?//[a-z][^"' <]*`).FindAllString(got, -1) {
		if !strings.HasPrefix(address, "http://www.w3.org/") {
			t.Errorf("the page names %s", address)
		}
	}
	if regexp.MustCompile(`(?i)<(script|link|img|iframe)|url\(|@import`).MatchString(got) {
		t.Error("the page loads something")
	}
}

// Labels come from command lines and files: they are text, in the page and in its plots.
func TestLabelsAreEscaped(t *testing.T) {
	got := render(t, sampleRun(`<script>alert(1)</script>&"'`, 1), sampleRun("b", 2))
	if strings.Contains(got, "<script") {
		t.Error("a label became an element")
	}
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(got, -1) {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a plot is no XML: %v", err)
			}
		}
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.html")
	if err := WriteFile(path, []*result.Run{sampleRun("a", 1)}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(b, []byte("<!DOCTYPE html>")) {
		t.Errorf("%.20q, %v", b, err)
	}
	if WriteFile(filepath.Join(path, "no", "such", "directory"), []*result.Run{sampleRun("a", 1)}) == nil {
		t.Error("wrote to nowhere")
	}
}
