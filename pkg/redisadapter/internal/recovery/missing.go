package recovery

import (
	"time"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

const (
	// lately is how long an owner that was heard of and does not answer is missed.
	lately = 5 * time.Second
	// clockSkew is how far apart the clocks of two instances may be.
	clockSkew = 500 * time.Millisecond
)

// missing tells whether instances that were there lately are not there, and have not ended in order: they may come back, with the session.
func (s *search) missing(c wire.Census) bool {
	if c.Missing == 0 {
		return false
	}
	last, err := s.x.store.last(s.ctx)
	if err != nil {
		return true
	}
	ended := map[string]bool{}
	for _, l := range last {
		if l.at.After(c.MissedSince.Add(-clockSkew)) {
			ended[l.origin] = true
		}
	}
	return c.Missing > len(ended)
}

// lately tells whether an owner was there lately, and has not ended in order. If as many have come as have gone, the census does not show that.
func (s *search) lately(owner string) bool {
	since := time.Now().Add(-lately)
	if owner == "" || !s.x.roster.answeredSince(owner, since) && !s.x.local.HeardSince(owner, since) {
		return false
	}
	last, _ := s.x.store.last(s.ctx) // if Redis does not answer it may have ended or not
	for _, l := range last {
		if l.origin == owner {
			return false
		}
	}
	return true
}
