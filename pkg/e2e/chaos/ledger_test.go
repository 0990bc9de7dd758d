package chaos

import (
	"fmt"
	"time"

	"socketio-chat/pkg/e2e/verdict"
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
	examples                   []string      // of what is wrong, not all
}

// mostExamples bounds what a failure tells.
const mostExamples = 20

// tell keeps an example of something wrong.
func (s *tallied) tell(format string, args ...any) {
	if len(s.examples) < mostExamples {
		s.examples = append(s.examples, fmt.Sprintf(format, args...))
	}
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
		if at.Before(s.From) {
			return absent, nil, s
		}
		if s.To.IsZero() || at.Before(s.To.Add(-doubt)) {
			return steady, s, nil
		}
		if at.Before(s.To) && i+1 == len(stays) {
			return absent, nil, nil
		}
	}
	return absent, nil, nil
}

// left tells whether somebody went away after a stay, and began anew elsewhere or never.
func left(stays []stay, here *stay) bool {
	for i := range stays {
		if &stays[i] == here {
			return !here.To.IsZero() && (i+1 == len(stays) || !stays[i+1].Recovered)
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
			case s.Recovered:
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
		for ; next < len(stays) && !w.At.Before(stays[next].From); next++ {
			if !stays[next].Recovered {
				clear(session)
				clear(last)
			}
		}
		if session[w.From] == nil {
			session[w.From] = make(map[int]bool)
		}
		before, any := last[w.From]
		switch {
		case session[w.From][w.Seq]:
			sum.twice++
			sum.tell("%s heard %d of %s twice", p.name, w.Seq, w.From)
		case any && w.Seq < before.Seq && c.w.oneStay(w.From, w.Seq, before.Seq):
			sum.disorder++
			sum.tell("%s heard %d of %s after %d", p.name, w.Seq, w.From, before.Seq)
		}
		session[w.From][w.Seq] = true
		if !any || w.Seq > before.Seq {
			last[w.From] = w
		}
		if heard[w.From] == nil {
			heard[w.From] = make(map[int]time.Time)
		}
		if _, again := heard[w.From][w.Seq]; !again {
			heard[w.From][w.Seq] = w.At
		}
	}
	return heard
}

// listen counts what one person should have heard of another.
func (c chapter) listen(sum *tallied, listener, speaker *person, there, spoke []stay, said []word, heard map[int]time.Time, mended time.Time) {
	healed := false
	for _, w := range said {
		sure, from, _ := whereabouts(spoke, w.At)
		if sure != steady {
			continue // nobody can tell whether it left the speaker
		}
		came, ok := heard[w.Seq]
		if ok && !healed && w.At.After(mended) {
			healed = true
			sum.heal = max(sum.heal, came.Sub(mended))
		}
		where, here, next := whereabouts(there, w.At)
		switch {
		case where == absent && next == nil:
			continue
		case where == absent:
			sum.away++
			if !ok {
				sum.awayMissed++
				if next.Recovered {
					sum.awayOwed++
					sum.tell("%s was recovered without %d of %s, said %v before it came back", listener.name, w.Seq, w.From, next.From.Sub(w.At))
				}
			}
		case here.At == from.At:
			sum.dueOwn++
			if !ok {
				sum.lostOwn++
				sum.tell("%s did not hear %d of %s on its own instance %d, said %s", listener.name, w.Seq, w.From, from.At, verdict.Clock(w.At))
			}
		case !ok && left(there, here):
			sum.away++ // it may have come when its listener was gone: the way through Redis can be long
			sum.awayMissed++
		default:
			sum.dueCross++
			if !ok {
				sum.lostCross++
				sum.tell("%s, of instance %d since %s, did not hear %d of %s, of instance %d, said %s", listener.name, here.At, verdict.Clock(here.From), w.Seq, w.From, from.At, verdict.Clock(w.At))
			}
		}
	}
}

// oneStay tells whether somebody said two numbers over one connection. The people are locked.
func (w *world) oneStay(name string, a, b int) bool {
	for _, p := range w.people {
		if p.name == name {
			return p.said[a].Stay == p.said[b].Stay
		}
	}
	return true
}
