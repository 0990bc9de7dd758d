package chaos

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"socketio-chat/pkg/testenv"
)

var (
	long = flag.Bool("long", false, "run the long form of TestChaos")
	only = flag.String("only", "", "run the faults that this regular expression matches only")
)

// TestChaos lets each fault happen in each mode.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute; run without -short")
	}
	testenv.Programs(t, "redis-server")
	path := testenv.Server(t)
	var printing sync.Mutex
	var table strings.Builder
	fmt.Fprintf(&table, "%-9s %-32s %6s %13s %13s %8s %9s %5s %7s %6s %9s\n", "mode", "fault", "said",
		"own: lost/due", "other: lost/due", "counted", "away lost", "moved", "recov.", "2x/dis", "heal")
	t.Run("modes", func(t *testing.T) {
		for _, m := range modes {
			if m.long && !*long {
				continue
			}
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				lines := m.run(t, path)
				printing.Lock()
				defer printing.Unlock()
				table.WriteString(lines)
			})
		}
	})
	t.Logf("what was said, and what of it reached whom:\n%s", table.String())
}

// run is one mode's part of the table.
func (m mode) run(t *testing.T, path string) string {
	w := newWorld(t, path, m, 3)
	w.join(3)
	w.listen()
	w.settle()
	wanted := regexp.MustCompile(*only)
	if !*long && *only == "" {
		wanted = regexp.MustCompile(m.short)
	}
	var lines strings.Builder
	for _, f := range faults {
		last := f.short
		if *long {
			last = f.long
		}
		if last == 0 || !wanted.MatchString(f.name) {
			continue
		}
		sum := w.suffer(f, last)
		fmt.Fprintf(&lines, "%-9s %-32s %6d %6d/%6d %6d/%8d %8s %4d/%4d %5d %7d %3d/%2d %9s\n", m.name, f.name, sum.said, sum.lostOwn, sum.dueOwn,
			sum.lostCross, sum.dueCross, sum.confession(), sum.awayMissed, sum.away, sum.moved, sum.recovered, sum.twice, sum.disorder, sum.heal.Round(time.Millisecond))
		m.judge(t, f, sum)
	}
	return lines.String()
}

// suffer lets a fault last while everybody talks, and counts afterwards.
func (w *world) suffer(f fault, last time.Duration) tallied {
	w.home()
	w.settle()
	before, counts := w.confessed()
	c := w.open()
	silence := w.talk(20 * time.Millisecond)
	w.spoken(c, 10)
	mend := f.strike(w)
	time.Sleep(last) // the fault lasts
	mend()
	mended := time.Now()
	w.ready()
	w.gathered()
	w.spoken(w.open(), 10)
	silence()
	w.settle()
	sum := c.close(mended)
	if after, ok := w.confessed(); ok && counts && !f.killsCounters {
		sum.confessed, sum.counts = after-before, true
	}
	return sum
}

// spoken waits until everybody has said n words of a chapter.
func (w *world) spoken(c chapter, n int) {
	w.t.Helper()
	for i, p := range w.people {
		if p.speaks() {
			eventually(w.t, p.name+" speaks", func() bool { return p.lastSaid() >= c.said[i]+n })
		}
	}
}

func (s tallied) confession() string {
	if !s.counts {
		return "-"
	}
	return fmt.Sprint(s.confessed)
}

// judge asserts what is promised.
func (m mode) judge(t *testing.T, f fault, s tallied) {
	t.Helper()
	complain := func(what string) { t.Errorf("%s, %s: %s: %+v", m.name, f.name, what, s) }
	switch {
	case s.twice > 0:
		complain("something came twice")
	case s.disorder > 0:
		complain("something came out of order")
	case s.lostOwn > 0:
		complain("something was lost on the speaker's own instance")
	case m.lossless && s.lostCross > 0 && !f.losesData:
		complain("something was lost across instances")
	case s.lostCross > 0 && s.counts && s.confessed == 0:
		complain("something was lost across instances, and no counter says so")
	case s.awayOwed > 0:
		complain("a recovered session is incomplete")
	case m.recovers && f.recoverable && s.begunAnew > 0:
		complain("a session was not recovered")
	case !f.moves && s.moved > 0:
		complain("somebody lost the connection")
	case s.dueOwn == 0 || s.dueCross == 0:
		complain("nothing was due")
	}
}
