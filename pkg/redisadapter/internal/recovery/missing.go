package recovery

import (
	"slices"
	"time"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

const (
	// lately is how long an instance that was heard of and does not answer is missed.
	lately = 5 * time.Second
	// clockSkew is how far apart the clocks of two instances may be.
	clockSkew = 500 * time.Millisecond
)

// missing tells whether instances that were there lately are not there, and have not ended in order: they may come back, with the session. Those
// that Redis counted before and does not any more have no names; where as many have come as have gone, the names tell.
func (s *search) missing(c wire.Census, names []string) bool {
	if c.Missing == 0 && len(names) == 0 {
		return false
	}
	last, err := s.x.store.last(s.ctx)
	if err != nil {
		return true
	}
	ended, since := map[string]bool{}, map[string]bool{}
	for _, l := range last {
		ended[l.origin] = true
		if l.at.After(c.MissedSince.Add(-clockSkew)) {
			since[l.origin] = true
		}
	}
	return c.Missing > len(since) || slices.ContainsFunc(names, func(origin string) bool { return !ended[origin] })
}

// lately are the instances that were heard of a moment ago.
func (x *Exchange) lately() []string {
	now := time.Now()
	list := append(x.roster.lately(lately, now), x.local.HeardSince(now.Add(-lately))...)
	slices.Sort(list)
	return slices.Compact(list)
}
