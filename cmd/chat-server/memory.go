package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// gcPercent lets the heap grow by half between two collections, where Go's default lets
// it double. What this server allocates most lives as long as its clients, and
// broadcasting allocates next to nothing, so the processor hardly notices and a container
// holds a fifth more clients. Small heaps may grow further, see spareHeap. GOGC and GOMEMLIMIT in the environment have the last word.
const gcPercent = 50

// spareHeap is how far a heap may grow at least between two collections. While clients
// come, a small heap would be collected again and again for the sake of a few megabytes;
// trimMemory gives them back when it is quiet.
const (
	spareHeap    = 32 << 20
	maxGCPercent = 400
)

// tuneMemory paces the collector until ctx is done, unless GOGC does.
func tuneMemory(ctx context.Context) {
	if os.Getenv("GOGC") == "" {
		(&pacer{ctx: ctx}).collected()
	}
}

// A pacer is garbage that comes back: the runtime calls collected after each collection.
type pacer struct {
	ctx     context.Context //nolint:containedctx // it tells when to end
	percent int
}

func (p *pacer) collected() {
	if p.ctx.Err() != nil {
		return
	}
	if percent := percentFor(readHeap().live); percent != p.percent {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
	runtime.SetFinalizer(p, (*pacer).collected)
}

// percentFor is GOGC for a heap of which that many bytes live.
func percentFor(live uint64) int {
	return int(min(max(gcPercent, spareHeap*100/max(live, 1)), maxGCPercent))
}

// trimInterval is how long the heap must have been left alone before it is trimmed, trimPause how often it
// is at the most, and storm how much must have been allocated in such an interval before: what chatting
// leaves behind is for Go to collect, as spareHeap has it.
const (
	trimInterval = 5 * time.Second
	trimPause    = time.Minute
	storm        = 16 << 20
)

// trimMemory gives back what a storm of clients has left behind. Go collects when the
// heap grows, so after many clients came or went at once their garbage would stay, up to
// the forced collection every two minutes, and the pages longer still. It returns when
// ctx is done.
func trimMemory(ctx context.Context) {
	tick := time.NewTicker(trimInterval)
	defer tick.Stop()
	t := trimmer{before: readHeap()}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if t.due(readHeap(), now) {
				debug.FreeOSMemory()
				t.before = readHeap()
			}
		}
	}
}

// A trimmer decides when the heap is trimmed.
type trimmer struct {
	before  heapState // at the last look
	stormed bool      // since the heap was trimmed last
	trimmed time.Time
}

// due looks at the heap, trimInterval after the last time, and tells whether to trim it now.
func (t *trimmer) due(now heapState, at time.Time) bool {
	before, allocated := t.before, now.allocated-t.before.allocated
	t.before = now
	t.stormed = t.stormed || allocated >= storm
	quiet := allocated < minTrim && now.collections == before.collections
	if !quiet || !t.stormed || at.Sub(t.trimmed) < trimPause || !now.worthTrimming() {
		return false
	}
	t.stormed, t.trimmed = false, at
	return true
}

// A heapState is what the decision to trim depends on, in bytes and collections.
type heapState struct {
	collections uint64
	live        uint64 // by the last collection
	objects     uint64 // live, and all allocated since
	free        uint64 // kept from the system for later
	allocated   uint64 // ever
}

func readHeap() heapState {
	s := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(s)
	return heapState{s[0].Value.Uint64(), s[1].Value.Uint64(), s[2].Value.Uint64(), s[3].Value.Uint64(), s[4].Value.Uint64()}
}

// minTrim is too little to collect for.
const minTrim = 4 << 20

// worthTrimming tells whether a tenth of what lives could be given back.
func (h heapState) worthTrimming() bool {
	var surplus uint64
	if h.objects > h.live {
		surplus = h.objects - h.live
	}
	surplus += h.free
	return surplus > minTrim && surplus > h.live/10
}
