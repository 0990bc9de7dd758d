package redisadapter_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter"
)

// Model tests: a cluster is asked for random things, one after another, while instances and people come and go. A model, which is no more
// than who is there and in which rooms, says what must come of each. A failure is printed with its seed and the shortest steps that show it.
//
//	go test ./pkg/redisadapter -run Model -model.seed 7 -model.seeds 1 -model.steps 'start,connect:0:1,join:0:2:1' -v

var (
	modelSeed  = flag.Uint64("model.seed", 1, "the first seed of the model tests")
	modelSeeds = flag.Int("model.seeds", 2, "how many seeds are run in each mode")
	modelSteps = flag.String("model.steps", "", "the steps to take, in place of drawn ones")
)

// A step is something to do; what its numbers mean depends on who is there, so that it makes sense also when others are left out.
type step struct {
	what string
	n    [4]int
}

func (s step) String() string {
	return fmt.Sprintf("%s:%d:%d:%d:%d", s.what, s.n[0], s.n[1], s.n[2], s.n[3])
}

// actions are what may be done, by name, as often as each is to be drawn.
var actions = map[string]struct {
	weight int
	do     func(*model, [4]int)
}{
	"start": {1, (*model).start}, "end": {1, (*model).end}, "kill": {1, (*model).kill}, "connect": {5, (*model).connect}, "leave": {1, (*model).leave},
	"join": {6, (*model).join}, "part": {2, (*model).part}, "addSockets": {3, (*model).addSockets}, "delSockets": {3, (*model).delSockets},
	"disconnect": {1, (*model).disconnect}, "broadcast": {6, (*model).broadcast}, "fetch": {4, (*model).fetch}, "emit": {3, (*model).emit},
	"ask": {4, (*model).ask}, "rooms": {2, (*model).rooms}, "count": {2, (*model).count},
}

func drawSteps(seed uint64, count int) (steps []step) {
	r := rand.New(rand.NewPCG(seed, 5))
	var names []string
	for _, name := range slices.Sorted(maps.Keys(actions)) {
		for range actions[name].weight {
			names = append(names, name)
		}
	}
	for range 4 {
		steps = append(steps, step{what: "connect", n: [4]int{r.IntN(1000)}})
	}
	for range count {
		steps = append(steps, step{names[r.IntN(len(names))], [4]int{r.IntN(1000), r.IntN(1000), r.IntN(1000), r.IntN(1000)}})
	}
	return steps
}

func readSteps(t *testing.T, text string) (steps []step) {
	t.Helper()
	for _, one := range strings.Split(text, ",") {
		parts := strings.Split(one, ":")
		s := step{what: parts[0]}
		for i, p := range parts[1:] {
			if _, err := fmt.Sscan(p, &s.n[i]); err != nil || i >= len(s.n) {
				t.Fatalf("step %q: %v", one, err)
			}
		}
		if actions[s.what].do == nil {
			t.Fatalf("there is no step %q", s.what)
		}
		steps = append(steps, s)
	}
	return steps
}

// model is what must be true.
type model struct {
	*bubble
	people []*person
	in     map[*person]map[socket.Room]bool // without the room that each has for itself
	said   int
	names  int
}

// TestModel takes random steps in each mode.
func TestModel(t *testing.T) {
	for _, mode := range []redisadapter.Mode{redisadapter.PubSub, redisadapter.Sharded, redisadapter.Streams} {
		t.Run(string(mode), func(t *testing.T) {
			for seed := *modelSeed; seed < *modelSeed+uint64(*modelSeeds); seed++ {
				steps := drawSteps(seed, 40)
				if *modelSteps != "" {
					steps = readSteps(t, *modelSteps)
				}
				if problem := take(t, mode, steps); problem != "" {
					t.Errorf("seed %d: %s\nthe shortest steps that show it: -model.steps %s", seed, problem, shrink(t, mode, steps))
				}
			}
		})
	}
}

// shrink leaves out steps as long as there is a problem.
func shrink(t *testing.T, mode redisadapter.Mode, steps []step) string {
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at < len(steps); {
			less := slices.Delete(slices.Clone(steps), at, min(at+size, len(steps)))
			if take(t, mode, less) != "" {
				steps = less
			} else {
				at += size
			}
		}
	}
	var parts []string
	for _, s := range steps {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, ",")
}

// notes collects problems in place of failing the test: the steps are taken again to find fewer.
type notes struct {
	testing.TB
	mu   sync.Mutex
	list []string
}

func (n *notes) Helper() {}

func (n *notes) Errorf(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, fmt.Sprintf(format, args...))
}

func (n *notes) Fatalf(format string, args ...any) {
	n.Errorf(format, args...)
	runtime.Goexit()
}

// take takes steps in a bubble of their own and tells what was wrong, after which step.
func take(t *testing.T, mode redisadapter.Mode, steps []step) string {
	n := &notes{TB: t}
	synctest.Test(t, func(*testing.T) {
		m := &model{in: map[*person]map[socket.Room]bool{}}
		done := make(chan struct{})
		go func() { // Fatalf ends it
			defer close(done)
			m.bubble = newBubble(n, mode, 2)
			for _, s := range steps {
				before := len(n.list)
				actions[s.what].do(m, s.n)
				time.Sleep(100 * time.Millisecond) // everything arrives within milliseconds
				m.compare()
				if len(n.list) > before {
					n.Errorf("after %v", s)
					break
				}
			}
		}()
		<-done
		for _, p := range m.people {
			p.leave()
		}
		m.close()
	})
	return strings.Join(n.list, "; ")
}

// compare compares who is where with the model, and nobody has heard what nobody has said.
func (m *model) compare() {
	m.people = slices.DeleteFunc(m.people, func(p *person) bool {
		if _, there := m.in[p]; !there {
			return true
		}
		if p.gone() {
			m.tb.Errorf("%s is gone", p.name)
			return false
		}
		if got, want := set(p.socket().Rooms()), m.roomsOf(p); got != want {
			m.tb.Errorf("%s is in %s, and should be in %s", p.name, got, want)
		}
		if news := p.news(); len(news) > 0 {
			m.tb.Errorf("%s has heard %q", p.name, news)
		}
		return false
	})
	m.followers(roomPool)
}

// roomsOf are the rooms of a person, with its own.
func (m *model) roomsOf(p *person) string {
	all := types.NewSet(socket.Room(p.id))
	for room := range m.in[p] {
		all.Add(room)
	}
	return set(all)
}

// set writes a set in order.
func set(s *types.Set[socket.Room]) string {
	list := s.Keys()
	slices.Sort(list)
	return fmt.Sprint(list)
}

// who picks somebody, nil if nobody is there; where picks an instance.
func (m *model) who(n int) *person {
	if len(m.people) == 0 {
		return nil
	}
	return m.people[n%len(m.people)]
}

func (m *model) where(n int) *node { return m.nodes[n%len(m.nodes)] }

// options draws whom something is for, and tells who that is.
func (m *model) options(rooms, except int) (opts *socket.BroadcastOptions, meant []*person) {
	pool := []socket.Room{"a", "b", "c d", "7"}
	if p := m.who(rooms); p != nil {
		pool = append(pool, socket.Room(p.id))
	}
	pick := func(n int) *types.Set[socket.Room] {
		s := types.NewSet[socket.Room]()
		for range n % 3 {
			n /= 3
			s.Add(pool[n%len(pool)])
		}
		return s
	}
	opts = &socket.BroadcastOptions{Rooms: pick(rooms), Except: pick(except), Flags: &socket.BroadcastFlags{}}
	in := func(p *person, s *types.Set[socket.Room]) bool {
		return slices.ContainsFunc(s.Keys(), func(r socket.Room) bool { return m.in[p][r] || r == socket.Room(p.id) })
	}
	for _, p := range m.people {
		if (opts.Rooms.Len() == 0 || in(p, opts.Rooms)) && !in(p, opts.Except) {
			meant = append(meant, p)
		}
	}
	return opts, meant
}

func mustURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}
