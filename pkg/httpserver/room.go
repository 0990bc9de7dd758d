package httpserver

import (
	"log/slog"
	"net"
	"sync/atomic"

	"socketio-chat/pkg/ratelog"
)

// spareDescriptors are left for the operators' address, Redis, other instances and files, however
// many clients connect.
const spareDescriptors = 64

// idler is a part of the server that keeps connections between requests, such as Options.Front's
// listener.
type idler interface {
	Idle() int       // how many there are
	CloseIdle() bool // closes the one that has waited longest; false: there is none
	CloseSlow() bool // closes the one that has longest not read its answer, of those of no session; false: there is none
}

// A room bounds the connections of an address, the public's or the operators', that have no request to be answered. When one more
// comes, the one that has waited longest is closed, which costs its client nothing.
type room struct {
	most    int   // of them; 0: no bound
	spare   int32 // how many descriptors are for others
	highest int32 // the first descriptor that must stay free; 0: not known
	waiting *waiting
	front   idler // nil: none
	log     ratelog.Log

	closed, cut, refused atomic.Uint64
}

// Stats counts what became of connections, the operators' too, and of requests to those.
type Stats struct {
	ClosedIdle uint64 // closed for another one: MaxIdle or the process' descriptors were used up
	ClosedSlow uint64 // closed in the middle of an answer, which was not read, when those were used up
	Refused    uint64 // closed at once: all descriptors have requests or sessions

	RefusedPages uint64 // requests of web pages that the operators' address does not answer
}

func (s Stats) plus(o Stats) Stats {
	return Stats{ClosedIdle: s.ClosedIdle + o.ClosedIdle, ClosedSlow: s.ClosedSlow + o.ClosedSlow, Refused: s.Refused + o.Refused}
}

func (r *room) stats() Stats {
	return Stats{ClosedIdle: r.closed.Load(), ClosedSlow: r.cut.Load(), Refused: r.refused.Load()}
}

func newRoom(most, spare int, w *waiting, log *slog.Logger) *room {
	r := &room{most: most, spare: int32(spare), waiting: w, log: ratelog.Log{Logger: log}}
	if limit := descriptors(); limit > 2*spareDescriptors {
		r.highest = int32(min(limit-spare, 1<<30))
	}
	return r
}

// admit reports whether a new connection may stay.
func (r *room) admit(nc net.Conn) bool {
	// Several may have got too many: they come to wait when they have been answered, too.
	closed := false
	for r.most > 0 && r.idle() >= r.most && r.closeIdle() {
		r.closed.Add(1)
		closed = true
	}
	if r.highest <= 0 {
		return true
	}
	free := freeDescriptor(nc)
	if free < r.highest {
		return true
	}
	switch {
	case closed:
	case r.closeIdle():
		r.closed.Add(1)
	case r.closeSlow():
		r.cut.Add(1)
	default:
		return r.refuse()
	}
	// What is closed here frees its descriptor only when its reader has noticed, so half of the spare
	// ones may go for that, and no more.
	return free < r.highest+r.spare/2 || r.refuse()
}

// refuse counts a connection that may not stay, and reports false.
func (r *room) refuse() bool {
	r.refused.Add(1)
	r.log.Warn("descriptors", "a connection was refused: the process may have no more open files (ulimit -n)",
		slog.Int("limit", descriptors()))
	return false
}

func (r *room) idle() int {
	n := r.waiting.len()
	if r.front != nil {
		n += r.front.Idle()
	}
	return n
}

func (r *room) closeIdle() bool {
	if r.front != nil && r.front.Idle() > r.waiting.len() && r.front.CloseIdle() {
		return true
	}
	return r.waiting.closeOldest() || r.front != nil && r.front.CloseIdle()
}

func (r *room) closeSlow() bool {
	return r.waiting.unread.CutOldest() || r.front != nil && r.front.CloseSlow()
}

// A roomListener accepts what there is room for.
type roomListener struct {
	net.Listener
	room *room
}

func (l roomListener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil || l.room.admit(nc) {
			return nc, err //nolint:wrapcheck // net/http looks into it
		}
		_ = nc.Close()
	}
}
