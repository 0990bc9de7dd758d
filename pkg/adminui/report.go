package adminui

import (
	"context"
	"sync"

	"github.com/zishang520/engine.io/v2/types"

	"socketio-chat/pkg/ratelog"
	"socketio-chat/pkg/socketio"
)

// Bounds of what is noted and not sent yet.
const (
	maxEvents = 4096     // beyond, events of clients are left out
	maxBytes  = 16 << 20 // of events of clients: beyond, too, but for a single one
	maxNotes  = 65536    // beyond, everything is: the page is wrong until it is loaded again
)

// note is an event for the pages.
type note struct {
	event string
	args  []any
	size  int // about as many bytes it keeps; 0: what describes a client, whose size has bounds of its own
}

// reporter sends notes in their order. The code that makes them may hold locks, so they are sent elsewhere.
type reporter struct {
	notes   sync.Mutex // guards pending, bytes and leftOut
	pending []note
	bytes   int // of those that are pending, or being sent
	leftOut int
	wake    chan struct{}
}

func (r *reporter) init() { r.wake = make(chan struct{}, 1) }

// tell notes a change of what there is.
func (r *reporter) tell(event string, args ...any) { r.put(maxNotes, note{event: event, args: args}) }

// tellEvent notes an event of a client.
func (r *reporter) tellEvent(event string, args ...any) {
	r.put(maxEvents, note{event, args, sizeOf(args)})
}

func (r *reporter) put(most int, n note) {
	r.notes.Lock()
	if len(r.pending) < most && (n.size == 0 || r.bytes == 0 || r.bytes+n.size <= maxBytes) {
		r.pending = append(r.pending, n)
		r.bytes += n.size
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
			r.notes.Lock()
			r.bytes -= n.size
			r.notes.Unlock()
		}
	}
}

// sizeOf is about how many bytes a value as the parser makes them takes.
func sizeOf(v any) int {
	const word = 16 // of an interface
	switch v := v.(type) {
	case string:
		return word + len(v)
	case []byte:
		return word + len(v)
	case []any:
		n := word
		for _, e := range v {
			n += sizeOf(e)
		}
		return n
	case map[string]any:
		n := word
		for name, e := range v {
			n += word + len(name) + sizeOf(e)
		}
		return n
	case types.BufferInterface:
		return word + v.Len()
	case socketio.Payload:
		n := word + len(v.JSON) + len(v.Packed)
		for _, b := range v.Attachments {
			n += len(b)
		}
		return n
	}
	return word
}
