package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A blow is one fault of a schedule: at a time it strikes the nth of something, and it is mended after a while.
type blow struct {
	at, last time.Duration
	kind     string
	n        int
}

func (b blow) String() string {
	return fmt.Sprintf("%v %s %d %v", b.at, b.kind, b.n, b.last)
}

// A schedule is what happens to a world. Its text is one line a blow, or all of them divided by semicolons:
//
//	1.2s kill 0 800ms      at 1.2 s instance 0 is killed; 800 ms later another process takes its place
type schedule []blow

func (s schedule) String() string {
	lines := make([]string, len(s))
	for i, b := range s {
		lines[i] = b.String()
	}
	return strings.Join(lines, "; ")
}

// readSchedule is the way back.
func readSchedule(text string) (s schedule, err error) {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		f := strings.Fields(part)
		if len(f) != 4 {
			return nil, fmt.Errorf("%q: want: time, kind, number, duration", part)
		}
		var b blow
		b.kind = f[1]
		if b.at, err = time.ParseDuration(f[0]); err != nil {
			return nil, err
		}
		if b.n, err = strconv.Atoi(f[2]); err != nil {
			return nil, err
		}
		if b.last, err = time.ParseDuration(f[3]); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(kinds, func(k kind) bool { return k.name == b.kind }) {
			return nil, fmt.Errorf("%q: no such kind", part)
		}
		s = append(s, b)
	}
	return s, nil
}

// A kind is a kind of fault.
type kind struct {
	name   string
	weight int
	// least and most bound how long it lasts.
	least, most time.Duration
	// on is what it strikes, so that nothing is struck twice at a time: "redis", "line" (the nth person's), or something
	// that each of count places has.
	on    string
	count int
	// strike makes it happen; mend ends it.
	strike func(w *world, n int) (mend func())
}

// The places of a nemesis: an instance is in each of the first from the beginning, the last is there to be added.
const (
	firstPlaces = 3
	sparePlace  = 3
)

var kinds = []kind{
	{"kill", 3, 200 * time.Millisecond, 2 * time.Second, "process", firstPlaces, func(w *world, n int) func() {
		w.instances[n].end(syscall.SIGKILL)
		return func() { w.instances[n].succeed(w.path) }
	}},
	{"term", 4, 0, 2 * time.Second, "process", firstPlaces, func(w *world, n int) func() {
		w.instances[n].end(syscall.SIGTERM)
		return func() { w.instances[n].succeed(w.path) }
	}},
	{"old", 2, 0, 2 * time.Second, "process", firstPlaces, func(w *world, n int) func() {
		w.instances[n].end(syscall.SIGTERM)
		return func() { w.instances[n].succeed(oldServer()) }
	}},
	{"stop", 3, 200 * time.Millisecond, 4 * time.Second, "process", firstPlaces, func(w *world, n int) func() {
		w.instances[n].process.signal(pauseSignal)
		return func() { w.instances[n].process.signal(resumeSignal) }
	}},
	{"add", 2, 2 * time.Second, 8 * time.Second, "spare", 1, func(w *world, _ int) func() {
		in := w.instances[sparePlace]
		in.succeed(w.path)
		return func() { in.end(syscall.SIGTERM) }
	}},
	{"redis-kill", 3, 100 * time.Millisecond, 4 * time.Second, "redis", 1, func(w *world, _ int) func() {
		w.redis.kill()
		return w.redis.restart
	}},
	{"redis-restart", 2, 0, time.Second, "redis", 1, func(w *world, _ int) func() {
		w.redis.signal(syscall.SIGTERM)
		return func() { <-w.redis.ended; w.redis.restart() }
	}},
	{"redis-stop", 3, 200 * time.Millisecond, 4 * time.Second, "redis", 1, func(w *world, _ int) func() {
		w.redis.signal(pauseSignal)
		return func() { w.redis.signal(resumeSignal) }
	}},
	{"client-kill", 3, 0, 100 * time.Millisecond, "redis", 1, func(w *world, _ int) func() {
		w.redis.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		w.redis.do("CLIENT", "KILL", "TYPE", "pubsub")
		return func() {}
	}},
	{"back-cut", 2, 200 * time.Millisecond, 4 * time.Second, "back", firstPlaces, func(w *world, n int) func() {
		w.instances[n].back.cut()
		return w.instances[n].back.mend
	}},
	{"back-jam", 2, 200 * time.Millisecond, 4 * time.Second, "back", firstPlaces, func(w *world, n int) func() {
		w.instances[n].back.jam()
		return w.instances[n].back.unblock
	}},
	{"back-slow", 2, 500 * time.Millisecond, 4 * time.Second, "back", firstPlaces, func(w *world, n int) func() {
		w.instances[n].back.slow(time.Duration(50+50*n) * time.Millisecond)
		return func() { w.instances[n].back.slow(0) }
	}},
	{"front-slow", 2, 500 * time.Millisecond, 4 * time.Second, "front", firstPlaces, func(w *world, n int) func() {
		w.instances[n].front.slow(time.Duration(50+50*n) * time.Millisecond)
		return func() { w.instances[n].front.slow(0) }
	}},
	{"front-cut", 1, 0, 500 * time.Millisecond, "front", firstPlaces, func(w *world, n int) func() {
		w.instances[n].front.cut()
		return w.instances[n].front.mend
	}},
	{"cut", 10, 0, 0, "line", nemesisSpeakers, func(w *world, n int) func() {
		w.people[n].cut()
		return func() {}
	}},
}

// oldServer is the binary of an older version, empty if none takes part.
func oldServer() string { return os.Getenv("CHAT_SERVER_OLD") }

// breath is how long nothing strikes the same thing again.
const breath = 700 * time.Millisecond

// draw makes up a schedule: the same seed always makes the same.
func draw(seed uint64, last time.Duration) (s schedule) {
	rng := rand.New(rand.NewPCG(seed, 0))
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	free := map[string]time.Duration{}
	for at := time.Duration(0); ; {
		at += time.Duration(100+rng.IntN(900)) * time.Millisecond
		if at > last {
			return s
		}
		pick := rng.IntN(total)
		i := 0
		for ; pick >= kinds[i].weight; i++ {
			pick -= kinds[i].weight
		}
		k := kinds[i]
		b := blow{at: at, kind: k.name, n: rng.IntN(k.count), last: k.least}
		if k.most > k.least {
			b.last += time.Duration(rng.Int64N(int64(k.most - k.least))).Truncate(time.Millisecond)
		}
		on := fmt.Sprint(k.on, b.n)
		if free[on] > at || k.name == "old" && oldServer() == "" {
			continue
		}
		free[on] = at + b.last + breath
		s = append(s, b)
	}
}

func (b blow) kindOf() kind {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == b.kind })
	return kinds[i]
}

func TestSchedules(t *testing.T) {
	for seed := range uint64(50) {
		s := draw(seed, 20*time.Second)
		again, err := readSchedule(s.String())
		if err != nil || again.String() != s.String() || draw(seed, 20*time.Second).String() != s.String() {
			t.Fatalf("seed %d: %v:\n%v\n%v", seed, err, s, again)
		}
		until := map[string]time.Duration{}
		for _, b := range s {
			on := fmt.Sprint(b.kindOf().on, b.n)
			if b.at < until[on] {
				t.Errorf("seed %d: %v strikes what is struck already:\n%v", seed, b, s)
			}
			until[on] = b.at + b.last
		}
	}
	for _, text := range []string{"1s kill 0", "1s laugh 0 1s", "x kill 0 1s", "1s kill x 1s", "1s kill 0 x"} {
		if s, err := readSchedule(text); err == nil {
			t.Errorf("%s: %v", text, s)
		}
	}
}
