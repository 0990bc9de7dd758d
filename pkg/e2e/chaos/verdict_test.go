package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A verdict is what became of everything that was said in a run, and what of it breaks a promise.
//
// A word was surely said if its speaker heard it itself. It is due to a listener's session (a connection and those that
// recovered it) if the session began before it was said and lasted to the end of the run, or if the listener heard a later
// word of the same connection of the speaker: order then proves that the earlier one was lost.
type verdict struct {
	said, due, dueCross  int
	lostOwn, lostCross   int
	excused              int // lost with a process that was killed, or that said what it gave up
	twice, disorder      int
	cut, recovered       int // connections whose client asked for its session; of instances that were not killed
	cutKilled            int // the same, of those that were
	again                int // heard by a new session of somebody that had heard it before
	confessed            float64
	refusals             map[string]int
	complaints, examples []string
}

// killDoubt is how long before it was killed a process may have kept a word to itself: as long as Redis may be away.
const killDoubt = 15 * time.Second

// judge finds the verdict on a mode's run that is over.
func (w *world) judge() *verdict {
	v := &verdict{refusals: map[string]int{}}
	for _, p := range w.people {
		p.mu.Lock()
		defer p.mu.Unlock()
	}
	fates := w.fates()
	for _, listener := range w.people {
		v.count(listener, fates)
		sessions := sessionsOf(listener)
		for _, s := range sessions {
			v.hearing(s, listener)
			for _, speaker := range w.people {
				for _, run := range runsOf(speaker) {
					v.listen(w.mode, s, run, listener, fates)
				}
			}
		}
		v.repeated(sessions)
	}
	for _, p := range w.people {
		v.said += len(p.said)
	}
	v.confessed = w.confessions()
	v.convict(w.mode, fates)
	return v
}

// convict says which promises are broken.
func (v *verdict) convict(m mode, fates map[int]ending) {
	complain := func(n int, what string) {
		if n > 0 {
			v.complaints = append(v.complaints, fmt.Sprintf("%d %s", n, what))
		}
	}
	complain(v.twice, "came twice")
	complain(v.disorder, "came out of order")
	complain(v.lostOwn, "were lost on the speaker's own instance")
	if m.lossless {
		complain(v.lostCross, "were lost across instances")
	} else if v.confessed == 0 && len(fates) == 0 {
		complain(v.lostCross, "were lost across instances, and no counter says so")
	}
}

// A session is what a listener heard over a connection and those that recovered it.
type session struct {
	stays []stay
	last  bool // it lasted to the end
	heard []word
	times map[string]map[int]int
}

// sessionsOf divides a person's memory.
func sessionsOf(p *person) (list []*session) {
	next := 0
	for i, s := range p.stays {
		if i == 0 || !s.recovered {
			list = append(list, &session{times: map[string]map[int]int{}})
		}
		se := list[len(list)-1]
		se.stays = append(se.stays, s)
		for ; next < len(p.heard) && (i+1 == len(p.stays) || p.heard[next].at.Before(p.stays[i+1].from)); next++ {
			se.hear(p.heard[next])
		}
	}
	if len(list) > 0 {
		list[len(list)-1].last = p.stays[len(p.stays)-1].to.IsZero()
	}
	return list
}

func (s *session) hear(w word) {
	if s.times[w.from] == nil {
		s.times[w.from] = map[int]int{}
	}
	s.times[w.from][w.seq]++
	s.heard = append(s.heard, w)
}

// at is the process that the session was at when something was said; 0: at none.
func (s *session) at(t time.Time) int {
	for _, st := range s.stays {
		if !t.Before(st.from) && (st.to.IsZero() || t.Before(st.to)) {
			return st.at
		}
	}
	return 0
}

// A run is what somebody surely said over one connection, in order.
type run struct {
	at    int // which process
	words []word
}

func runsOf(p *person) (list []run) {
	heard := map[int]bool{}
	for _, h := range p.heard {
		if h.from == p.name {
			heard[h.seq] = true
		}
	}
	for _, w := range p.said {
		if w.stay < 1 || w.stay > len(p.stays) || !heard[w.seq] {
			continue
		}
		if n := len(list); n == 0 || list[n-1].words[0].stay != w.stay {
			list = append(list, run{at: p.stays[w.stay-1].at})
		}
		list[len(list)-1].words = append(list[len(list)-1].words, w)
	}
	return list
}

// hearing counts what came twice in a session.
func (v *verdict) hearing(s *session, p *person) {
	for from, seqs := range s.times {
		for seq, n := range seqs {
			if n > 1 {
				v.twice++
				v.example("%s heard %d of %s %d times", p.name, seq, from, n)
			}
		}
	}
}

// listen counts what a session got of a run.
func (v *verdict) listen(m mode, s *session, r run, listener *person, fates map[int]ending) {
	first, last := r.words[0], r.words[len(r.words)-1]
	latest := -1 // of this run that was heard
	for _, h := range s.heard {
		if h.from != first.from || h.seq < first.seq || h.seq > last.seq {
			continue
		}
		if h.seq < latest {
			v.disorder++
			v.example("%s heard %d of %s after %d", listener.name, h.seq, h.from, latest)
		}
		latest = max(latest, h.seq)
	}
	end, ended := fates[r.at]
	for _, w := range r.words {
		here := s.at(w.at)
		if w.at.Before(s.stays[0].from) || !s.last && w.seq > latest {
			continue
		}
		v.due++
		own := here == r.at
		if !own {
			v.dueCross++
		}
		if s.times[w.from][w.seq] > 0 {
			continue
		}
		switch {
		case ended && end.gaveUp() || ended && end.killed && w.at.After(end.at.Add(-killDoubt)):
			v.excused++
		case own && s.same(here, w.at):
			v.lostOwn++
			v.example("%s did not hear %d of %s, said at %s on its own instance %d", listener.name, w.seq, w.from, clock(w.at), here)
		default:
			v.lostCross++
			if m.lossless {
				v.example("%s, on instance %d, did not hear %d of %s, said at %s on instance %d; it was there %s", listener.name, here, w.seq, w.from, clock(w.at), r.at, s)
			}
		}
	}
}

// same tells whether the session's connection at a time was still there a while later.
func (s *session) same(at int, t time.Time) bool { return s.at(t.Add(doubt)) == at }

func (s *session) String() string {
	var b strings.Builder
	for _, st := range s.stays {
		fmt.Fprintf(&b, "[%d %s-%s]", st.at, clock(st.from), clock(st.to))
	}
	return b.String()
}

func clock(t time.Time) string { return t.Format("04:05.000") }

// repeated counts what new sessions heard that earlier ones had heard.
func (v *verdict) repeated(sessions []*session) {
	had := map[string]map[int]bool{}
	for _, s := range sessions {
		for from, seqs := range s.times {
			for seq := range seqs {
				if had[from][seq] {
					v.again++
				}
			}
		}
		for from, seqs := range s.times {
			if had[from] == nil {
				had[from] = map[int]bool{}
			}
			for seq := range seqs {
				had[from][seq] = true
			}
		}
	}
}

// count counts who got its session back.
func (v *verdict) count(p *person, fates map[int]ending) {
	for i, s := range p.stays[min(1, len(p.stays)):] {
		if !s.asked || !p.speaks() {
			continue
		}
		end, ended := fates[p.stays[i].at]
		switch {
		case ended && end.killed && end.at.Before(s.from):
			v.cutKilled++
		case s.recovered:
			v.cut++
			v.recovered++
		default:
			v.cut++
			if len(v.examples) < maxExamples {
				v.examples = append(v.examples, fmt.Sprintf("(%s of instance %d was not recovered at %s by instance %d)", p.name, p.stays[i].at, clock(s.from), s.at))
			}
		}
	}
}

const maxExamples = 12

func (v *verdict) example(format string, args ...any) {
	if len(v.examples) < maxExamples {
		v.examples = append(v.examples, fmt.Sprintf(format, args...))
	}
}

// add makes a sum of verdicts.
func (v *verdict) add(o *verdict) {
	v.said, v.due, v.dueCross = v.said+o.said, v.due+o.due, v.dueCross+o.dueCross
	v.lostOwn, v.lostCross, v.excused = v.lostOwn+o.lostOwn, v.lostCross+o.lostCross, v.excused+o.excused
	v.twice, v.disorder, v.again = v.twice+o.twice, v.disorder+o.disorder, v.again+o.again
	v.cut, v.recovered, v.cutKilled = v.cut+o.cut, v.recovered+o.recovered, v.cutKilled+o.cutKilled
	v.confessed += o.confessed
	for why, n := range o.refusals {
		v.refusals[why] += n
	}
}

// verdictHead is above the lines of String.
const verdictHead = "    said      due  lost own  cross (excused)  twice disorder  again  recovered  refused"

func (v *verdict) String() string {
	reasons := ""
	for _, why := range slices.Sorted(maps.Keys(v.refusals)) {
		reasons += fmt.Sprintf(" %s %d", why, v.refusals[why])
	}
	return fmt.Sprintf("%8d %8d  %8d %6d (%7d) %6d %8d %6d  %4d/%4d %s", v.said, v.due, v.lostOwn, v.lostCross, v.excused, v.twice, v.disorder,
		v.again, v.recovered, v.cut, reasons)
}
