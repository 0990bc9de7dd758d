package chaos

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/e2e/schedule"
	"socketio-chat/pkg/e2e/verdict"
	"socketio-chat/pkg/testenv"
)

var (
	nemesisLast  = flag.Duration("nemesis", 8*time.Second, "how long each schedule of TestNemesis lasts")
	nemesisSeed  = flag.Uint64("seed", 1, "the first seed of TestNemesis")
	nemesisSeeds = flag.Int("seeds", 1, "how many seeds TestNemesis runs in each mode")
	nemesisModes = flag.String("modes", "both,streams,pubsub", "the modes that TestNemesis runs, divided by commas")
	nemesisText  = flag.String("schedule", "", "a schedule to run in place of those that the seeds make")
	nemesisFind  = flag.Duration("shrink", 5*time.Minute, "how long TestNemesis looks for the shortest schedule that still shows a violation")
)

// nemesisSpeakers is how many people talk in a nemesis.
const nemesisSpeakers = 9

// nemesisMode is a mode with the times of a nemesis: a drain that outlasts an outage of Redis, and sessions that are over
// soon after the run. The servers keep what is said.
func nemesisMode(name string) (mode, bool) {
	i := slices.IndexFunc(modes, func(m mode) bool { return m.name == name })
	if i < 0 {
		return mode{}, false
	}
	m := modes[i]
	m.env = append(slices.Clone(m.env), "DRAIN_SECONDS=10", "CHAT_HISTORY=100000")
	m.keeps = true
	if m.recovers {
		m.env = append(m.env, "RECOVERY_SECONDS=30")
	}
	return m, true
}

// TestNemesis draws schedules of faults from seeds, lets them happen while people talk, and holds each mode to what it
// promises. For a violation it prints the seed and the shortest schedule that it finds to show it as well.
func TestNemesis(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute; run without -short")
	}
	testenv.Programs(t, "redis-server")
	path := testenv.Server(t)
	t.Run("modes", func(t *testing.T) {
		for _, name := range strings.Split(*nemesisModes, ",") {
			m, ok := nemesisMode(name)
			if !ok {
				t.Fatalf("there is no mode %q", name)
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				sum := &verdict.Verdict{}
				for seed := *nemesisSeed; seed < *nemesisSeed+uint64(*nemesisSeeds); seed++ {
					s := kinds.Draw(seed, *nemesisLast)
					if *nemesisText != "" {
						var err error
						if s, err = kinds.Read(*nemesisText); err != nil {
							t.Fatal(err)
						}
					}
					if v := m.face(t, path, seed, s); v != nil {
						sum.Add(v)
					}
				}
				t.Logf("%s, all seeds:\n%s\n%v", name, verdict.Head, sum)
				if sum.Cut >= 50 && m.recovers && (sum.Cut-sum.Recovered)*50 > sum.Cut {
					t.Errorf("%d of %d cut clients were not recovered, more than one in fifty", sum.Cut-sum.Recovered, sum.Cut)
				}
			})
		}
	})
}

// face runs one schedule and reports what it finds.
func (m mode) face(t *testing.T, path string, seed uint64, s schedule.Schedule) *verdict.Verdict {
	t.Helper()
	tr, v := m.attempt(t, path, s)
	head := fmt.Sprintf("%s, seed %d, %d blows", m.name, seed, len(s))
	if !tr.Failed() {
		t.Logf("%s:\n%s\n%v", head, verdict.Head, v)
		if len(v.Examples) > 0 && testing.Verbose() {
			t.Logf("%s", strings.Join(v.Examples, "\n"))
		}
		return v
	}
	t.Errorf("%s: a promise is broken:\n%s\nschedule: %v", head, tr.text(), s)
	if v == nil {
		return nil
	}
	end := time.Now().Add(*nemesisFind)
	least := s.Shrink(func(less schedule.Schedule) bool {
		tr, _ := m.attempt(t, path, less)
		return tr.Failed()
	}, func() bool { return time.Now().Before(end) })
	if len(least) < len(s) {
		t.Errorf("%s: this still shows it:\n-modes %s -schedule %q", head, m.name, least)
	}
	return v
}

// attempt runs a schedule in a world of its own.
func (m mode) attempt(t testing.TB, path string, s schedule.Schedule) (*trial, *verdict.Verdict) {
	var v *verdict.Verdict
	m.env = append(slices.Clip(m.env), "LOG_LEVEL=debug") // each refusal is told
	tr := try(t, func(t testing.TB) {
		w := newWorld(t, path, m, firstPlaces)
		w.place()
		w.mingle()
		v = &verdict.Verdict{} // what fails from here on is the schedule's doing
		v = w.suffers(s)
		if len(v.Complaints) > 0 {
			t.Errorf("%s\n%s\n%v\n%s", strings.Join(v.Complaints, "; "), verdict.Head, v, strings.Join(v.Examples, "\n"))
		}
	})
	return tr, v
}

// mingle brings clients of several kinds: Go clients of protocol 4, one in three of protocol 3, and npm clients.
func (w *world) mingle() {
	for i := range nemesisSpeakers {
		old := i/firstPlaces == 2
		w.enter(&person{w: w, name: fmt.Sprintf("p%d", i), modern: !old, old: old, place: i % firstPlaces})
	}
	w.gathered()
	w.listen()
	w.settle()
}

// suffers lets everything of a schedule happen while everybody talks, waits until all is well again, and judges.
func (w *world) suffers(s schedule.Schedule) *verdict.Verdict {
	base := w.baseline()
	silence := w.talk(60 * time.Millisecond)
	kinds.Run(w, s)
	w.instances[sparePlace].end(0)
	w.ready()
	w.gathered()
	silence()
	w.settle()
	w.remembers()
	v := w.judge()
	w.backTo(base)
	return v
}

// judge finds the verdict on a mode's run that is over.
func (w *world) judge() *verdict.Verdict {
	people := make([]*verdict.Memory, len(w.people))
	for i, p := range w.people {
		p.mu.Lock()
		people[i] = &verdict.Memory{Name: p.name, Stays: p.stays, Said: p.said, Heard: p.heard, Listens: !p.speaks()}
		w.refusals.Tell(people[i])
		defer p.mu.Unlock()
	}
	ends := w.fates()
	v := verdict.Judge(people, ends, w.incidents.Rules(ends))
	if !w.mode.lossless && len(ends) == 0 && w.confessions() == 0 {
		v.Complain(v.LostCross, "were lost across instances, and no counter says so")
	}
	return v
}
