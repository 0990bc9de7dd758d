package simulation

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	redislog "github.com/redis/go-redis/v9/logging"

	"socketio-chat/pkg/e2e/schedule"
	"socketio-chat/pkg/e2e/verdict"
	"socketio-chat/pkg/redisadapter"
)

var (
	firstSeed = flag.Uint64("seed", 1, "the first seed")
	seeds     = flag.Int("seeds", 3, "how many seeds are run in each mode")
	modeNames = flag.String("modes", "pubsub,sharded,streams,recovery,both", "the modes, divided by commas")
	length    = flag.Duration("length", 8*time.Second, "how long each schedule lasts, in simulated time")
	given     = flag.String("schedule", "", "a schedule to run in place of those that the seeds make")
	shrinkFor = flag.Duration("shrink", 2*time.Minute, "how long the shortest schedule is looked for that still shows a violation")
	everybody = flag.Bool("everybody", false, "complain of each session that was not recovered")
	logging   = flag.Bool("log", false, "print what the servers log")
)

// A mode is what servers are configured to promise.
type mode struct {
	name     string
	adapter  redisadapter.Mode
	recovers bool
}

func (m mode) lossless() bool { return m.adapter == redisadapter.Streams }

// modes have the names that they have in package chaos.
var modes = map[string]mode{
	"pubsub":   {"pubsub", redisadapter.PubSub, false},
	"sharded":  {"sharded", redisadapter.Sharded, false},
	"streams":  {"streams", redisadapter.Streams, false},
	"recovery": {"recovery", redisadapter.PubSub, true},
	"both":     {"both", redisadapter.Streams, true},
}

// TestSimulation draws schedules of faults from seeds, lets them happen while people talk, and holds each mode to what it promises.
func TestSimulation(t *testing.T) {
	for _, name := range strings.Split(*modeNames, ",") {
		m, ok := modes[name]
		if !ok {
			t.Fatalf("there is no mode %q", name)
		}
		t.Run(name, func(t *testing.T) {
			sum, began := &verdict.Verdict{}, time.Now()
			for seed := *firstSeed; seed < *firstSeed+uint64(*seeds); seed++ {
				s := kinds.Draw(seed, *length)
				if *given != "" {
					var err error
					if s, err = kinds.Read(*given); err != nil {
						t.Fatal(err)
					}
				}
				sum.Add(m.face(t, seed, s))
			}
			t.Logf("%s, %d seeds in %v:\n%s\n%v", name, *seeds, time.Since(began).Round(time.Millisecond), verdict.Head, sum)
		})
	}
}

// face runs one schedule and reports what it finds.
func (m mode) face(t *testing.T, seed uint64, s schedule.Schedule) *verdict.Verdict {
	t.Helper()
	v := m.attempt(t, seed, s)
	head := fmt.Sprintf("%s, seed %d, %d blows", m.name, seed, len(s))
	if len(v.Complaints) == 0 {
		return v
	}
	t.Errorf("%s: a promise is broken: %s\n%s\n%v\n%s\nschedule: %v", head, strings.Join(v.Complaints, "; "), verdict.Head, v, strings.Join(v.Examples, "\n"), s)
	end := time.Now().Add(*shrinkFor)
	least := s.Shrink(func(less schedule.Schedule) bool {
		return len(m.attempt(t, seed, less).Complaints) > 0
	}, func() bool { return time.Now().Before(end) })
	t.Errorf("%s: the shortest that shows it:\n-modes %s -seed %d -seeds 1 -schedule %q", head, m.name, seed, least)
	return v
}

// TestMain keeps go-redis from reporting the very faults that these tests make.
func TestMain(m *testing.M) {
	flag.Parse()
	if !*logging {
		redislog.Disable()
	}
	os.Exit(m.Run())
}

// hang is how long a run may take, in real time. A lock that is held while its holder waits stops the simulated clock.
const hang = 2 * time.Minute

// attempt runs a schedule in a world of its own.
func (m mode) attempt(t *testing.T, seed uint64, s schedule.Schedule) (v *verdict.Verdict) {
	watch := time.AfterFunc(hang, func() {
		panic(fmt.Sprintf("%s, seed %d: the simulated clock stands still; schedule: %v", m.name, seed, s))
	})
	defer watch.Stop()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(m, seed)
		v = w.suffers(s)
		w.end(v)
		if *everybody && m.recovers {
			v.Complain(v.Cut-v.Recovered, "were not recovered")
		}
	})
	return v
}
