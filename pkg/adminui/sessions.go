package adminui

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"
)

// SessionFor is how long a page may come back without a password.
const SessionFor = 24 * time.Hour

// maxSessionID is the longest session id that is looked up, in bytes.
const maxSessionID = 64

// newSession makes a session id: a random part and, after a point, what proves that it was issued for the user name and
// the password hash of today. A changed hash ends its sessions wherever they are kept.
func (u *UI) newSession() string {
	random := rand.Text()
	return random + "." + u.sessionProof(random)
}

// ours tells whether a session was issued for the user name and the password hash of today.
func (u *UI) ours(session string) bool {
	if len(session) > maxSessionID {
		return false
	}
	random, proof, ok := strings.Cut(session, ".")
	return ok && subtle.ConstantTimeCompare([]byte(proof), []byte(u.sessionProof(random))) == 1
}

func (u *UI) sessionProof(random string) string {
	mac := hmac.New(sha256.New, u.opts.PasswordHash)
	// Lengths first: no two pairs are written the same.
	fmt.Fprintf(mac, "%d %s %s", len(u.opts.Username), u.opts.Username, random)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// Sessions remembers who has logged in. Its methods are called from several goroutines and obey ctx.
type Sessions interface {
	// Add keeps an id for SessionFor.
	Add(ctx context.Context, id string) error
	// Has tells whether it is kept.
	Has(ctx context.Context, id string) (bool, error)
}

// maxSessions is how many sessions memory keeps; the oldest go first.
const maxSessions = 256

// memory is Sessions of one instance.
type memory struct {
	mu    sync.Mutex
	known map[string]time.Time // until when
	order []string
}

func (m *memory) Add(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[string]time.Time{}
	}
	if len(m.order) >= maxSessions {
		delete(m.known, m.order[0])
		m.order = append([]string(nil), m.order[1:]...)
	}
	m.known[id] = time.Now().Add(SessionFor)
	m.order = append(m.order, id)
	return nil
}

func (m *memory) Has(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.known[id]
	return ok && time.Now().Before(until), nil
}
