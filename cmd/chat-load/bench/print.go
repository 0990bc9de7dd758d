//go:build linux

package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"socketio-chat/pkg/load/result"
)

// Report is what a bench has found.
type Report struct {
	Started time.Time      `json:"started"`
	Seconds float64        `json:"seconds"`
	Machine result.Machine `json:"machine"`
	Quick   bool           `json:"quick"`
	Rows    []Row          `json:"rows"`
}

// Row is one line of the table, with all its trials.
type Row struct {
	Name     string    `json:"name"`
	Work     string    `json:"work"`
	Variants []Variant `json:"variants"`
	Checks   []check   `json:"checks"`
	Notes    []string  `json:"notes,omitempty"`
	Again    bool      `json:"again,omitempty"` // measured twice as often, because the trials differed
	Error    string    `json:"error,omitempty"` // why the row could not be measured
}

// Variant is one server and load of a row.
type Variant struct {
	Name    string     `json:"name"`
	Median  measures   `json:"median"`
	Trials  []measures `json:"trials"`
	Skipped string     `json:"skipped,omitempty"` // why the server could not be measured
}

// busy is how many cores of other programs' work make a bench doubtful.
const busy = 0.2

// Print writes the table: target, measured, pass or short.
func (r *Report) Print(out io.Writer) error {
	m := r.Machine
	fmt.Fprintf(out, "\n%s, %d cores, %.0f GB, %s; %s, %.0f s", m.CPU, m.Cores, float64(m.Memory)/1e9, m.OS, r.Started.Format(time.DateOnly), r.Seconds)
	if r.Quick {
		fmt.Fprint(out, "; QUICK: short windows, not for quoting")
	}
	fmt.Fprint(out, "\nmeasured: the ratio of the medians, and the two medians; spread: of the trials, greatest less least over the median\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "row\twhat\tagainst\ttarget\tmeasured\tspread\t")
	for _, row := range r.Rows {
		if row.Error != "" {
			fmt.Fprintf(w, "%s\t\t\t\tnot measured\t\tFAILED\n", row.Name)
		}
		for _, c := range row.Checks {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
				row.Name, c.What, cmp.Or(c.Against, "–"), c.Target, c.Measured, c.spread(), c.Verdict)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	for _, row := range r.Rows {
		for _, line := range row.notes() {
			fmt.Fprintf(out, "\n%s: %s\n", row.Name, line)
		}
	}
	if others := r.others(); others > busy {
		fmt.Fprintf(out, "\nOther programs kept %.1f cores busy meanwhile: repeat this on a quiet machine.\n", others)
	}
	return nil
}

func (c check) spread() string {
	if c.Spread == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*c.Spread)
}

// notes are what is said below the table.
func (r Row) notes() []string {
	notes := slices.Clone(r.Notes)
	for _, v := range r.Variants {
		if v.Skipped != "" {
			notes = append(notes, fmt.Sprintf("%s was SKIPPED: %s", v.Name, v.Skipped))
		}
	}
	if r.Again {
		notes = append(notes, fmt.Sprintf("measured twice as often, since the trials differed by over %.0f %%", 100*wildSpread))
	}
	return notes
}

// others is the greatest median of other programs' load.
func (r *Report) others() float64 {
	most := 0.0
	for _, row := range r.Rows {
		for _, v := range row.Variants {
			most = max(most, v.Median.Others)
		}
	}
	return most
}

// Passed says whether every target was met for which there was a peer to compare with.
func (r *Report) Passed() bool {
	for _, row := range r.Rows {
		if row.Error != "" {
			return false
		}
		for _, c := range row.Checks {
			if c.Verdict == short {
				return false
			}
		}
	}
	return true
}

// Save writes the report as JSON.
func (r *Report) Save(path string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// String is the line of one trial.
func (m measures) String() string {
	var parts []string
	add := func(v float64, format string, args ...any) {
		if v != 0 {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(m.Rate, "%s deliveries/s, CPU %s µs each, p50 %s ms, p99 %s ms", number(m.Rate), number(m.CPU), number(m.P50/1e3), number(m.P99/1e3))
	if m.Rate == 0 && m.StormSeconds == 0 {
		add(m.IdleKB, "%s KB a client", number(m.IdleKB))
		add(m.KernelKB, "%s KB of the kernel's", number(m.KernelKB))
		add(m.IdleCPU, "heartbeats %s µs/s a client", number(m.IdleCPU))
		add(m.ConnectCPU, "connecting %s µs CPU a client", number(m.ConnectCPU))
	}
	add(m.StormSeconds, "%.0f notices in %s s, CPU %s s", m.Notices, number(m.StormSeconds), number(m.StormCPU))
	add(m.Faults, "%.0f FAULTS", m.Faults)
	add(m.Client, "(client %.2f cores, others %.2f)", m.Client, m.Others)
	return strings.Join(parts, ", ")
}
