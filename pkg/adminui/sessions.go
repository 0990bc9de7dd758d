package adminui

import (
	"context"
	"sync"
	"time"
)

// SessionFor is how long a page may come back without a password.
const SessionFor = 24 * time.Hour

// maxSessionID is the longest session id that is looked up, in bytes.
const maxSessionID = 64

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
