package engineio

import (
	"errors"
	"syscall"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/uring"
)

// Entering the kernel is most of what a delivery costs where each connection has little
// to write. A worker of the flusher lets the turns of many connections leave with one
// system call:
//
//	takeTurn, write ─► gather ─┐
//	takeTurn, write ─► gather ─┼─► enter ─► uring.Pool.Send ─► end: each turn's own
//	takeTurn, write ─► gather ─┘                │
//	                                            └► what the ring has not tried: send(2)
//
// Nothing waits for company: what is gathered is what was in the line anyway.

const (
	// gatherFrom is flusher.gatherFrom outside of tests.
	gatherFrom = 4
	// maxGathered is how many bytes of one connection are gathered. What is longer costs more
	// for its bytes than for the system call, and would hold up the others.
	maxGathered = 16 << 10
)

// gathered is what leaves with the next enter. It belongs to its writer.
type gathered struct {
	ring  ring // nil: nothing is gathered
	turns []turn
	sends []uring.Send // of the turns
	room  []byte       // for turns of several frames; never grows
}

// gather takes a turn whose transport has begun to write. It reports false for one that
// is to be written by itself.
func (w *writer) gather(n *turn) bool {
	g := &w.shared
	if g.ring == nil || n.t.fd == netpoll.None {
		return false
	}
	frames, protocol := n.out.list(&w.single), n.c.Protocol()
	if len(frames) == 1 && n.t.head == nil {
		if data := frames[0].webSocket(protocol); len(data) <= maxGathered {
			g.add(n, data)
			return true
		}
		return false
	}
	size := len(n.t.head)
	for _, f := range frames {
		size += len(f.webSocket(protocol))
	}
	if size > maxGathered {
		return false
	}
	if len(g.room)+size > cap(g.room) {
		w.enter()
		if g.room == nil {
			g.room = make([]byte, 0, writeChunk)
		}
	}
	begin := len(g.room)
	g.room = append(g.room, n.t.takeHead()...)
	for _, f := range frames {
		g.room = append(g.room, f.webSocket(protocol)...)
	}
	g.add(n, g.room[begin:])
	return true
}

func (g *gathered) add(n *turn, data []byte) {
	g.turns = append(g.turns, *n)
	g.sends = append(g.sends, uring.Send{FD: int32(n.t.fd), Data: data})
}

// enter writes what has been gathered and ends the turns.
func (w *writer) enter() {
	g := &w.shared
	if len(g.sends) == 0 {
		return
	}
	tried := g.ring.Send(g.sends)
	w.sent.Batched += uint64(tried)
	for i := range g.turns {
		n, s := &g.turns[i], &g.sends[i]
		if i >= tried {
			s.N, s.Err = n.t.send(s.Data)
		} else if errors.Is(s.Err, syscall.EAGAIN) || errors.Is(s.Err, syscall.EINTR) {
			s.N, s.Err = 0, nil
		}
		var rest remainder
		if s.Err == nil && s.N < len(s.Data) {
			rest = remainder{buf: append([]byte(nil), s.Data[s.N:]...), next: n.out.len(), some: true}
		}
		if n.end(w, rest, s.Err) {
			w.again = append(w.again, n.c)
		}
	}
	clear(g.turns)
	clear(g.sends)
	g.turns, g.sends, g.room = g.turns[:0], g.sends[:0], g.room[:0]
}

// IOUring tells whether broadcasts leave by io_uring: nil if they do, and otherwise why
// not. They may cease to, when the system begins to refuse.
func (s *Server) IOUring() error {
	if s.flusher.noRing != nil {
		return s.flusher.noRing
	}
	return s.flusher.ring.Err()
}

var errRingOff = errors.New("it is switched off")
