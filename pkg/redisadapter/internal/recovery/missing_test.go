package recovery

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// TestInstancesThatEndedInOrderAreNotMissed: those that have left their last word since they were there are not waited for; what they published
// last has to be here, or in what was stored.
func TestInstancesThatEndedInOrderAreNotMissed(t *testing.T) {
	word := func(name string, published uint64, ago time.Duration) func() lastWord {
		return func() lastWord { return lastWord{socketio.OriginText(name), published, time.Now().Add(-ago)} }
	}
	gone := socketio.OriginText("gone")
	for _, tc := range []struct {
		name    string
		missing int
		words   []func() lastWord
		why     socketio.Refusal
	}{
		{"nobody is missed", 0, nil, socketio.NotRefused},
		{"it may come back", 1, nil, socketio.RefusedTimeout},
		{"it has ended", 1, []func() lastWord{word("gone", 7, time.Second)}, socketio.NotRefused},
		{"it has ended, another one may come back", 2, []func() lastWord{word("gone", 7, time.Second)}, socketio.RefusedTimeout},
		{"one has ended before they were there", 1, []func() lastWord{word("gone", 7, time.Minute)}, socketio.RefusedTimeout},
		{"it has said more than that", 1, []func() lastWord{word("gone", 8, time.Second)}, socketio.RefusedCut},
		{"one that nobody has heard of has said something", 0, []func() lastWord{word("another", 1, time.Second)}, socketio.RefusedCut},
		{"it had said that before the session was left", 0, []func() lastWord{word("another", 1, time.Minute)}, socketio.NotRefused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, n := newNodes(t, "alpha", "beta")
			alpha := n["alpha"]
			left := lastWords{}
			for _, word := range tc.words {
				left.list = append(left.list, word())
			}
			alpha.missing, alpha.since, alpha.store = tc.missing, time.Now().Add(-3*time.Second), left
			s, stop := newSearch(t, alpha)
			defer stop()
			if got := s.heardSince(&socketio.HandedSession{Seen: map[string]uint64{gone: 7}}, 10*time.Second); got.why != tc.why {
				t.Errorf("refused as %v", got.why)
			}
		})
	}
}

func newSearch(t *testing.T, n *node) (s *search, stop func()) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	return &search{
		x: n.Exchange, pid: idOf("gone"), offset: "-", ctx: ctx, found: make(chan taken, 1), ended: make(chan taken, 1), published: map[string]uint64{},
	}, cancel
}

// TestReplacedOwnerIsMissed: as many instances are there as before, but the owner was heard of a moment ago.
func TestReplacedOwnerIsMissed(t *testing.T) {
	_, n := newNodes(t, "alpha", "beta")
	alpha, now := n["alpha"], time.Now()
	alpha.roster.met(socketio.OriginText("gone"), now)
	alpha.roster.end(now.Add(time.Second), now, true)
	if why := alpha.find(idOf("gone"), time.Second); why != socketio.RefusedTimeout {
		t.Errorf("an owner that may come back is given up as %v", why)
	}
	alpha.store = lastWords{list: []lastWord{{socketio.OriginText("gone"), 1, now}}}
	if why := alpha.find(idOf("gone"), time.Minute); why != socketio.RefusedUnknown {
		t.Errorf("an owner that has ended is waited for: %v", why)
	}
}

// TestOneThatAnotherHasHeardOfIsMissed: this instance began too late to have heard of the owner, but another one had a moment ago.
func TestOneThatAnotherHasHeardOfIsMissed(t *testing.T) {
	_, n := newNodes(t, "alpha", "beta")
	alpha, now := n["alpha"], time.Now()
	n["beta"].roster.met(socketio.OriginText("gone"), now)
	if why := alpha.find(idOf("gone"), time.Second); why != socketio.RefusedTimeout {
		t.Errorf("an owner that may come back is given up as %v", why)
	}
	n["beta"].roster.met(socketio.OriginText("alpha"), now) // alpha itself is not missed
	alpha.store = lastWords{list: []lastWord{{socketio.OriginText("gone"), 1, now}}}
	if why := alpha.find(idOf("gone"), time.Minute); why != socketio.RefusedUnknown {
		t.Errorf("an owner that has ended is waited for: %v", why)
	}
}

// TestLateRefusal: an instance has ended the session, and its answer comes when that question was given up.
func TestLateRefusal(t *testing.T) {
	_, n := newNodes(t, "alpha", "beta")
	s, stop := newSearch(t, n["alpha"])
	defer stop()
	earlier := answers{s: s, only: socketio.OriginText("beta"), id: "1", answered: map[string]bool{}}
	for _, why := range []socketio.Refusal{socketio.RefusedTimeout, socketio.RefusedCut} {
		b, _ := json.Marshal(sessionAnswer{Origin: socketio.OriginText("beta"), Refusal: why})
		earlier.take(&wire.Response{Data: b})
	}
	if got := s.late(taken{why: socketio.RefusedUnknown}); got.why != socketio.RefusedCut {
		t.Errorf("refused as %v", got.why)
	}
}

// oneKept is a Redis in which one session is left, and from which it was removed so many times.
type oneKept struct {
	lastWords
	removed int
}

func (k *oneKept) read(context.Context, socket.PrivateSessionId) (json.RawMessage, *socketio.StoredLog, socketio.Refusal) {
	if k.removed > 0 {
		return nil, nil, socketio.RefusedUnknown
	}
	now := time.Now().UnixMilli()
	b, err := json.Marshal(map[string]any{"sid": "s", "pid": idOf("gone"), "base": "-", "start": 1, "stays": []any{}, "parked": now})
	if err != nil {
		return nil, nil, socketio.RefusedCut
	}
	return b, &socketio.StoredLog{Floor: 1, At: now}, socketio.NotRefused
}

func (k *oneKept) remove(context.Context, socket.PrivateSessionId) bool {
	k.removed++
	return k.removed == 1
}

// TestStoredSessionStaysUntilItIsTaken: a search that gives up leaves the session to the next one.
func TestStoredSessionStaysUntilItIsTaken(t *testing.T) {
	kept := &oneKept{}
	for _, tc := range []struct {
		name    string
		store   keeper
		missing int
		why     socketio.Refusal
		removed int
	}{
		{"an instance is missing until the time is over", kept, 1, socketio.RefusedTimeout, 0},
		{"somebody else is first", stolen{kept}, 0, socketio.RefusedUnknown, 0},
		{"it is taken", kept, 0, socketio.NotRefused, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, n := newNodes(t, "alpha", "beta")
			n["alpha"].store, n["alpha"].missing = tc.store, tc.missing
			s, stop := newSearch(t, n["alpha"])
			defer stop()
			got := s.stored(10 * time.Second)
			if got.why != tc.why || (got.session != nil) != (tc.why == socketio.NotRefused) || kept.removed != tc.removed {
				t.Errorf("refused as %v, removed %d times", got.why, kept.removed)
			}
		})
	}
}

// stolen is the same, but somebody else is always first.
type stolen struct{ *oneKept }

func (stolen) remove(context.Context, socket.PrivateSessionId) bool { return false }
