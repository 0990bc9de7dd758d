package presence

import (
	"crypto/rand"
	"time"
)

// A Gossip is what one instance tells the others.
type Gossip struct {
	From    string  `json:"from"`
	Version uint64  `json:"v"`
	Counts  []Count `json:"counts,omitempty"` // that have changed since Version-1
	Full    bool    `json:"full,omitempty"`   // Counts are all there are
	Ask     string  `json:"ask,omitempty"`    // the instance that is to tell all
	Bye     bool    `json:"bye,omitempty"`    // it ends
}

// The bounds of gossip.
const (
	alive     = time.Second // between two messages of an instance in which nothing changes
	maxCounts = 5000        // of one message that tells changes
)

// A peer is another instance.
type peer struct {
	version uint64
	known   bool // its crowd is whole
	crowd   crowd
	heard   time.Time
	asked   time.Time
}

// beatState is what this instance has told.
type beatState struct {
	version uint64
	told    time.Time // anything
	asked   bool      // another wants to know all
}

func newID() string { return rand.Text() }

// gossip tells the others what has changed, and forgets those that are gone.
func (r *Registry) gossip(now time.Time) {
	if r.opts.Gossip == nil {
		return
	}
	joined := r.opts.Joined()
	r.mu.Lock()
	if joined && r.apart { // they could not be heard
		for _, p := range r.peers {
			p.heard = now
		}
	}
	r.apart = !joined
	for id, p := range r.peers {
		if joined && now.Sub(p.heard) > Lost {
			r.forgetLocked(id, p)
		}
	}
	var out []Gossip
	if g, ok := r.newsLocked(now); ok {
		out = append(out, g)
	}
	for id, p := range r.peers {
		if !p.known && now.Sub(p.asked) >= alive {
			p.asked = now
			out = append(out, Gossip{From: r.me, Version: r.beat.version, Ask: id})
		}
	}
	r.mu.Unlock()
	for _, g := range out {
		r.opts.Gossip(g)
	}
}

// newsLocked makes the message of this beat.
func (r *Registry) newsLocked(now time.Time) (g Gossip, ok bool) {
	g = Gossip{From: r.me}
	switch {
	case r.beat.asked:
		r.beat.asked = false
		r.beat.version++
		g.Full, g.Counts = true, r.own.counts()
		clear(r.news)
	case len(r.news) > 0:
		r.beat.version++
		for key := range r.news {
			if len(g.Counts) == maxCounts {
				break
			}
			g.Counts = append(g.Counts, Count{key[0], key[1], r.own[key[0]][key[1]]})
			delete(r.news, key)
		}
	case now.Sub(r.beat.told) < alive:
		return g, false
	}
	r.beat.told, g.Version = now, r.beat.version
	return g, true
}

// Hear takes what another instance tells.
func (r *Registry) Hear(g Gossip) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if g.From == "" || g.From == r.me {
		return
	}
	p := r.peers[g.From]
	if g.Bye {
		if p != nil {
			r.forgetLocked(g.From, p)
		}
		return
	}
	if p == nil {
		p = &peer{crowd: crowd{}, known: g.Version == 0}
		r.peers[g.From] = p
	}
	p.heard = r.now()
	if g.Ask == r.me {
		r.beat.asked = true
	}
	switch {
	case g.Full:
		r.replaceLocked(p, g.Counts)
		p.known = true
	case p.known && g.Version == p.version+1 && len(g.Counts) > 0:
		for _, c := range g.Counts {
			r.addLocked(c.Room, c.Name, p.crowd.set(c.Room, c.Name, max(c.Count, 0)))
		}
	case g.Version != p.version:
		p.known = false // something was missed, be it the last change: what only tells that its instance lives has its version
	}
	p.version = g.Version
}

// replaceLocked makes counts all that is known of a peer.
func (r *Registry) replaceLocked(p *peer, counts []Count) {
	before := p.crowd
	p.crowd = crowd{}
	for _, c := range counts {
		if c.Count > 0 {
			p.crowd.set(c.Room, c.Name, c.Count)
			r.addLocked(c.Room, c.Name, c.Count-before[c.Room][c.Name])
			before.set(c.Room, c.Name, 0)
		}
	}
	for _, c := range before.counts() {
		r.addLocked(c.Room, c.Name, -c.Count)
	}
}

func (r *Registry) forgetLocked(id string, p *peer) {
	for _, c := range p.crowd.counts() {
		r.addLocked(c.Room, c.Name, -c.Count)
	}
	delete(r.peers, id)
}
