package socketio

import (
	"slices"

	"github.com/zishang520/engine.io/v2/events"
)

// socketEmitter is the EventEmitter of one Socket. Beside being small it makes sure that
// "disconnecting" and "disconnect" are emitted once, though the library may close a socket from
// several goroutines at once, and not before the listeners of "connection" have returned.
type socketEmitter struct {
	emitter
	link *link
}

func (e *socketEmitter) Emit(event events.EventName, args ...any) {
	l := e.link
	switch event {
	case "disconnecting":
		l.park(args)
		if l.mayEmit(emittedDisconnecting, args) {
			e.emitGuarded(l.conn.server.log, event, args...)
		}
	case "disconnect":
		if l.mayEmit(emittedDisconnect, args) {
			l.disconnected(args)
		}
		l.closed()
	default:
		e.emitGuarded(l.conn.server.log, event, args...)
	}
}

// mayEmit reports whether the event may be emitted now. If it came too early, opened will emit it.
func (l *link) mayEmit(which emittedEvents, args []any) bool {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	if l.emitted&which != 0 || l.state == linkGone {
		return false
	}
	l.emitted |= which
	if reason, ok := args[0].(string); ok {
		args[0] = l.reasonLocked(reason)
	}
	if l.state == linkConnecting {
		l.backlog.closing = slices.Clone(args)
		return false
	}
	l.state = linkLeaving
	if l.backlog == nil {
		l.backlog = new(backlog)
	}
	return true
}
