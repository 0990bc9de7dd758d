package chaos

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

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
// soon after the run.
func nemesisMode(name string) (mode, bool) {
	i := slices.IndexFunc(modes, func(m mode) bool { return m.name == name })
	if i < 0 {
		return mode{}, false
	}
	m := modes[i]
	m.env = append(slices.Clone(m.env), "DRAIN_SECONDS=10")
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
				sum := &verdict{refusals: map[string]int{}}
				for seed := *nemesisSeed; seed < *nemesisSeed+uint64(*nemesisSeeds); seed++ {
					s := draw(seed, *nemesisLast)
					if *nemesisText != "" {
						var err error
						if s, err = readSchedule(*nemesisText); err != nil {
							t.Fatal(err)
						}
					}
					if v := m.face(t, path, seed, s); v != nil {
						sum.add(v)
					}
				}
				t.Logf("%s, all seeds:\n%s\n%v", name, verdictHead, sum)
				if sum.cut >= 50 && m.recovers && (sum.cut-sum.recovered)*50 > sum.cut {
					t.Errorf("%d of %d cut clients were not recovered, more than one in fifty", sum.cut-sum.recovered, sum.cut)
				}
			})
		}
	})
}

// face runs one schedule and reports what it finds.
func (m mode) face(t *testing.T, path string, seed uint64, s schedule) *verdict {
	t.Helper()
	tr, v := m.attempt(t, path, s)
	head := fmt.Sprintf("%s, seed %d, %d blows", m.name, seed, len(s))
	if !tr.Failed() {
		t.Logf("%s:\n%s\n%v", head, verdictHead, v)
		if len(v.examples) > 0 && testing.Verbose() {
			t.Logf("%s", strings.Join(v.examples, "\n"))
		}
		return v
	}
	t.Errorf("%s: a promise is broken:\n%s\nschedule: %v", head, tr.text(), s)
	if v == nil {
		return nil
	}
	if least := m.shrink(t, path, s); len(least) < len(s) {
		t.Errorf("%s: this still shows it:\n-modes %s -schedule %q", head, m.name, least)
	}
	return v
}

// attempt runs a schedule in a world of its own.
func (m mode) attempt(t testing.TB, path string, s schedule) (*trial, *verdict) {
	var v *verdict
	tr := try(t, func(t testing.TB) {
		w := newWorld(t, path, m, firstPlaces)
		w.place()
		w.mingle()
		v = &verdict{} // what fails from here on is the schedule's doing
		v = w.suffers(s)
		if len(v.complaints) > 0 {
			t.Errorf("%s\n%s\n%v\n%s", strings.Join(v.complaints, "; "), verdictHead, v, strings.Join(v.examples, "\n"))
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
func (w *world) suffers(s schedule) *verdict {
	base := w.baseline()
	silence := w.talk(60 * time.Millisecond)
	var blows sync.WaitGroup
	began := time.Now()
	var struck held
	for _, b := range s {
		blows.Go(func() {
			time.Sleep(time.Until(began.Add(b.at))) // its time has come
			defer struck.hold(fmt.Sprint(b.kindOf().on, b.n))()
			mend := b.kindOf().strike(w, b.n)
			time.Sleep(b.last) // it lasts
			mend()
		})
	}
	blows.Wait()
	w.instances[sparePlace].end(0)
	w.ready()
	w.gathered()
	silence()
	w.settle()
	v := w.judge()
	v.refusals = w.refusals()
	w.backTo(base)
	return v
}

// held makes what strikes one thing take turns: how long the end of a process takes, no schedule knows.
type held struct {
	mu    sync.Mutex
	locks map[string]*sync.Mutex
}

func (h *held) hold(what string) (release func()) {
	h.mu.Lock()
	if h.locks == nil {
		h.locks = map[string]*sync.Mutex{}
	}
	lock := h.locks[what]
	if lock == nil {
		lock = &sync.Mutex{}
		h.locks[what] = lock
	}
	h.mu.Unlock()
	lock.Lock()
	return lock.Unlock
}

// shrink looks for a shorter schedule that breaks a promise, leaving out ever smaller parts.
func (m mode) shrink(t *testing.T, path string, s schedule) schedule {
	end := time.Now().Add(*nemesisFind)
	for size := (len(s) + 1) / 2; size > 0 && time.Now().Before(end); size /= 2 {
		for from := 0; from < len(s) && time.Now().Before(end); {
			less := slices.Delete(slices.Clone(s), from, min(from+size, len(s)))
			if tr, _ := m.attempt(t, path, less); tr.Failed() {
				t.Logf("still with %d blows: %v", len(less), less)
				s = less
			} else {
				from += size
			}
		}
	}
	return s
}
