package forward

import (
	"context"
	"sync"
	"time"
)

// A table holds the other instances that are known.
type table struct {
	self string

	mu      sync.Mutex
	peers   map[string]*peer // by tag
	wanted  bool             // somebody waits for a reading that has not begun
	begun   uint64           // readings of the registry so far
	ended   uint64
	changed chan struct{} // closed when ended grows, then replaced
	want    chan struct{} // capacity 1: wakes the reader of the registry
	stopped bool
}

func newTable(self string) *table {
	return &table{self: self, peers: make(map[string]*peer), changed: make(chan struct{}), want: make(chan struct{}, 1)}
}

func (t *table) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.peers)
}

// lookupTimeout bounds the wait for a reading of the registry.
const lookupTimeout = time.Second

// find returns the instance with a tag. If it is not known, find waits until
// the registry has been read once more; nil: there is none, or Redis does not
// answer.
func (t *table) find(ctx context.Context, tag string) *peer {
	t.mu.Lock()
	if p := t.peers[tag]; p != nil || t.stopped {
		t.mu.Unlock()
		return p
	}
	reading := t.begun + 1 // one that has begun may have passed over the tag already
	t.wanted = true
	t.mu.Unlock()
	select {
	case t.want <- struct{}{}:
	default: // has been told
	}

	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	for {
		t.mu.Lock()
		p, ended, changed := t.peers[tag], t.ended, t.changed
		t.mu.Unlock()
		if p != nil || ended >= reading {
			return p
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// begin starts a reading; end must follow.
func (t *table) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun++
	t.wanted = false
}

// end takes what a reading has found, by tag; nil if it failed.
func (t *table) end(addrs map[string]string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if addrs != nil {
		t.updateLocked(addrs, now)
	}
	t.ended = t.begun
	close(t.changed)
	t.changed = make(chan struct{})
}

// updateLocked keeps an instance that is missing for as long as an entry lives: Redis may
// have come back empty, and the instance is about to enter itself again. If it
// is gone indeed, connecting to it will tell.
func (t *table) updateLocked(addrs map[string]string, now time.Time) {
	for tag, addr := range addrs {
		if tag == t.self {
			continue
		}
		p := t.peers[tag]
		if p == nil || p.addr != addr {
			p.retire()
			t.peers[tag] = newPeer(tag, addr, now)
			continue
		}
		p.seen = now
	}
	for tag, p := range t.peers {
		if now.Sub(p.seen) > entryLife {
			p.retire()
			delete(t.peers, tag)
			continue
		}
		p.trim(now)
	}
}

// remove forgets an instance that turned out not to be where it was.
func (t *table) remove(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.peers[p.tag] == p {
		delete(t.peers, p.tag)
	}
	p.retire()
}

// stop makes find answer at once, and closes all idle connections.
func (t *table) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	for _, p := range t.peers {
		p.retire()
	}
	clear(t.peers)
	t.ended = t.begun + 1
	close(t.changed)
	t.changed = make(chan struct{})
}
