package chaos

import (
	"fmt"
	"time"
)

// A tallied run is one line of the printed table.
type tallied struct {
	said                       int
	dueOwn, lostOwn            int           // listener on the speaker's instance
	dueCross, lostCross        int           // listener on another instance
	away, awayMissed, awayOwed int           // said while the listener was away; owed: to somebody whose session was recovered
	moved, recovered           int           // connections that were made again
	begunAnew                  int           // of moved: by clients that could have been recovered
	twice, disorder            int           // heard again; heard after a later word of the same speaker
	confessed                  float64       // what the servers counted as lost
	counts                     bool          // the servers count
	heal                       time.Duration // from the mend until everybody heard everybody's first word after it
	example                    string        // of something wrong
}

// doubt is how long before the end of a connection what was sent may have been lost with it.
const doubt = time.Second

// A chapter is the part of everybody's memory that belongs to one fault.
type chapter struct {
	w           *world
	said, heard []int // by person: where it begins
	stays       []int
}

// open begins a chapter: what was said before has arrived.
func (w *world) open() chapter {
	c := chapter{w: w}
	for _, p := range w.people {
		p.mu.Lock()
		c.said, c.heard = append(c.said, len(p.said)), append(c.heard, len(p.heard))
		c.stays = append(c.stays, max(0, len(p.stays)-1))
		p.mu.Unlock()
	}
	return c
}

// presence tells where somebody was at a moment, and what became of it.
type presence int

const (
	absent presence = iota // away, or about to be
	steady                 // there, and there for long enough after
)

// whereabouts finds the stay at a moment. next is the stay that follows an absence, nil if none does.
func whereabouts(stays []stay, at time.Time) (p presence, here, next *stay) {
	for i := range stays {
		s := &stays[i]
		if at.Before(s.from) {
			return absent, nil, s
		}
		if s.to.IsZero() || at.Before(s.to.Add(-doubt)) {
			return steady, s, nil
		}
		if at.Before(s.to) && i+1 == len(stays) {
			return absent, nil, nil
		}
	}
	return absent, nil, nil
}

// left tells whether somebody went away after a stay, and began anew elsewhere or never.
func left(stays []stay, here *stay) bool {
	for i := range stays {
		if &stays[i] == here {
			return !here.to.IsZero() && (i+1 == len(stays) || !stays[i+1].recovered)
		}
	}
	return false
}

// close ends the chapter and counts. mended is when the fault was over.
func (c chapter) close(mended time.Time) tallied {
	var sum tallied
	c.lock()
	defer c.unlock()
	for i, listener := range c.w.people {
		stays := listener.stays[c.stays[i]:]
		sum.moved += len(stays) - 1
		for _, s := range stays[1:] {
			switch {
			case s.recovered:
				sum.recovered++
			case listener.modern && listener.speaks(): // npm clients wait for the very place they were on, where nothing is known
				sum.begunAnew++
			}
		}
		heard := c.memory(i, stays, &sum)
		for j, speaker := range c.w.people {
			c.listen(&sum, listener, speaker, stays, speaker.stays[min(c.stays[j], len(speaker.stays)):], speaker.said[c.said[j]:], heard[speaker.name], mended)
		}
	}
	for j, speaker := range c.w.people {
		sum.said += len(speaker.said) - c.said[j]
	}
	return sum
}

func (c chapter) lock() {
	for _, p := range c.w.people {
		p.mu.Lock()
	}
}

func (c chapter) unlock() {
	for _, p := range c.w.people {
		p.mu.Unlock()
	}
}

// memory sorts what one person heard by speaker, and notes what came twice or in the wrong order: over one connection,
// or over several if the session went on. A person that comes back to another instance as somebody new may well hear there
// what it has heard here. Order is that of what was said over one connection: what a speaker that has moved said before
// may wait for Redis on its former instance.
func (c chapter) memory(i int, stays []stay, sum *tallied) map[string]map[int]time.Time {
	heard := make(map[string]map[int]time.Time) // in the whole chapter
	session := make(map[string]map[int]bool)
	last := make(map[string]word)
	p := c.w.people[i]
	next := 1 // the stay that the next word may belong to already
	for _, w := range p.heard[c.heard[i]:] {
		for ; next < len(stays) && !w.at.Before(stays[next].from); next++ {
			if !stays[next].recovered {
				clear(session)
				clear(last)
			}
		}
		if session[w.from] == nil {
			session[w.from] = make(map[int]bool)
		}
		before, any := last[w.from]
		switch {
		case session[w.from][w.seq]:
			sum.twice++
			sum.example = fmt.Sprintf("%s heard %d of %s twice", p.name, w.seq, w.from)
		case any && w.seq < before.seq && c.w.oneStay(w.from, w.seq, before.seq):
			sum.disorder++
			sum.example = fmt.Sprintf("%s heard %d of %s after %d", p.name, w.seq, w.from, before.seq)
		}
		session[w.from][w.seq] = true
		if !any || w.seq > before.seq {
			last[w.from] = w
		}
		if heard[w.from] == nil {
			heard[w.from] = make(map[int]time.Time)
		}
		if _, again := heard[w.from][w.seq]; !again {
			heard[w.from][w.seq] = w.at
		}
	}
	return heard
}

// listen counts what one person should have heard of another.
func (c chapter) listen(sum *tallied, listener, speaker *person, there, spoke []stay, said []word, heard map[int]time.Time, mended time.Time) {
	healed := false
	for _, w := range said {
		sure, from, _ := whereabouts(spoke, w.at)
		if sure != steady {
			continue // nobody can tell whether it left the speaker
		}
		came, ok := heard[w.seq]
		if ok && !healed && w.at.After(mended) {
			healed = true
			sum.heal = max(sum.heal, came.Sub(mended))
		}
		where, here, next := whereabouts(there, w.at)
		switch {
		case where == absent && next == nil:
			continue
		case where == absent:
			sum.away++
			if !ok {
				sum.awayMissed++
				if next.recovered {
					sum.awayOwed++
					sum.example = fmt.Sprintf("%s was recovered without %d of %s, said %v before it came back", listener.name, w.seq, w.from, next.from.Sub(w.at))
				}
			}
		case here.at == from.at:
			sum.dueOwn++
			if !ok {
				sum.lostOwn++
				sum.example = fmt.Sprintf("%s did not hear %d of %s on its own instance", listener.name, w.seq, w.from)
			}
		case !ok && left(there, here):
			sum.away++ // it may have come when its listener was gone: the way through Redis can be long
			sum.awayMissed++
		default:
			sum.dueCross++
			if !ok {
				sum.lostCross++
				sum.example = fmt.Sprintf("%s did not hear %d of %s from another instance", listener.name, w.seq, w.from)
			}
		}
	}
}

// oneStay tells whether somebody said two numbers over one connection. The people are locked.
func (w *world) oneStay(name string, a, b int) bool {
	for _, p := range w.people {
		if p.name == name {
			return p.said[a].stay == p.said[b].stay
		}
	}
	return true
}
