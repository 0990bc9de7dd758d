package membudget

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// A Holder is something that holds memory and can let go of it.
type Holder struct {
	Name string
	// Shed lets go of about so many bytes, the largest and then the newest of what it holds first. It
	// returns how many that were by its own estimate, and how many things it let go. It must not wait.
	Shed func(want int64) (bytes int64, things int)
	// Age, if set, is called every few seconds: what was taken before may be forgotten by half.
	Age func()
}

// Options say what a Budget does.
type Options struct {
	// Limit is what the process may use, in bytes; 0: no limit.
	Limit int64
	// Holders are asked in this order, each until it has no more to give.
	Holders []Holder
	// Logger gets a warning when it begins to refuse or to shed, at most once a second. nil: none.
	Logger *slog.Logger
}

// marks are where something happens, in bytes.
type marks struct {
	busy    int64 // from here on it looks often
	calm    int64 // shedding ends here
	refuse  int64 // no new sessions
	shed    int64
	collect int64 // Go's own limit
}

// marksFor leaves room for what comes while it collects: a share of the limit, and more of a small one.
func marksFor(limit int64) marks {
	below := func(large, small, bytes int64) int64 {
		return limit - max(limit*large/100, min(limit*small/100, bytes))
	}
	refuse := below(15, 34, 104<<20)
	return marks{busy: limit / 2, calm: refuse - limit/20, refuse: refuse, shed: below(10, 28, 84<<20), collect: below(8, 20, 60<<20)}
}

// Times between two looks, by how full it is, and after holders have shed: they need a moment to go.
const (
	seldom   = 250 * time.Millisecond
	often    = 10 * time.Millisecond
	shedding = 30 * time.Millisecond
	ageEvery = 4 * time.Second
	// mayRefuse is how long new sessions are refused before those that hold much have to go for them.
	mayRefuse = 3 * time.Second
)

// ErrFull is why a new session is refused.
var ErrFull error = full{}

type full struct{}

func (full) Error() string   { return "the server has no memory left for more clients; try again later" }
func (full) HTTPStatus() int { return http.StatusServiceUnavailable }

// Stats is a snapshot. The counters only grow.
type Stats struct {
	Limit, Used int64 // bytes; Limit 0: there is none
	Refusing    bool
	Refused     uint64            // sessions
	Shed        map[string]uint64 // things, by the holder's name
	ShedBytes   uint64
}

// A Budget watches the memory of the process.
type Budget struct {
	opts Options
	at   marks
	read func() (used int64) // the heap with its garbage, and what else Go uses

	room      atomic.Int64 // what may still be taken before the next look
	used      atomic.Int64
	refusing  atomic.Bool
	refused   atomic.Uint64
	shed      []atomic.Uint64 // as Options.Holders
	shedBytes atomic.Uint64

	// Owned by Run.
	collected time.Time // when garbage was collected last because of us
	began     time.Time // refusing
	want      int64     // what holders were asked for last; 0: all is well since
	said      time.Time
}

// New returns a budget, nil without a limit. It sets Go's memory limit if nobody has.
func New(o Options) *Budget {
	if o.Limit <= 0 {
		return nil
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	at := marksFor(o.Limit)
	if debug.SetMemoryLimit(-1) > at.collect {
		debug.SetMemoryLimit(at.collect)
	}
	b := &Budget{opts: o, at: at, read: usedByGo, shed: make([]atomic.Uint64, len(o.Holders))}
	b.room.Store(at.shed)
	return b
}

// Admit tells whether a new session may come: nil, or ErrFull.
func (b *Budget) Admit() error {
	if b == nil || !b.refusing.Load() {
		return nil
	}
	b.refused.Add(1)
	return ErrFull
}

// Take asks for room for n bytes that are about to be received, and takes it if it reports true. False
// takes nothing and means: not before the next look, a few milliseconds later. What is received much at a
// time should ask, so that a flood waits outside.
func (b *Budget) Take(n int) bool {
	if b == nil {
		return true
	}
	for {
		room := b.room.Load()
		if room <= int64(n) {
			return false
		}
		if b.room.CompareAndSwap(room, room-int64(n)) {
			return true
		}
	}
}

// Stats returns a snapshot.
func (b *Budget) Stats() Stats {
	if b == nil {
		return Stats{}
	}
	s := Stats{
		Limit: b.opts.Limit, Used: b.used.Load(), Refusing: b.refusing.Load(), Refused: b.refused.Load(),
		Shed: make(map[string]uint64, len(b.shed)), ShedBytes: b.shedBytes.Load(),
	}
	for i, h := range b.opts.Holders {
		s.Shed[h.Name] = b.shed[i].Load()
	}
	return s
}

// Run watches until ctx ends.
func (b *Budget) Run(ctx context.Context) {
	if b == nil {
		return
	}
	t, age := time.NewTimer(0), time.NewTicker(ageEvery)
	defer t.Stop()
	defer age.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			t.Reset(b.look())
		case <-age.C:
			for _, h := range b.opts.Holders {
				if h.Age != nil {
					h.Age()
				}
			}
		}
	}
}

// look does what has to be done now, and returns when to look again.
func (b *Budget) look() (next time.Duration) {
	used := b.read()
	if used > b.at.refuse && time.Since(b.collected) > b.rest() {
		start := time.Now()
		runtime.GC() // it returns when all garbage is gone
		b.collected, used = time.Now(), b.read()
		b.opts.Logger.Debug("collected because memory is short", "took", b.collected.Sub(start), "used", used)
	}
	b.used.Store(used)
	b.room.Store(b.at.shed - used)
	refusing := used > b.at.refuse
	if b.refusing.Swap(refusing) != refusing && refusing {
		b.began = time.Now()
		b.warn("memory is short; no new sessions", used)
	}
	if !refusing {
		b.want = 0
	}
	switch {
	case used > b.at.shed, refusing && time.Since(b.began) > mayRefuse:
		b.shedDown(used)
		return shedding
	case used > b.at.busy:
		return often
	}
	return seldom
}

// rest is how long no garbage is collected again: short when it is urgent.
func (b *Budget) rest() time.Duration {
	if b.want > 0 || b.read() > b.at.shed {
		return shedding
	}
	return 200 * time.Millisecond
}

// shedDown asks the holders for what is too much.
func (b *Budget) shedDown(used int64) {
	// What holders say is an estimate: if the last time did not help, they are asked for twice as much.
	b.want = max(used-b.at.calm, 2*b.want)
	want := b.want
	for i, h := range b.opts.Holders {
		bytes, things := h.Shed(want)
		b.shed[i].Add(uint64(things))
		b.shedBytes.Add(uint64(bytes))
		if want -= bytes; want <= 0 {
			break
		}
	}
	b.warn("memory is almost used up; those that hold most are let go", used)
}

func (b *Budget) warn(text string, used int64) {
	if time.Since(b.said) < time.Second {
		return
	}
	b.said = time.Now()
	s := b.Stats()
	b.opts.Logger.Warn(text, "used_bytes", used, "limit_bytes", b.opts.Limit, "refused", s.Refused, "shed_bytes", s.ShedBytes)
}

// usedByGo is what Go has from the system and uses: objects with their garbage, stacks, and its own.
func usedByGo() int64 {
	s := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64() - s[2].Value.Uint64())
}
