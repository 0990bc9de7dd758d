package socketio

import (
	"log/slog"
	"reflect"
	"runtime/debug"
	"sync/atomic"

	"github.com/zishang520/engine.io/v2/events"
)

// emitter is an events.EventEmitter for objects that exist ten thousand times: a nil pointer until
// somebody listens, where the library's own keeps maps. Listeners run on the goroutine of Emit, in
// the order they were added; one added meanwhile waits for the next Emit. A once listener runs
// once, however many Emit at the same time.
type emitter struct {
	listeners atomic.Pointer[listeners] // replaced, never changed; nil before the first
}

type listeners struct {
	list []listener
	ids  uint32 // the latest
}

type listener struct {
	event events.EventName
	fn    events.Listener
	id    uint32
	once  bool
}

var _ events.EventEmitter = (*emitter)(nil)

func (e *emitter) add(event events.EventName, once bool, fns []events.Listener) error {
	e.change(func(old listeners) (listeners, bool) {
		list := append(make([]listener, 0, len(old.list)+len(fns)), old.list...)
		for _, fn := range fns {
			if fn != nil {
				old.ids++
				list = append(list, listener{event, fn, old.ids, once})
			}
		}
		return listeners{list, old.ids}, true
	})
	return nil
}

// change replaces the listeners by what f makes of them, if that says so. f is called again when somebody
// else was faster.
func (e *emitter) change(f func(old listeners) (listeners, bool)) {
	for {
		old := e.listeners.Load()
		var was listeners
		if old != nil {
			was = *old
		}
		became, changed := f(was)
		if !changed || e.listeners.CompareAndSwap(old, &became) {
			return
		}
	}
}

func (e *emitter) AddListener(event events.EventName, fns ...events.Listener) error {
	return e.add(event, false, fns)
}

func (e *emitter) On(event events.EventName, fns ...events.Listener) error {
	return e.add(event, false, fns)
}

func (e *emitter) Once(event events.EventName, fns ...events.Listener) error {
	return e.add(event, true, fns)
}

func (e *emitter) snapshot() []listener {
	if l := e.listeners.Load(); l != nil {
		return l.list
	}
	return nil
}

// Emit calls the listeners. A panic is the caller's to handle; see emitGuarded.
func (e *emitter) Emit(event events.EventName, args ...any) {
	for _, l := range e.snapshot() {
		if l.event == event && e.take(l) {
			l.fn(args...)
		}
	}
}

// emitGuarded is Emit for listeners of the application: a panic is logged and ends that listener only.
func (e *emitter) emitGuarded(log *slog.Logger, event events.EventName, args ...any) {
	for _, l := range e.snapshot() {
		if l.event == event && e.take(l) {
			guard(log, string(event), func() { l.fn(args...) })
		}
	}
}

// take reports whether l may run, and removes it if it runs once.
func (e *emitter) take(l listener) bool {
	return !l.once || e.remove(func(x listener) bool { return x.id == l.id }, 1) == 1
}

// remove drops up to limit listeners that match (all if limit is negative).
func (e *emitter) remove(match func(listener) bool, limit int) (removed int) {
	e.change(func(old listeners) (listeners, bool) {
		removed = 0
		var list []listener
		for _, l := range old.list {
			if removed != limit && match(l) {
				removed++
				continue
			}
			list = append(list, l)
		}
		return listeners{list, old.ids}, removed > 0
	})
	return removed
}

// RemoveListener removes the first listener whose code is that of fn. Like the library's it can't
// tell two closures of one function apart.
func (e *emitter) RemoveListener(event events.EventName, fn events.Listener) bool {
	if fn == nil {
		return false
	}
	code := reflect.ValueOf(fn).Pointer()
	return e.remove(func(l listener) bool {
		return l.event == event && reflect.ValueOf(l.fn).Pointer() == code
	}, 1) == 1
}

func (e *emitter) RemoveAllListeners(event events.EventName) bool {
	return e.remove(func(l listener) bool { return l.event == event }, -1) > 0
}

func (e *emitter) Clear() { e.remove(func(listener) bool { return true }, -1) }

func (e *emitter) Listeners(event events.EventName) (fns []events.Listener) {
	for _, l := range e.snapshot() {
		switch {
		case l.event != event:
		case l.once:
			fns = append(fns, func(args ...any) {
				if e.take(l) {
					l.fn(args...)
				}
			})
		default:
			fns = append(fns, l.fn)
		}
	}
	return fns
}

func (e *emitter) ListenerCount(event events.EventName) (n int) {
	for _, l := range e.snapshot() {
		if l.event == event {
			n++
		}
	}
	return n
}

// listens is ListenerCount > 0 for a name that is no string yet.
func (e *emitter) listens(event []byte) bool {
	for _, l := range e.snapshot() {
		if string(l.event) == string(event) {
			return true
		}
	}
	return false
}

func (e *emitter) EventNames() (names []events.EventName) {
	seen := map[events.EventName]bool{}
	for _, l := range e.snapshot() {
		if !seen[l.event] {
			seen[l.event] = true
			names = append(names, l.event)
		}
	}
	return names
}

func (e *emitter) Len() int { return len(e.EventNames()) }

// SetMaxListeners does nothing: there is no limit, and the library has retired the notion.
func (e *emitter) SetMaxListeners(uint) {}

// GetMaxListeners returns 0, no limit.
func (e *emitter) GetMaxListeners() uint { return 0 }

// guard runs code of the application. It reports whether it returned rather than panicked.
func guard(log *slog.Logger, what string, f func()) (returned bool) {
	defer func() {
		if v := recover(); v != nil {
			log.Error("panic in the application's code; only this event is lost",
				slog.String("event", what), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
		}
	}()
	f()
	return true
}
