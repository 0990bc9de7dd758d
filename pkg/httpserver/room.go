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
}

// A room bounds the connections of the public that have no request to be answered. When one more
// comes, the one that has waited longest is closed, which costs its client nothing.
type room struct {
	most    int   // of them; 0: no bound
	highest int32 // the first descriptor that must stay free; 0: not known
	waiting *waiting
	front   idler // nil: none
	log     ratelog.Log

	closed, refused atomic.Uint64
}

// Stats counts what became of the public's connections.
type Stats struct {
	ClosedIdle uint64 // closed for another one: MaxIdle or the process' descriptors were used up
	Refused    uint64 // closed at once: all descriptors have requests or sessions
}

func newRoom(most int, w *waiting, log *slog.Logger) *room {
	r := &room{most: most, waiting: w, log: ratelog.Log{Logger: log}}
	if limit := descriptors(); limit > 2*spareDescriptors {
		r.highest = int32(min(limit-spareDescriptors, 1<<30))
	}
	return r
}

// admit reports whether a new connection may stay.
func (r *room) admit(nc net.Conn) bool {
	// A new descriptor is the lowest that is free: all below are in use.
	crowded := r.highest > 0 && descriptorOf(nc) >= r.highest
	if !crowded && (r.most <= 0 || r.idle() < r.most) {
		return true
	}
	if r.closeIdle() {
		r.closed.Add(1)
		return true
	}
	if !crowded {
		return true
	}
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
