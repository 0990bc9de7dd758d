package recovery

import (
	"context"
	"encoding/json"
	"maps"
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
//	         ├─ one that was there lately is missing, or does not answer: again, later
//	         ▼
//	       all say that they do not know it: unknown
//
// An instance that is stopped, cut off or about to end can have it all the same: only the answer of the
// owner, or of all that were there lately, or the deadline, ends the search. The answers to earlier
// questions count until then, because an instance that hands a session over does so once.
const (
	firstRound = 700 * time.Millisecond // that an answer may take; each further round takes twice as long
	takePause  = 100 * time.Millisecond // between rounds, and between looks whether the cluster is joined
	// dumpMargin is how much longer than a dump is old an instance must have listened to have all since.
	dumpMargin = 2 * time.Second
	// maxMoves bounds how often a search is told of another place.
	maxMoves = 8
)

// taken is what came of asking for a session.
type taken struct {
	session *socketio.HandedSession
	mark    uint64
	why     socketio.Refusal
	moved   string // where the session is instead
}

// A search looks for one session.
type search struct {
	x      *Exchange
	pid    socket.PrivateSessionId
	offset string
	owner  string          // the origin of the instance to ask, "": not known
	ctx    context.Context //nolint:containedctx // of this search alone
	found  chan taken      // sessions that instances hand over
	asked  []string        // our questions

	mu        sync.Mutex
	published map[string]uint64 // by origin: how far those that have answered have published
	most      int               // how many others Redis counted at most lately
	mostAt    time.Time
}

// Take looks for a session on the other instances and in Redis.
func (x *Exchange) Take(pid socket.PrivateSessionId, offset string, deadline time.Time) (*socketio.HandedSession, uint64, socketio.Refusal) {
	ctx, cancel := context.WithDeadline(x.cluster.Context(), deadline)
	defer cancel()
	s := &search{
		x: x, pid: pid, offset: offset, owner: socketio.OwnerOf(pid), ctx: ctx, found: make(chan taken, 1), published: map[string]uint64{},
	}
	t := s.run()
	if t.session == nil {
		select {
		case t = <-s.found: // it came when the search was being given up
		default:
		}
	}
	x.unmark(s.asked)
	return t.session, t.mark, t.why
}

func (s *search) run() taken {
	moves := 0
	for round := firstRound; ; round *= 2 {
		for !s.x.cluster.Joined() {
			if !s.pause() {
				return taken{why: socketio.RefusedTimeout}
			}
		}
		if t := s.stored(round); t.why != socketio.RefusedUnknown {
			return t
		}
		t, certain := s.peers(round)
		switch {
		case t.why == socketio.RefusedUnknown && t.moved != "" && t.moved != s.owner && moves < maxMoves:
			moves++
			s.owner, round = t.moved, firstRound/2
			continue // there at once
		case t.why == socketio.RefusedUnknown && t.moved == "" && certain:
			return s.stored(round) // it may have been left there meanwhile
		case t.why == socketio.RefusedUnknown, t.why == socketio.RefusedTimeout: // busy, stopped or gone, or where it went to is
		default:
			return t
		}
		if !s.pause() {
			return taken{why: socketio.RefusedTimeout}
		}
	}
}

// peers asks the other instances, as few as will do. certain tells whether one that is unknown to those
// that were asked is unknown to all.
func (s *search) peers(round time.Duration) (t taken, certain bool) {
	if s.owner == "" || !s.x.roster.there(s.owner) {
		if !s.x.roster.fresh(time.Now()) {
			s.call(round)
		}
		if s.x.roster.madeUp(s.owner, time.Now()) && !s.spoke() {
			return taken{why: socketio.RefusedUnknown}, true
		}
	}
	if s.owner != "" && s.x.roster.there(s.owner) {
		if t = s.ask(round, s.owner); t.why != socketio.RefusedTimeout {
			return t, true
		}
		s.call(round) // is it there still?
		if s.x.roster.there(s.owner) {
			return t, false
		}
	}
	whole := s.x.cluster.Whole(0)
	t = s.ask(round, "")
	return t, whole && s.x.cluster.Whole(0)
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
	began, whole := time.Now(), s.x.cluster.Whole(0)
	var answered atomic.Int64
	req, err := s.x.question(sessionQuestion{})
	if err != nil {
		s.x.roster.end(began, began, false)
		return
	}
	done := make(chan bool, 1)
	s.x.cluster.AskPeers(s.ctx, req, false, func(r *wire.Response) bool {
		if _, ok := s.x.read(r); ok {
			answered.Add(1)
		}
		return true
	}, func(peers int, err error) { done <- err == nil && s.counted(peers) && int(answered.Load()) >= peers })
	all := false
	select {
	case all = <-done:
	case <-time.After(round):
	case <-s.ctx.Done():
	}
	s.x.roster.end(began, time.Now(), all && whole && s.x.cluster.Whole(0))
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
	a := answers{s: s, only: only, id: req.RequestID, came: taken{why: socketio.RefusedUnknown}}
	done := make(chan taken, 1)
	s.x.cluster.AskPeers(s.ctx, req, only != "", a.take, func(peers int, err error) {
		if t, ok := a.all(peers, err); ok {
			done <- t
		}
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

// lately is how long an instance that is not counted any more is missed.
const lately = 5 * time.Second

// counted notes how many others Redis counts, and tells whether none is missing that was there when this search asked before.
func (s *search) counted(peers int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if peers >= s.most || time.Since(s.mostAt) > lately {
		s.most, s.mostAt = peers, time.Now()
	}
	return peers >= s.most
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
	took := time.Now()
	// The instance that has stored the session is missed for a while. It is not waited for: what it published is in the log.
	whole := func() bool {
		ended := 0
		if time.Duration(h.Age)*time.Millisecond+time.Since(took) < lately {
			ended = 1
		}
		return s.x.cluster.Whole(ended)
	}
	for { // an instance that is missing for a moment may be the one that has published
		before := whole()
		if t := s.ask(round, ""); t.why == socketio.RefusedUnknown && before && whole() {
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
