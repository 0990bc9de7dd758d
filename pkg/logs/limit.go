package logs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Options bounds what is passed on. A zero field means its default.
type Options struct {
	Period      time.Duration // 0: 10 s
	Burst       int           // records of a message in a Period, 0: 5
	MaxMessages int           // messages that are told apart, 0: 200
}

// LeftOut is the message of the record that says how many others were left out.
const LeftOut = "log lines left out: the same was said above"

// Limit returns a handler that passes on to next what Options allow.
func Limit(next slog.Handler, o Options) slog.Handler {
	if o.Period <= 0 {
		o.Period = 10 * time.Second
	}
	if o.Burst <= 0 {
		o.Burst = 5
	}
	if o.MaxMessages <= 0 {
		o.MaxMessages = 200
	}
	return &handler{next: next, memory: &memory{Options: o, root: next, seen: map[key]*said{}}}
}

type handler struct {
	next   slog.Handler
	memory *memory
}

// memory is shared by a handler and its descendants.
type memory struct {
	Options
	root slog.Handler // without attributes or groups: for LeftOut

	mu   sync.Mutex
	seen map[key]*said
}

// key is what makes two records the same.
type key struct {
	level   slog.Level
	message string
}

// said counts one message until its Period ends.
type said struct{ times int }

// others stands for all messages that there is no room for.
const others = "other messages"

func (h *handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo && !h.memory.allow(r) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.next.WithAttrs(attrs), h.memory}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.next.WithGroup(name), h.memory}
}

// allow counts r and tells whether it may be passed on.
func (m *memory) allow(r slog.Record) bool {
	k := key{r.Level, r.Message}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.seen[k]
	if s == nil && len(m.seen) >= m.MaxMessages {
		k.message = others
		s = m.seen[k]
	}
	if s == nil {
		s = new(said)
		m.seen[k] = s
		time.AfterFunc(m.Period, func() { m.end(k) })
	}
	s.times++
	return s.times <= m.Burst
}

// end forgets a message, and tells what was left out of it.
func (m *memory) end(k key) {
	m.mu.Lock()
	left := m.seen[k].times - m.Burst
	delete(m.seen, k)
	m.mu.Unlock()
	if left <= 0 {
		return
	}
	r := slog.NewRecord(time.Now(), k.level, LeftOut, 0)
	r.AddAttrs(slog.String("of", k.message), slog.Int("count", left), slog.Float64("seconds", m.Period.Seconds()))
	_ = m.root.Handle(context.Background(), r) // where else could it be said
}
