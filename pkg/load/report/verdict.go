package report

import (
	"fmt"
	"strconv"
	"strings"

	"socketio-chat/pkg/load/display"
	"socketio-chat/pkg/load/result"
)

// verdict is a run in one sentence.
type verdict struct {
	Name, Text string
	Good       bool
}

// verdicts say of each run whether it was faultless, and of the later ones how they compare with the first.
func verdicts(runs []*result.Run, names []string) []verdict {
	all := make([]verdict, len(runs))
	for i, r := range runs {
		all[i] = judge(r)
		all[i].Name = names[i]
		if i > 0 {
			all[i].Text += compared(r, runs[0], names[0])
		}
	}
	return all
}

func judge(r *result.Run) verdict {
	n := r.Counts
	var faults []string
	for _, f := range []struct {
		count uint64
		what  string
	}{
		{n.Lost, "lost"}, {n.Duplicates, "delivered twice"}, {n.Reordered, "out of order"}, {n.Damaged, "damaged"},
		{uint64(n.Left), "clients disconnected"}, {uint64(r.Connect.Failed), "clients could not join"}, {r.Connect.Missed, "join notices missed"},
	} {
		if f.count > 0 {
			faults = append(faults, number(float64(f.count))+" "+f.what)
		}
	}
	if len(faults) > 0 {
		return verdict{Text: strings.Join(faults, ", ") + ". "}
	}
	if n.Sent == 0 {
		return verdict{Text: fmt.Sprintf("%s clients connected, nothing was sent. ", number(float64(r.Connect.Joined))), Good: true}
	}
	return verdict{Good: true, Text: fmt.Sprintf("Every message arrived once and in order: %s deliveries per second, 99 %% of them within %s. ",
		number(r.Window.Rate()), display.Micros(r.Latency.P99))}
}

// compared says how a run differs from another in what costs and what is felt; differences below a tenth are noise.
func compared(r, first *result.Run, name string) string {
	var parts []string
	for _, m := range []struct {
		what     string
		now, was float64
	}{
		{"deliveries per second", r.Window.Rate(), first.Window.Rate()},
		{"latency (p99)", float64(r.Latency.P99), float64(first.Latency.P99)},
		{"CPU per delivery", r.Window.MicrosPerDelivery(), first.Window.MicrosPerDelivery()},
	} {
		if m.now <= 0 || m.was <= 0 {
			continue
		}
		switch ratio := m.now / m.was; {
		case ratio > 1.1 || ratio < 0.9:
			parts = append(parts, fmt.Sprintf("%s × %.2g", m.what, ratio))
		}
	}
	if len(parts) == 0 {
		return "About the same as " + name + "."
	}
	return "Compared with " + name + ": " + strings.Join(parts, ", ") + "."
}

// number writes a whole number with commas between its thousands.
func number(v float64) string {
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
