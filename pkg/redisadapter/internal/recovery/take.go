package recovery

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// How a session is looked for, while its client waits for the answer to its CONNECT:
//
//	Redis away ──► wait until the cluster is joined
//	    ▼
//	is it in Redis? an instance that ended in order has left it there ──► found
//	    ▼
//	its private id names its owner
//	    ├─ nobody: everybody answered lately, no such instance ever did, and nobody has heard of it ──► unknown
//	    ├─ an instance that is there: ask it alone ──► found, refused for good, or it says where it went: ask there
//	    └─ one that is not there, or the id names none (an older instance gave it out): ask all
//	         ├─ one that was there lately is missing and has not ended in order, or does not answer: again, later
//	         ▼
//	       all say that they do not know it: unknown
//
// An instance that is stopped, cut off or about to end can have it all the same: only the answer of the
// owner, or of all that were there lately, or the deadline, ends the search. The answers to earlier
// questions count until then, because an instance that hands a session over does so once.
const (
	firstRound = 700 * time.Millisecond // that an answer may take; each further round takes twice as long
	takePause  = 100 * time.Millisecond // between looks whether the cluster is joined, and at first between rounds: each further pause takes twice as long …
	maxPause   = 400 * time.Millisecond // … up to this
	// maxMoves bounds how often a search is told of another place.
	maxMoves = 8
)

// taken is what came of asking for a session.
type taken struct {
	session *socketio.HandedSession
	mark    uint64
	why     socketio.Refusal
	moved   string // where the session is instead
	partial bool   // instances that were there lately were not asked
}

// A search looks for one session.
type search struct {
	x      *Exchange
	pid    socket.PrivateSessionId
	offset string
	owner  string          // the origin of the instance to ask, "": not known
	ctx    context.Context //nolint:containedctx // of this search alone
	found  chan taken      // sessions that instances hand over
	ended  chan taken      // the refusal with which an instance has ended the session
	asked  []string        // our questions

	mu        sync.Mutex
	published map[string]uint64 // by origin: how far those that have answered have published
}

// Take looks for a session on the other instances and in Redis.
func (x *Exchange) Take(pid socket.PrivateSessionId, offset string, deadline time.Time) (*socketio.HandedSession, uint64, socketio.Refusal) {
	ctx, cancel := context.WithDeadline(x.cluster.Context(), deadline)
	defer cancel()
	s := &search{
		x: x, pid: pid, offset: offset, owner: socketio.OwnerOf(pid), ctx: ctx, found: make(chan taken, 1), ended: make(chan taken, 1), published: map[string]uint64{},
	}
	t := s.run()
	if t.session == nil { // it may have come when the search was being given up
		t = s.late(t)
	}
	x.unmark(s.asked)
	return t.session, t.mark, t.why
}

// late is what came of earlier questions, else t.
func (s *search) late(t taken) taken {
	select {
	case t = <-s.found:
		return t
	default:
	}
	select {
	case t = <-s.ended:
	default:
	}
	return t
}

// refuse notes that an instance has ended the session, and why: it is unknown to all that are asked from then on.
func (s *search) refuse(why socketio.Refusal) {
	select {
	case s.ended <- taken{why: why}:
	default:
	}
}

func (s *search) run() taken {
	moves, pause := 0, takePause
	for round := firstRound; ; round *= 2 {
		for !s.x.cluster.Joined() {
			if !s.pause(takePause) {
				return taken{why: socketio.RefusedTimeout}
			}
		}
		if t := s.stored(round); t.why != socketio.RefusedUnknown {
			return t
		}
		t := s.peers(round)
		switch {
		case t.why == socketio.RefusedUnknown && t.moved != "" && t.moved != s.owner && moves < maxMoves:
			moves++
			s.owner, round = t.moved, firstRound/2
			continue // there at once
		case t.why == socketio.RefusedUnknown && t.moved == "" && !t.partial:
			return s.stored(round) // it may have been left there meanwhile
		case t.why == socketio.RefusedUnknown, t.why == socketio.RefusedTimeout: // busy, stopped or gone, or where it went to is
		default:
			return t
		}
		if !s.pause(pause) {
			return taken{why: socketio.RefusedTimeout}
		}
		pause = min(2*pause, maxPause)
	}
}

// peers asks the other instances, as few as will do.
func (s *search) peers(round time.Duration) taken {
	if s.owner == "" || !s.x.roster.there(s.owner) {
		if !s.x.roster.fresh(time.Now()) {
			s.call(round)
		}
		if s.x.roster.madeUp(s.owner, time.Now()) && !s.spoke() {
			return taken{why: socketio.RefusedUnknown}
		}
	}
	if s.owner != "" && s.x.roster.there(s.owner) {
		if t := s.ask(round, s.owner); t.why != socketio.RefusedTimeout {
			return t
		}
		s.call(round) // is it there still?
		if s.x.roster.there(s.owner) {
			return taken{why: socketio.RefusedTimeout}
		}
	}
	return s.ask(round, "")
}

// spoke tells whether events of the owner came here: it may have come since everybody was called.
func (s *search) spoke() bool {
	kept, _, _ := s.x.local.Kept()
	_, ok := kept[s.owner]
	return ok
}

// call asks all instances who they are, unless that is being asked: then it waits for that.
func (s *search) call(round time.Duration) {
	if wait := s.x.roster.begin(); wait != nil {
		select {
		case <-wait:
		case <-s.ctx.Done():
		}
		return
	}
	began := time.Now()
	var answered atomic.Int64
	req, err := s.x.question(sessionQuestion{})
	if err != nil {
		s.x.roster.end(began, began, false)
		return
	}
	done := make(chan wire.Census, 1) // if all have answered that are there
	s.x.cluster.AskPeers(s.ctx, req, false, func(r *wire.Response) bool {
		if _, ok := s.x.read(r); ok {
			answered.Add(1)
		}
		return true
	}, func(c wire.Census, err error) {
		if err == nil && int(answered.Load()) >= c.Ours-1 {
			done <- c
		} else {
			close(done)
		}
	})
	all := false
	select {
	case c, ok := <-done:
		all = ok && !s.missing(c, nil)
	case <-time.After(round):
	case <-s.ctx.Done():
	}
	s.x.roster.end(began, time.Now(), all)
}

// pause reports false if the time is over.
func (s *search) pause(d time.Duration) bool {
	select {
	case <-s.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// question makes a request.
func (x *Exchange) question(q sessionQuestion) (*wire.Request, error) {
	b, err := wire.EncodeJSON(q)
	return &wire.Request{RequestID: wire.NewID(), Type: wire.SessionRequest, Data: json.RawMessage(b)}, err
}

// read reads an answer, and notes that its sender is there.
func (x *Exchange) read(r *wire.Response) (answer sessionAnswer, ok bool) {
	if json.Unmarshal(r.Data, &answer) != nil {
		return answer, false
	}
	x.roster.note(answer.Origin, answer.Owners, time.Now())
	if answer.Moved != "" {
		answer.Adopted = append(answer.Adopted, answer.Moved)
	}
	x.roster.adopted(answer.Adopted, time.Now())
	return answer, true
}

// ask sends a question to the instance with the origin only ("": to all), and returns what came of it, or
// of earlier ones, within d.
func (s *search) ask(d time.Duration, only string) taken {
	kept, _, _ := s.x.local.Kept()
	req, err := s.x.question(sessionQuestion{s.pid, s.offset, kept, only})
	if err != nil {
		return taken{why: socketio.RefusedUnknown}
	}
	s.x.expect(req.RequestID)
	s.asked = append(s.asked, req.RequestID)
	a := answers{s: s, only: only, id: req.RequestID, came: taken{why: socketio.RefusedUnknown}, answered: map[string]bool{}}
	if only == "" {
		a.lately = s.x.lately()
	}
	done := make(chan wire.Census, 1)
	s.x.cluster.AskPeers(s.ctx, req, only != "", a.take, func(c wire.Census, err error) {
		if a.all(c, err) {
			done <- c
		}
	})
	timeout := time.NewTimer(d)
	defer timeout.Stop()
	select {
	case t := <-s.found:
		return t
	case t := <-s.ended:
		return t
	case c := <-done:
		return s.late(a.result(c))
	case <-timeout.C:
	case <-s.ctx.Done():
	}
	return taken{why: socketio.RefusedTimeout}
}

// note remembers how far an instance has published.
func (s *search) note(a sessionAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published[a.Origin] = max(s.published[a.Origin], a.Published)
}
