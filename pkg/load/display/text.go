package display

import (
	"fmt"
	"io"
	"strings"
	"time"

	"socketio-chat/pkg/load/result"
)

// Plain prints a line for each sample.
type Plain struct{ Out io.Writer }

// Progress implements run.Observer.
func (p Plain) Progress(s result.Sample) {
	var b strings.Builder
	fmt.Fprintf(&b, "%6.1fs  %-22s  connected %d", s.At, s.Progress(), s.Connected)
	if s.Notices > 0 {
		fmt.Fprintf(&b, "  notices/s %s", Count(s.Notices))
	}
	if s.Deliveries > 0 || s.Sent > 0 {
		fmt.Fprintf(&b, "  deliveries/s %s  p50 %s  p99 %s  lost %d  reordered %d",
			Count(s.Deliveries), Micros(s.P50), Micros(s.P99), s.Missing, s.Reordered)
	}
	for _, m := range s.Processes {
		fmt.Fprintf(&b, "  [%d: cpu %.0f%% mem %s]", m.PID, m.Cores*100, Bytes(m.RSS))
	}
	fmt.Fprintln(p.Out, b.String())
}

// minWindow is the shortest window, in seconds, whose CPU shares mean anything: CPU time is known to 10 ms.
const minWindow = 0.5

// Summary prints what a run found.
func Summary(out io.Writer, r *result.Run) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	c, w, n, l := r.Connect, r.Window, r.Counts, r.Latency
	line("connected", "%d in %.2f s%s", c.Joined, c.Seconds, ifAny(c.Failed, ", %d FAILED: "+escape(c.Reason)))
	if c.Notices > 0 {
		line("join notices", "%d%s", c.Notices, ofExpected(c))
	}
	if c.CPU() > 0 && c.Joined > 0 {
		line("", "server CPU %.2f s, %s a client", c.CPU(), Micros(int64(c.CPU()*1e6/float64(c.Joined))))
	}
	if n.Sent > 0 {
		line("deliveries", "%d, %s/s over %.1f s", w.Deliveries, Count(w.Rate()), w.Seconds)
		line("latency", "p50 %s  p90 %s  p99 %s  p99.9 %s  max %s", Micros(l.P50), Micros(l.P90), Micros(l.P99), Micros(l.P999), Micros(l.Max))
		line("faults", "lost %d of %d  duplicates %d  reordered %d  damaged %d", n.Lost, n.Expected, n.Duplicates, n.Reordered, n.Damaged)
	}
	if n.Left > 0 {
		line("cut off", "%d clients: %s", n.Left, n.LeftReason)
	}
	if n.Stalls > 0 {
		line("stalled", "%d times a sender gave up waiting for its own messages", n.Stalls)
	}
	if n.Inexact {
		line("note", "too many messages are missing to remember them all: duplicates and lost are estimates")
	}
	for _, p := range w.Processes {
		line(fmt.Sprintf("pid %d", p.PID), "%s: CPU %.2f s (%.0f%%), memory %s → %s", p.Name, p.CPU, 100*p.CPU/w.Seconds, Bytes(p.RSSStart), Bytes(p.RSSEnd))
	}
	if len(w.Processes) > 0 && w.Deliveries > 0 {
		line("", "server CPU a delivery: %.2f µs", w.MicrosPerDelivery())
	}
	if w.Seconds >= minWindow {
		line("this tool", "CPU %.2f s (%.0f%%); everything else on the machine %.2f s", w.Self, 100*w.Self/w.Seconds, w.Others)
	}
}

func ofExpected(c result.Connect) string {
	if c.Expected == 0 {
		return ""
	}
	return fmt.Sprintf(" of %d, the last after %.2f s; missed %d", c.Expected, c.NoticeSeconds, c.Missed)
}

func ifAny(n int, format string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}

func escape(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// Micros writes a number of microseconds for people: 250 µs, 1.25 ms, 3.1 s.
func Micros(us int64) string {
	d := time.Duration(us) * time.Microsecond
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", us)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(us)/1e3)
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}

// Count writes a large number for people: 950, 12.3k, 1.52M.
func Count(v float64) string {
	switch {
	case v < 1e3:
		return fmt.Sprintf("%.0f", v)
	case v < 1e6:
		return fmt.Sprintf("%.3gk", v/1e3)
	}
	return fmt.Sprintf("%.3gM", v/1e6)
}

// Bytes writes a size for people: 12.3 MB, 1.5 GB.
func Bytes(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
