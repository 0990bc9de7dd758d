package engineio

import (
	"errors"
	"slices"
	"syscall"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/uring"
)

// Entering the kernel is most of what a delivery costs where each connection has little
// to write. A worker of the flusher lets the turns of many connections leave with one
// system call, and the answers to polls that wait at the front:
//
//	takeTurn, write ─► gather ───────┐
//	takeTurn, write ─► gather ───────┼─► enter ─► uring.Pool.Send ─► end: each turn's own, or wrote: each answer's
//	takeTurn, answer ─► answerSink ──┘                │
//	                                                  └► what the ring has not tried: send(2)
//
// Nothing waits for company: what is gathered is what was in the line anyway.

const (
	// gatherFrom is flusher.gatherFrom outside of tests.
	gatherFrom = 4
	// maxCopied is how many bytes of one connection are copied to leave as one: its frames, or an answer.
	// What is longer costs more for that than it spares.
	maxCopied = 16 << 10
	// maxGathered is how long a frame may be that leaves with others from where it is. What is longer would
	// hold them up.
	maxGathered = 128 << 10
	// maxEntered is how many bytes of such frames leave at once: a millisecond's worth, for which what stands with them
	// waits.
	maxEntered = 4 << 20
)

// gathered is what leaves with the next enter. It belongs to its writer.
type gathered struct {
	ring  ring // nil: nothing is gathered
	parts []part
	sends []uring.Send // of the parts
	bytes int          // of those in place
	room  []byte       // for answers, and turns of several frames; never grows
	sink  answerSink   // of the answer that is being put together
}

// A part is a turn or, with poll, the answer to a poll there.
type part struct {
	turn    turn
	inPlace bool // what is sent is a frame of the turn, which nobody changes, and not in room
	poll    *frontConn
	receipt pollReceipt
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
		data := frames[0].webSocket(protocol)
		if len(data) > maxGathered {
			return false
		}
		if g.bytes+len(data) > maxEntered {
			w.enter()
		}
		g.bytes += len(data)
		g.add(part{turn: *n, inPlace: true}, n.t.fd, data)
		return true
	}
	size := len(n.t.head)
	for _, f := range frames {
		size += len(f.webSocket(protocol))
	}
	if size > maxCopied {
		return false
	}
	w.makeRoom(size)
	begin := len(g.room)
	g.room = append(g.room, n.t.takeHead()...)
	for _, f := range frames {
		g.room = append(g.room, f.webSocket(protocol)...)
	}
	g.add(part{turn: *n}, n.t.fd, g.room[begin:])
	return true
}

// makeRoom lets size bytes fit behind room. What is in the way leaves.
func (w *writer) makeRoom(size int) {
	g := &w.shared
	if g.room == nil {
		g.room = make([]byte, 0, writeChunk)
	}
	if len(g.room)+size > cap(g.room) {
		w.enter()
	}
}

func (g *gathered) add(p part, fd netpoll.FD, data []byte) {
	g.parts = append(g.parts, p)
	g.sends = append(g.sends, uring.Send{FD: int32(fd), Data: data})
}

// answer answers the poll of c that waited at fc and that the caller has taken: with the next enter if w, which may be nil,
// gathers and the answer is short, and at once otherwise.
func (w *writer) answer(fc *frontConn, c *Conn, a pollAnswer) {
	if w == nil || w.shared.ring == nil {
		fc.answer(fc, c, a)
		return
	}
	w.shared.sink = answerSink{w, fc}
	fc.answer(&w.shared.sink, c, a)
	w.shared.sink = answerSink{} // the writer is kept, and keeps nobody
}

// An answerSink is a pollSink that gathers.
type answerSink struct {
	w  *writer
	fc *frontConn
}

func (*answerSink) waits() bool { return false }

// headRoom is more than the head of an answer takes beside its fields of CORS.
const headRoom = 512

func (s *answerSink) writeAnswer(status int, contentType string, body []byte, r pollReceipt) {
	size := headRoom + len(s.fc.cors.fields) + len(body)
	if size > maxCopied {
		s.fc.writeAnswer(status, contentType, body, r)
		return
	}
	s.w.makeRoom(size)
	g := &s.w.shared
	begin := len(g.room)
	g.room = append(s.fc.appendHead(g.room, status, contentType, len(body)), body...)
	g.add(part{poll: s.fc, receipt: r}, s.fc.fd, g.room[begin:])
}

// enter writes what has been gathered, ends the turns, and lets the connections that were polled go on.
func (w *writer) enter() {
	g := &w.shared
	if len(g.sends) == 0 {
		return
	}
	tried := g.ring.Send(g.sends)
	for i := range g.parts {
		n, s := &g.parts[i].turn, &g.sends[i]
		if i >= tried {
			s.N, s.Err = netpoll.FD(s.FD).Send(s.Data)
		} else if errors.Is(s.Err, syscall.EAGAIN) || errors.Is(s.Err, syscall.EINTR) {
			s.N, s.Err = 0, nil
		}
		p := &g.parts[i]
		if i < tried && (p.poll == nil || p.receipt.size > 0) { // an answer without packets is no write
			w.sent.Batched++
		}
		if p.poll != nil {
			p.poll.wroteAnswer(s.Data[s.N:], s.Err, p.receipt)
			continue
		}
		var rest remainder
		if s.Err == nil && s.N < len(s.Data) {
			rest = remainder{buf: s.Data[s.N:], next: n.out.len(), some: true}
			if !p.inPlace {
				rest.buf = slices.Clone(rest.buf)
			}
		}
		if n.end(w, rest, s.Err) {
			w.again = append(w.again, n.c)
		}
	}
	clear(g.parts)
	clear(g.sends)
	g.parts, g.sends, g.room, g.bytes = g.parts[:0], g.sends[:0], g.room[:0], 0
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
