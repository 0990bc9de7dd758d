package recovery

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
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
//	ask the other instances ──► found, or refused for good
//	    ├─ one that was there lately is missing, or does not answer: again, later
//	    ▼
//	all say that they do not know it: unknown
//
// An instance that is stopped, cut off or about to end can have it all the same: only the answers of
// all that were there lately, or the deadline, end the search. The answers to earlier questions count
// until then, because an instance that hands a session over does so once.
const (
	firstRound = 700 * time.Millisecond // that an answer may take; each further round takes twice as long
	takePause  = 100 * time.Millisecond // between rounds, and between looks whether the cluster is joined
	// dumpMargin is how much longer than a dump is old an instance must have listened to have all since.
	dumpMargin = 2 * time.Second
)

// taken is what came of asking for a session.
type taken struct {
	session *socketio.HandedSession
	mark    uint64
	why     socketio.Refusal
}

// A search looks for one session.
type search struct {
	x      *Exchange
	pid    socket.PrivateSessionId
	offset string
	ctx    context.Context //nolint:containedctx // of this search alone
	found  chan taken      // sessions that instances hand over

	mu        sync.Mutex
	published map[string]uint64 // by origin: how far those that have answered have published
}

// Take looks for a session on the other instances and in Redis.
func (x *Exchange) Take(pid socket.PrivateSessionId, offset string, deadline time.Time) (*socketio.HandedSession, uint64, socketio.Refusal) {
	ctx, cancel := context.WithDeadline(x.cluster.Context(), deadline)
	defer cancel()
	s := &search{x: x, pid: pid, offset: offset, ctx: ctx, found: make(chan taken, 1), published: map[string]uint64{}}
	t := s.run()
	return t.session, t.mark, t.why
}

func (s *search) run() taken {
	for round := firstRound; ; round *= 2 {
		for !s.x.cluster.Joined() {
			if !s.pause() {
				return taken{why: socketio.RefusedTimeout}
			}
		}
		if t := s.stored(round); t.why != socketio.RefusedUnknown {
			return t
		}
		whole := s.x.cluster.Whole()
		switch t := s.ask(round); t.why {
		case socketio.RefusedUnknown:
			if whole && s.x.cluster.Whole() {
				return s.stored(round) // it may have been left there meanwhile
			}
		case socketio.RefusedTimeout: // busy, stopped or gone
		default:
			return t
		}
		if !s.pause() {
			return taken{why: socketio.RefusedTimeout}
		}
	}
}

// pause reports false if the time is over.
func (s *search) pause() bool {
	select {
	case <-s.ctx.Done():
		return false
	case <-time.After(takePause):
		return true
	}
}

// ask sends a question, and returns what came of it, or of earlier ones, within d.
func (s *search) ask(d time.Duration) taken {
	kept, _, _ := s.x.local.Kept()
	q, err := wire.EncodeJSON(sessionQuestion{s.pid, s.offset, kept})
	if err != nil {
		return taken{why: socketio.RefusedUnknown}
	}
	req := &wire.Request{RequestID: wire.NewID(), Type: wire.SessionRequest, Data: json.RawMessage(q)}
	s.x.expect(req.RequestID)
	done, why := make(chan taken, 1), socketio.RefusedUnknown
	s.x.cluster.AskPeers(req, func(r *wire.Response) {
		var answer sessionAnswer
		if json.Unmarshal(r.Data, &answer) != nil {
			return
		}
		s.note(answer)
		why = max(why, answer.Refusal)
		if answer.Session != nil {
			select {
			case s.found <- taken{session: answer.Session, mark: s.x.mark(req.RequestID)}:
			default:
			}
		}
	}, func(err error) {
		s.x.mark(req.RequestID)
		if err != nil {
			why = socketio.RefusedTimeout
		}
		done <- taken{why: why}
	})
	timeout := time.NewTimer(d)
	defer timeout.Stop()
	select {
	case t := <-s.found:
		return t
	case t := <-done:
		select {
		case t = <-s.found:
		default:
		}
		return t
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

// stored takes the session if another instance has left it in Redis. What is neither in the log nor kept
// here is lost to the client.
func (s *search) stored(round time.Duration) taken {
	session, log, why := s.x.store.take(s.ctx, s.pid)
	if why != socketio.NotRefused {
		if why == socketio.RefusedTimeout && s.ctx.Err() == nil {
			why = socketio.RefusedUnknown // Redis is away: the next round shows
		}
		return taken{why: why}
	}
	kept, _, _ := s.x.local.Kept()
	h, why := log.Hand(session, s.offset, kept, s.x.local.RecoversFor())
	if h == nil {
		return taken{why: why}
	}
	if s.x.local.ListenedFor() <= time.Duration(h.Age)*time.Millisecond+dumpMargin && !s.heardSince(h, round) {
		return taken{why: socketio.RefusedCut}
	}
	return taken{session: h, why: why}
}

// heardSince asks how far all instances have published, and tells whether everything that they did since
// a session was stored came here: this instance began to listen later, perhaps.
func (s *search) heardSince(h *socketio.HandedSession, round time.Duration) bool {
	for { // an instance that is missing for a moment may be the one that has published
		whole := s.x.cluster.Whole()
		if t := s.ask(round); t.why == socketio.RefusedUnknown && whole && s.x.cluster.Whole() {
			break
		}
		if !s.pause() {
			return false
		}
	}
	s.mu.Lock()
	published := maps.Clone(s.published)
	s.mu.Unlock()
	now, _, _ := s.x.local.Kept()
	for origin, n := range published {
		if n > h.Seen[origin] && now[origin][1] == 0 {
			return false // published before we were there
		}
	}
	return true
}
