//go:build linux

package run

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/load/result"
)

func mustRun(t testing.TB, cfg Config) *result.Run {
	t.Helper()
	r, err := Run(testContext(t), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFaultlessServer(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"closed loop":   func(*Config) {},
		"fixed rate":    func(c *Config) { c.InFlight, c.Rate = 0, 500 },
		"two threads":   func(c *Config) { c.Threads = 2 },
		"long texts":    func(c *Config) { c.Size = 70_000 },
		"ramp":          func(c *Config) { c.Ramp = 50 * time.Millisecond },
		"sources":       func(c *Config) { c.Sources = []string{"127.0.0.2", "127.0.0.3"} },
		"nobody sends":  func(c *Config) { c.Senders = 0 },
		"everyone does": func(c *Config) { c.Senders = c.Clients },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := short(startRelay(t, nil).url)
			change(&cfg)
			r := mustRun(t, cfg)
			// A busy machine may let a short window pass without a message.
			for cfg.Senders > 0 && r.Window.Deliveries == 0 && cfg.Duration < 5*time.Second {
				cfg.Duration *= 4
				r = mustRun(t, cfg)
			}
			c := r.Counts
			if !c.Faultless() || c.Delivered != c.Expected || c.Expected != c.Sent*uint64(cfg.Clients) || c.Stalls != 0 {
				t.Errorf("%+v", c)
			}
			if cfg.Senders > 0 && (c.Sent == 0 || r.Window.Deliveries == 0 || r.Latency.Count == 0) {
				t.Errorf("sent %d, window %+v, %d latencies", c.Sent, r.Window, r.Latency.Count)
			}
			if r.Latency.Count > c.Delivered || r.Window.Deliveries > c.Delivered {
				t.Errorf("%d latencies and %d in the window, of %d", r.Latency.Count, r.Window.Deliveries, c.Delivered)
			}
			if r.Connect.Joined != cfg.Clients || r.Connect.Failed != 0 {
				t.Errorf("%+v", r.Connect)
			}
		})
	}
}

// Two servers that know nothing of each other: half of all deliveries are missing, exactly.
func TestSeveralServers(t *testing.T) {
	cfg := short(startRelay(t, nil).url, startRelay(t, nil).url)
	cfg.Senders = 6
	c := mustRun(t, cfg).Counts
	if c.Lost*2 != c.Expected || c.Delivered*2 != c.Expected || c.Sent == 0 {
		t.Errorf("%+v", c)
	}
}

// Whatever a server does wrong, the counts are exact.
func TestFaultsAreCounted(t *testing.T) {
	// Receiver 2 suffers at every fifth message.
	victim := func(fault func(message string, held *string) []string) func(*relay) {
		return func(r *relay) {
			var held string
			r.deliver = func(receiver, k int, message string) []string {
				if receiver == 2 && k%5 == 0 || receiver == 2 && held != "" {
					return fault(message, &held)
				}
				return []string{message}
			}
		}
	}
	for _, tt := range []struct {
		name  string
		fault func(message string, held *string) []string
		check func(c result.Counts, faults uint64) bool
	}{
		{"lost", func(string, *string) []string { return nil },
			func(c result.Counts, n uint64) bool { return c.Lost == n && c.Duplicates+c.Reordered+c.Damaged == 0 }},
		{"twice", func(m string, _ *string) []string { return []string{m, m} },
			func(c result.Counts, n uint64) bool { return c.Duplicates == n && c.Lost+c.Reordered+c.Damaged == 0 }},
		{"damaged", func(m string, _ *string) []string { return []string{strings.Replace(m, "..", ".!", 1)} },
			func(c result.Counts, n uint64) bool {
				return c.Damaged == n && c.Lost == n && c.Duplicates+c.Reordered == 0
			}},
		{"other JSON", func(m string, _ *string) []string { return []string{strings.Replace(m, `,"text"`, `, "text"`, 1)} },
			func(c result.Counts, _ uint64) bool { return c.Faultless() }},
		{"overtaken", func(m string, held *string) []string {
			if *held == "" {
				*held = m
				return nil
			}
			both := []string{m, *held}
			*held = ""
			return both
		}, func(c result.Counts, n uint64) bool {
			return c.Reordered+c.Lost == n && c.Lost <= 1 && c.Duplicates+c.Damaged == 0
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := short(startRelay(t, victim(tt.fault)).url)
			cfg.Senders, cfg.InFlight, cfg.Rate = 1, 0, 1000 // one sender: what it sends is what is relayed
			c := mustRun(t, cfg).Counts
			if faults := (c.Sent + 4) / 5; !tt.check(c, faults) || c.Delivered+c.Lost != c.Expected {
				t.Errorf("%d faults: %+v", faults, c)
			}
		})
	}
}

func TestDeafServerLosesEverything(t *testing.T) {
	cfg := short(startRelay(t, func(r *relay) { r.deaf = true }).url)
	c := mustRun(t, cfg).Counts
	if c.Sent != 6 || c.Lost != 36 || c.Delivered != 0 { // 3 senders with 2 messages in flight, 6 receivers
		t.Errorf("%+v", c)
	}
}

func TestClientsCutOff(t *testing.T) {
	r := startRelay(t, func(r *relay) {
		r.deliver = func(receiver, k int, message string) []string {
			if receiver == 0 && k == 3 {
				r.conns[0].Close()
			}
			return []string{message}
		}
	})
	got := mustRun(t, short(r.url))
	if c := got.Counts; c.Left != 1 || c.LeftReason == "" || c.Lost == 0 || c.Faultless() {
		t.Errorf("%+v", c)
	}
}

func TestJoinNotices(t *testing.T) {
	cfg := short(startRelay(t, func(r *relay) { r.notice = true }).url)
	cfg.AwaitJoins = true
	r := mustRun(t, cfg)
	if c := r.Connect; c.Notices != 21 || c.Expected != 21 || c.Missed != 0 || c.NoticeSeconds <= 0 {
		t.Errorf("%+v", c)
	}
	if !r.Counts.Faultless() || r.Counts.Notices != 21 {
		t.Errorf("%+v", r.Counts)
	}
}

func TestMissedJoinNotices(t *testing.T) {
	cfg := short(startRelay(t, nil).url) // this one announces nobody
	cfg.AwaitJoins = true
	if c := mustRun(t, cfg).Connect; c.Missed != 21 || c.Notices != 0 {
		t.Errorf("%+v", c)
	}
}

func TestShortfall(t *testing.T) {
	for _, tt := range []struct {
		heard []uint64
		want  uint64
	}{
		{nil, 0},
		{[]uint64{3, 2, 1}, 0},
		{[]uint64{1, 3, 2}, 0},
		{[]uint64{4, 4, 2}, 0}, // some heard of earlier ones too
		{[]uint64{3, 1, 1}, 1}, // the second missed one
		{[]uint64{9, 9, 0}, 1}, // others' surplus makes nothing good
		{[]uint64{0, 0, 0}, 6},
	} {
		if got := shortfall(slices.Clone(tt.heard)); got != tt.want {
			t.Errorf("%v: %d missed, want %d", tt.heard, got, tt.want)
		}
	}
}

func TestNoServer(t *testing.T) {
	r := startRelay(t, nil)
	cfg := short(strings.Replace(r.url, "127.0.0.1", "127.0.0.77", 1)) // its own port, on an address where nobody listens
	out, err := Run(testContext(t), cfg, nil)
	if err == nil || !strings.Contains(err.Error(), "no client could join") {
		t.Errorf("%v", err)
	}
	if out == nil || out.Connect.Failed != cfg.Clients || out.Connect.Reason == "" {
		t.Errorf("%+v", out)
	}
}

// watching cancels its run at the first sample.
type watching struct {
	samples []result.Sample
	cancel  context.CancelFunc
}

func (w *watching) Progress(s result.Sample) {
	w.samples = append(w.samples, s)
	if w.cancel != nil {
		w.cancel()
	}
}

func TestStopEarly(t *testing.T) {
	cfg := short(startRelay(t, nil).url)
	cfg.Duration = time.Hour
	cfg.PIDs = []int{os.Getpid()}
	ctx, cancel := context.WithCancel(testContext(t))
	w := &watching{cancel: cancel}
	r, err := Run(ctx, cfg, w)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if len(w.samples) == 0 || len(r.Samples) < len(w.samples) || r.Counts.Sent == 0 || r.Window.Deliveries == 0 {
		t.Fatalf("%d samples shown, %d kept, %+v", len(w.samples), len(r.Samples), r.Window)
	}
	s := w.samples[0]
	if s.Connected != cfg.Clients || s.Deliveries <= 0 || s.P99 < s.P50 || len(s.Processes) != 1 || s.Processes[0].RSS <= 0 {
		t.Errorf("%+v", s)
	}
	if p := r.Window.Processes; len(p) != 1 || p[0].RSSEnd <= 0 || r.Window.CPU() <= 0 {
		t.Errorf("%+v", p)
	}
}

// Clients that watch presence ask once, and neither the answer nor changes are messages.
func TestWatching(t *testing.T) {
	relay := startRelay(t, nil)
	cfg := short(relay.url)
	cfg.Watch = true
	r := mustRun(t, cfg)
	relay.mu.Lock()
	defer relay.mu.Unlock()
	if c := r.Counts; relay.watch != cfg.Clients || !c.Faultless() || c.Foreign != 0 {
		t.Errorf("%d watch, %+v", relay.watch, c)
	}
}
