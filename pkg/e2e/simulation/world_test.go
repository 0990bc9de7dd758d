package simulation

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"socketio-chat/pkg/e2e/schedule"
	"socketio-chat/pkg/e2e/simulation/fakeredis"
	"socketio-chat/pkg/e2e/verdict"
)

// The places of a world: a server is in each of the first from the beginning, the last is there to be added.
const (
	firstPlaces = 3
	sparePlace  = 3
	speakers    = 9
)

// patience bounds what must happen, in simulated time.
const patience = 2 * time.Minute

// A world is a cluster with people on it.
type world struct {
	mode   mode
	seed   uint64
	log    *slog.Logger
	redis  *fakeredis.Server
	places []*place
	people []*person

	mu       sync.Mutex
	time     time.Time // the latest that now returned
	lives    []*server // all that there ever were; the first is number 1
	lost     bool      // Redis has lost data
	problems []string

	incidents verdict.Incidents
	refusals  verdict.Refusals
}

// newWorld starts a cluster that is joined, with people who listen.
func newWorld(m mode, seed uint64) *world {
	w := &world{mode: m, seed: seed, log: slog.New(slog.DiscardHandler), redis: fakeredis.New(), incidents: verdict.Incidents{Lossless: m.lossless()}}
	if *logging {
		w.log = slog.New(slog.NewTextHandler(os.Stdout, nil))
	}
	for i := range firstPlaces + 1 {
		w.places = append(w.places, &place{w: w, number: i})
	}
	for _, p := range w.places[:firstPlaces] {
		p.succeed()
	}
	w.ready()
	for i := range speakers {
		w.people = append(w.people, newPerson(w, i))
	}
	w.gathered()
	return w
}

// random are numbers for one purpose.
func (w *world) random(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, purpose)) }

// now is the simulated time, later by a nanosecond at least at each call: it tells what was before what.
func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := time.Now()
	if !t.After(w.time) {
		t = w.time.Add(time.Nanosecond)
	}
	w.time = t
	return t
}

// problem notes that something is wrong.
func (w *world) problem(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// eventually waits until the answer is yes.
func (w *world) eventually(what string, yes func() bool) bool {
	for end := time.Now().Add(patience); !yes(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.problem("waited in vain for: %s", what)
			return false
		}
	}
	return true
}

// suffers lets everything of a schedule happen while everybody talks, waits until all is well again, and judges.
func (w *world) suffers(s schedule.Schedule) *verdict.Verdict {
	silence := w.talk()
	kinds.Run(w, s)
	w.places[sparePlace].end()
	w.ready()
	w.gathered()
	silence()
	w.settle()
	v := w.judge()
	w.calm()
	return v
}

// ready waits until all servers know each other.
func (w *world) ready() {
	w.eventually("all servers have joined", func() bool {
		there := w.there()
		for _, s := range there {
			if status := s.builder.Status(); !status.Joined || status.Servers != len(there) {
				return false
			}
		}
		return true
	})
}

// there are the servers that are there.
func (w *world) there() (list []*server) {
	for _, p := range w.places {
		if s := p.server(); s != nil {
			list = append(list, s)
		}
	}
	return list
}

func (w *world) gathered() {
	for _, p := range w.people {
		w.eventually(p.name+" is connected", p.present)
	}
}

// talk makes everybody say something every so often, until the function it returns is called.
func (w *world) talk() (silence func()) {
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i, p := range w.people {
		random := w.random(uint64(100 + i))
		all.Go(func() {
			for {
				select {
				case <-time.After(time.Duration(30+random.IntN(170)) * time.Millisecond):
					if random.IntN(3) == 0 {
						p.saysInRoom()
						continue
					}
					p.says()
				case <-stop:
					return
				}
			}
		})
	}
	return func() { close(stop); all.Wait() }
}

// settle lets everybody say one more word, again and again, until one of each has reached everybody.
func (w *world) settle() {
	for end := time.Now().Add(patience); ; {
		last := map[string]int{}
		for _, p := range w.people {
			p.says()
			last[p.name] = p.lastSaid()
		}
		for range 10 {
			time.Sleep(50 * time.Millisecond)
			if !slices.ContainsFunc(w.people, func(p *person) bool { return !p.heardAll(last) }) {
				return
			}
		}
		if time.Now().After(end) {
			w.problem("not everybody hears everybody any more")
			return
		}
	}
}

// end lets everybody go and all servers end, and looks whether anything is left.
func (w *world) end(v *verdict.Verdict) {
	for _, p := range w.people {
		p.leave()
	}
	for _, p := range w.places {
		p.end()
	}
	time.Sleep(time.Minute) // keys of sessions expire, timers run out
	if keys := w.redis.Keys("*", true); len(keys) > 1 || len(keys) == 1 && keys[0] != "socket.io" {
		w.problem("Redis holds %q for good", keys)
	}
	w.redis.Kill()
	w.redis.Wait()
	if left := goroutines(); left != "" {
		w.problem("goroutines are left:\n%s", left)
		if *logging {
			fmt.Println(left)
		}
	}
	v.Complaints = append(v.Complaints, w.problems...)
}
