package adminui

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/zishang520/engine.io/v2/types"

	"socketio-chat/pkg/jsonscan"
	"socketio-chat/pkg/ratelog"
	"socketio-chat/pkg/socketio"
)

// Bounds of what is noted and not sent yet.
const (
	maxEvents     = 4096 // beyond, events of clients are left out
	maxEventBytes = 16 << 20
	maxNotes      = 65536 // beyond, everything is: the page is wrong until it is loaded again
	maxNoteBytes  = 64 << 20
)

// note is an event for the pages.
type note struct {
	event string
	args  []any
	size  int // about how many bytes it keeps
}

// reporter sends notes in their order. The code that makes them may hold locks, so they are sent elsewhere.
type reporter struct {
	notes   sync.Mutex // guards pending, bytes and leftOut
	pending []note
	bytes   int // kept by those that are pending, or being sent
	leftOut int
	wake    chan struct{}
}

func (r *reporter) init() { r.wake = make(chan struct{}, 1) }

// tell notes a change of what there is.
func (r *reporter) tell(event string, args ...any) { r.put(maxNotes, maxNoteBytes, event, args) }

// tellEvent notes an event of a client.
func (r *reporter) tellEvent(event string, args ...any) {
	r.put(maxEvents, maxEventBytes, event, args)
}

// put notes an event while there are fewer than most, and they keep less than bytes.
func (r *reporter) put(most, bytes int, event string, args []any) {
	n := note{event, args, sizeOf(args, 0)}
	r.notes.Lock()
	if len(r.pending) < most && (r.bytes == 0 || r.bytes+n.size <= bytes) {
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
		for i, n := range list {
			if ctx.Err() != nil {
				return
			}
			ns.Broadcast(n.event, n.args...)
			list[i] = note{}
			r.notes.Lock()
			r.bytes -= n.size
			r.notes.Unlock()
		}
	}
}

// Sizes in memory, in bytes.
const (
	wordSize  = 16  // of an interface
	groupSize = 300 // of a map with little in it
)

// sizeOf is about how many bytes a value takes. What the parser makes, and descriptions of sockets, it knows; for all else it asks how long its
// JSON is, which has to be made anyway.
func sizeOf(v any, depth int) int {
	if depth > jsonscan.MaxDepth {
		return wordSize // it will not be sent
	}
	n := wordSize
	switch v := v.(type) {
	case nil, bool, float64, int, int64, uint64:
	case string:
		n += len(v)
	case []byte:
		n += len(v)
	case []any:
		for _, e := range v {
			n += sizeOf(e, depth+1)
		}
	case map[string]any:
		n += groupSize
		for name, e := range v {
			n += wordSize + len(name) + sizeOf(e, depth+1)
		}
	case types.BufferInterface:
		n += v.Len()
	case socketio.Payload:
		n += len(v.JSON) + len(v.Packed)
		for _, b := range v.Attachments {
			n += len(b)
		}
	case shown:
		n += groupSize + sizeOf(v.Data, depth+1) + sizeOf(v.Handshake.Headers, depth+1) + sizeOf(v.Handshake.Query, depth+1)
	default:
		if b, err := json.Marshal(v); err == nil { // what has none is not sent
			n += len(b)
		}
	}
	return n
}
