// Package schedule draws schedules of faults from seeds, lets them happen, and makes them shorter. What the faults are is up to the packages
// that use it: chaos strikes real processes, simulation simulated ones.
package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Blow is one fault of a schedule: at a time it strikes the nth of something, and it is mended after a while.
type Blow struct {
	At, Last time.Duration
	Kind     string
	N        int
}

func (b Blow) String() string { return fmt.Sprintf("%v %s %d %v", b.At, b.Kind, b.N, b.Last) }

// A Schedule is what happens to a world. Its text is one line a blow, or all of them divided by semicolons:
//
//	1.2s kill 0 800ms      at 1.2 s instance 0 is killed; 800 ms later another process takes its place
type Schedule []Blow

func (s Schedule) String() string {
	lines := make([]string, len(s))
	for i, b := range s {
		lines[i] = b.String()
	}
	return strings.Join(lines, "; ")
}

// A Kind is a kind of fault in worlds of type W.
type Kind[W any] struct {
	Name   string
	Weight int // how often it is drawn, beside others
	// Least and Most bound how long it lasts.
	Least, Most time.Duration
	// On is what it strikes, so that nothing is struck twice at a time; there are Count of it.
	On    string
	Count int
	// Strike makes it happen; mend ends it.
	Strike func(w W, n int) (mend func())
	// Off leaves it out. The rest of a seed's schedule is the same.
	Off bool
}

// Kinds are those that there are in a world.
type Kinds[W any] []Kind[W]

// Noted are the same kinds, but note is told of each strike before it happens, and over is called when it is mended.
func (k Kinds[W]) Noted(note func(w W, kind Kind[W], n int) (over func())) Kinds[W] {
	noted := slices.Clone(k)
	for i, kind := range k {
		noted[i].Strike = func(w W, n int) func() {
			over := note(w, kind, n)
			mend := kind.Strike(w, n)
			return func() { mend(); over() }
		}
	}
	return noted
}

func (k Kinds[W]) of(b Blow) (Kind[W], bool) {
	i := slices.IndexFunc(k, func(k Kind[W]) bool { return k.Name == b.Kind })
	if i < 0 {
		return Kind[W]{}, false
	}
	return k[i], true
}

// on is what a blow strikes.
func (k Kinds[W]) on(b Blow) string {
	kind, _ := k.of(b)
	return fmt.Sprint(kind.On, b.N)
}

// Read is the way back from the text of a schedule.
func (k Kinds[W]) Read(text string) (s Schedule, err error) {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		f := strings.Fields(part)
		if len(f) != 4 {
			return nil, fmt.Errorf("%q: want: time, kind, number, duration", part)
		}
		b := Blow{Kind: f[1]}
		if b.At, err = time.ParseDuration(f[0]); err != nil {
			return nil, err
		}
		if b.N, err = strconv.Atoi(f[2]); err != nil {
			return nil, err
		}
		if b.Last, err = time.ParseDuration(f[3]); err != nil {
			return nil, err
		}
		if kind, ok := k.of(b); !ok || b.N < 0 || b.N >= kind.Count {
			return nil, fmt.Errorf("%q: there is no such thing to strike", part)
		}
		s = append(s, b)
	}
	return s, nil
}

// breath is how long nothing strikes the same thing again.
const breath = 700 * time.Millisecond

// Draw makes up a schedule of a length: the same seed always makes the same.
func (k Kinds[W]) Draw(seed uint64, length time.Duration) (s Schedule) {
	rng := rand.New(rand.NewPCG(seed, 0))
	total := 0
	for _, kind := range k {
		total += kind.Weight
	}
	free := map[string]time.Duration{}
	for at := time.Duration(0); ; {
		at += time.Duration(100+rng.IntN(900)) * time.Millisecond
		if at > length {
			return s
		}
		pick := rng.IntN(total)
		i := 0
		for ; pick >= k[i].Weight; i++ {
			pick -= k[i].Weight
		}
		kind := k[i]
		b := Blow{At: at, Kind: kind.Name, N: rng.IntN(kind.Count), Last: kind.Least}
		if kind.Most > kind.Least {
			b.Last += time.Duration(rng.Int64N(int64(kind.Most - kind.Least))).Truncate(time.Millisecond)
		}
		if free[k.on(b)] > at || kind.Off {
			continue
		}
		free[k.on(b)] = at + b.Last + breath
		s = append(s, b)
	}
}

// Run lets everything of a schedule happen to w, and returns when all is mended. What strikes one thing takes turns: how long the end of a
// process takes, no schedule knows.
func (k Kinds[W]) Run(w W, s Schedule) {
	began := time.Now()
	turns := map[string]chan struct{}{}
	for _, b := range s {
		turns[k.on(b)] = make(chan struct{}, 1) // no mutex: a simulated clock would stand still for it
	}
	var blows sync.WaitGroup
	for _, b := range s {
		kind, _ := k.of(b)
		blows.Go(func() {
			time.Sleep(time.Until(began.Add(b.At))) // its time has come
			turns[k.on(b)] <- struct{}{}
			mend := kind.Strike(w, b.N)
			time.Sleep(b.Last) // it lasts
			mend()
			<-turns[k.on(b)]
		})
	}
	blows.Wait()
}

// Shrink looks for a shorter schedule that still shows what s shows, leaving out ever smaller parts, as long as more says so.
func (s Schedule) Shrink(shows func(Schedule) bool, more func() bool) Schedule {
	for size := (len(s) + 1) / 2; size > 0 && more(); size /= 2 {
		for from := 0; from < len(s) && more(); {
			less := slices.Delete(slices.Clone(s), from, min(from+size, len(s)))
			if shows(less) {
				s = less
			} else {
				from += size
			}
		}
	}
	return s
}
