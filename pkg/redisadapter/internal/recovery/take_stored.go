package recovery

import (
	"encoding/json"
	"maps"
	"time"

	"socketio-chat/pkg/socketio"
)

const (
	// dumpMargin is how much longer than a dump is old an instance must have listened to have all since.
	dumpMargin = 2 * time.Second
	// onTheWay is how long what an instance has published may wait there for others to come back, see hub.settleTime, and be on its way.
	onTheWay = 3500 * time.Millisecond
)

// stored takes the session if another instance has left it in Redis. It is removed there last of all, when it is certain that nothing is
// missing: if this instance is lost meanwhile, or its client, the session is there for the next one. What is neither in the log nor kept here
// is lost to the client.
func (s *search) stored(round time.Duration) taken {
	session, log, why := s.x.store.read(s.ctx, s.pid)
	if why != socketio.NotRefused {
		if why == socketio.RefusedTimeout && s.ctx.Err() == nil {
			why = socketio.RefusedUnknown // Redis is away: the next round shows
		}
		return taken{why: why}
	}
	h, why := s.hand(log, session)
	if h != nil && s.x.local.ListenedFor() <= time.Duration(h.Age)*time.Millisecond+dumpMargin {
		t := s.heardSince(h, round)
		if t.session != nil || t.why == socketio.RefusedTimeout {
			return t
		}
		if h, why = nil, t.why; why == socketio.NotRefused {
			h, why = s.hand(log, session) // with what is kept by now
		}
	}
	switch removed := s.x.store.remove(s.ctx, s.pid); {
	case h == nil:
		return taken{why: why}
	case !removed:
		return taken{why: socketio.RefusedUnknown} // somebody else was first
	}
	return taken{session: h, why: why}
}

// hand describes a stored session to this instance.
func (s *search) hand(log *socketio.StoredLog, session json.RawMessage) (*socketio.HandedSession, socketio.Refusal) {
	kept, _, _ := s.x.local.Kept()
	return log.Hand(session, s.offset, kept, s.x.local.RecoversFor())
}

// hadUntil is a moment up to which all that others had said, and Redis had, is in a session that has just been described.
func hadUntil(h *socketio.HandedSession) time.Time {
	return time.Now().Add(-time.Duration(h.Age+max(h.Behind, 0))*time.Millisecond - onTheWay - clockSkew)
}

// heardSince asks how far all instances have published, and tells whether everything that they did since
// a session was stored came here: this instance began to listen later, perhaps. If another one has taken the session meanwhile, it gives it
// away as ever.
func (s *search) heardSince(h *socketio.HandedSession, round time.Duration) taken {
	had := hadUntil(h)
	for { // an instance that is missing for a moment may be the one that has published
		t := s.ask(round, "")
		if t.session != nil || final(t.why) {
			return t
		}
		if t.why == socketio.RefusedUnknown && !t.partial {
			break
		}
		if !s.pause(takePause) {
			return taken{why: socketio.RefusedTimeout}
		}
	}
	if t := s.leftBehind(had); t.why != socketio.NotRefused {
		return t
	}
	for end := time.Now().Add(onTheWay); !s.hasAll(h); {
		if time.Now().After(end) || !s.pause(takePause) {
			return taken{why: socketio.RefusedCut} // published before this instance was there, or when it did not hear
		}
	}
	return taken{}
}

// leftBehind notes how far those had published that cannot be asked any more. What those said that had ended at a time up to which all had come
// is in the session: the instance that left it had heard them, or those that it has it from. Redis is asked after all instances have
// answered: those that have ended since then were among them.
func (s *search) leftBehind(had time.Time) taken {
	for {
		last, err := s.x.store.last(s.ctx)
		if err == nil {
			for _, l := range last {
				if l.at.Before(had) {
					continue
				}
				s.note(sessionAnswer{Origin: l.origin, Published: l.published})
			}
			return taken{}
		}
		if denied(err) {
			s.x.cluster.Warn(lastDenied, err)
			return taken{why: socketio.RefusedCut}
		}
		if !s.pause(takePause) {
			return taken{why: socketio.RefusedTimeout}
		}
	}
}

// hasAll tells whether all that those published came here who have answered, or was there when a session was stored.
func (s *search) hasAll(h *socketio.HandedSession) bool {
	s.mu.Lock()
	published := maps.Clone(s.published)
	s.mu.Unlock()
	now, own, _ := s.x.local.Kept()
	for origin, n := range published {
		if origin != own && n > max(h.Seen[origin], now[origin][1]) {
			return false
		}
	}
	return true
}
