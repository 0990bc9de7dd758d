package adminui

import (
	"context"
	"sync"

	"socketio-chat/pkg/ratelog"
	"socketio-chat/pkg/socketio"
)

// Bounds of what is noted and not sent yet.
const (
	maxEvents = 4096  // beyond, events of clients are left out
	maxNotes  = 65536 // beyond, everything is: the page is wrong until it is loaded again
)

// note is an event for the pages.
type note struct {
	event string
	args  []any
}

// reporter sends notes in their order. The code that makes them may hold locks, so they are sent elsewhere.
type reporter struct {
	notes   sync.Mutex // guards pending and leftOut
	pending []note
	leftOut int
	wake    chan struct{}
}

func (r *reporter) init() { r.wake = make(chan struct{}, 1) }

// tell notes a change of what there is.
func (r *reporter) tell(event string, args ...any) { r.put(maxNotes, event, args) }

// tellEvent notes an event of a client.
func (r *reporter) tellEvent(event string, args ...any) { r.put(maxEvents, event, args) }

func (r *reporter) put(most int, event string, args []any) {
	r.notes.Lock()
	if len(r.pending) < most {
		r.pending = append(r.pending, note{event, args})
	} else {
		r.leftOut++
	}
	r.notes.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// report sends until ctx ends.
func (r *reporter) report(ctx context.Context, ns *socketio.Namespace, log *ratelog.Log) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		r.notes.Lock()
		list, leftOut := r.pending, r.leftOut
		r.pending, r.leftOut = nil, 0
		r.notes.Unlock()
		if leftOut > 0 {
			log.Warn("left out", "admin UI: more happens than can be shown; ADMIN_MODE=production shows numbers alone")
		}
		for _, n := range list {
			if ctx.Err() != nil {
				return
			}
			ns.Broadcast(n.event, n.args...)
		}
	}
}
