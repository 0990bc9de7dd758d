package auth

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// The events of renewal. A client sends EventRefresh with a fresh token, a text or {"token":…}, and is
// acknowledged with a Renewal; EventExpiring tells it that the token ends soon.
const (
	EventRefresh  = "auth:refresh"
	EventExpiring = "auth:expiring"
)

// refreshPause is how long a socket waits between two attempts: each costs a signature's check.
const refreshPause = time.Second

// A Renewal is the acknowledgement of EventRefresh.
type Renewal struct {
	OK      bool   `json:"ok"`
	Expires int64  `json:"expires,omitempty"` // of the token that counts now, in seconds since 1970; 0: never
	Code    string `json:"code,omitempty"`    // of the Refusal
	Message string `json:"message,omitempty"`
}

// expiring is the argument of EventExpiring.
type expiring struct {
	Expires int64 `json:"expires"` // in seconds since 1970
	Seconds int64 `json:"seconds"` // until then
}

// A freshToken is the argument of EventRefresh; empty if it was something else.
type freshToken string

func (t *freshToken) UnmarshalJSON(b []byte) error {
	var text string
	var object struct{ Token string }
	if json.Unmarshal(b, &text) == nil {
		*t = freshToken(bare(text))
	} else if json.Unmarshal(b, &object) == nil {
		*t = freshToken(bare(object.Token))
	}
	return nil
}

// watched are the sockets that a guard has let in.
type watched struct {
	mu      sync.Mutex
	sockets map[*socket.Socket]*watch
}

// A watch is what is to happen to one socket. Guarded by watched.mu, but for what identity points to.
type watch struct {
	identity    *Identity
	warning     *expiry // nil: none
	end         *expiry // nil: the token does not expire
	nextRefresh time.Time
}

// watch begins to watch over a socket, or goes on with another token.
func (g *Guard) watch(s *socket.Socket, identity *Identity) {
	g.watched.mu.Lock()
	defer g.watched.mu.Unlock()
	w := g.watched.sockets[s]
	if w == nil {
		w = &watch{}
		if g.watched.sockets == nil {
			g.watched.sockets = make(map[*socket.Socket]*watch)
		}
		g.watched.sockets[s] = w
	}
	g.unscheduleLocked(w)
	w.identity = identity
	if identity.Expires.IsZero() {
		return
	}
	w.end = g.schedule.add(identity.Expires, func() { g.expire(s, identity) })
	if g.warn > 0 {
		w.warning = g.schedule.add(identity.Expires.Add(-g.warn), func() { g.warnOf(s, identity) })
	}
}

func (g *Guard) unscheduleLocked(w *watch) {
	for _, e := range []*expiry{w.warning, w.end} {
		if e != nil {
			g.schedule.remove(e)
		}
	}
	w.warning, w.end = nil, nil
}

func (g *Guard) unwatch(s *socket.Socket) {
	g.watched.mu.Lock()
	defer g.watched.mu.Unlock()
	if w := g.watched.sockets[s]; w != nil {
		g.unscheduleLocked(w)
		delete(g.watched.sockets, s)
	}
}

// counts tells whether a socket is there still and identity the one that counts.
func (g *Guard) counts(s *socket.Socket, identity *Identity) bool {
	g.watched.mu.Lock()
	defer g.watched.mu.Unlock()
	w := g.watched.sockets[s]
	return w != nil && w.identity == identity
}

// warnOf tells a client that its token ends soon.
func (g *Guard) warnOf(s *socket.Socket, identity *Identity) {
	if g.counts(s, identity) {
		left := time.Until(identity.Expires).Round(time.Second)
		_ = s.Emit(EventExpiring, expiring{identity.Expires.Unix(), int64(left.Seconds())}) // no reserved name
	}
}

// refresh is the handler of EventRefresh. Whatever comes of it, the socket stays: with a token
// that is refused, until the old one ends.
func (g *Guard) refresh(_ context.Context, s *socket.Socket, token freshToken) (Renewal, error) {
	identity, err := g.renewed(s, string(token))
	if err != nil {
		refusal := reason(err)
		g.tell(s, refusal)
		return Renewal{Code: refusal.Code, Message: refusal.Text}, nil
	}
	s.SetData(identity)
	g.watch(s, identity)
	g.verifier.stats.renewed.Add(1)
	if identity.Expires.IsZero() {
		return Renewal{OK: true}, nil
	}
	return Renewal{OK: true, Expires: identity.Expires.Unix()}, nil
}

// renewed checks a fresh token. It has to be the same user's: what was done in his name stays his.
func (g *Guard) renewed(s *socket.Socket, token string) (*Identity, error) {
	old := g.attempt(s)
	if old == nil {
		return nil, g.verifier.refused(ErrTooOften)
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	identity, err := g.verifier.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	if identity.Subject != old.Subject || identity.Subject == "" && identity.Name != old.Name {
		return nil, g.verifier.refused(ErrSubject)
	}
	return identity, nil
}

// attempt returns who the socket is now; nil if it has asked just now.
func (g *Guard) attempt(s *socket.Socket) *Identity {
	g.watched.mu.Lock()
	defer g.watched.mu.Unlock()
	w, now := g.watched.sockets[s], time.Now()
	if w == nil || now.Before(w.nextRefresh) {
		return nil
	}
	w.nextRefresh = now.Add(refreshPause)
	return w.identity
}

// Revoke disconnects the sockets whose token was signed with the key of that id, and returns how many
// there were. It does not keep them from coming back: Options.Revoked does, or a key set without the key.
func (g *Guard) Revoke(keyID string) int {
	return g.revoke(func(id string) bool { return id == keyID })
}

// keysChanged ends those whose key the key set does not have any more.
func (g *Guard) keysChanged(known func(keyID string) bool) {
	g.revoke(func(id string) bool { return id != "" && !known(id) })
}

func (g *Guard) revoke(which func(keyID string) bool) int {
	var list []*socket.Socket
	g.watched.mu.Lock()
	for s, w := range g.watched.sockets {
		if which(w.identity.keyID) {
			list = append(list, s)
		}
	}
	g.watched.mu.Unlock()
	for _, s := range list {
		g.verifier.stats.revoked.Add(1)
		g.end(s, ErrRevoked)
	}
	return len(list)
}
