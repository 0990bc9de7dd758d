package verdict

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Rules are what a mode promises beside what all do: nothing lost on the speaker's own instance, nothing twice, nothing out of order.
type Rules struct {
	Lossless bool // nothing is lost across instances
	// Gone tells why a session could not be there any more, or could not be found in time, when its client came back: of instances that were not
	// killed. Empty: it should have been recovered. Nil: all should.
	Gone func(was, is Stay) string
}

// A Verdict is what became of everything that was said in a run.
type Verdict struct {
	Said, Due, DueCross int
	LostOwn, LostCross  int
	Excused             int // lost with a process that was killed, or that said what it gave up
	Twice, Disorder     int
	Cut, Recovered      int            // connections whose client asked for its session; of instances that were not killed
	CutKilled           int            // the same, of those that were
	Gone                int            // the same, of those that Rules.Gone excuses
	Again               int            // heard by a new session of somebody that had heard it before
	Refusals            map[string]int // of those that were not recovered, by reason and excuse
	Complaints          []string       // which promises are broken
	Examples            []string       // of what is wrong, and of sessions that were not recovered
	Losses              []Loss         // across instances, those that are not excused
}

// A Loss is a word that somebody on another instance should have heard.
type Loss struct {
	Word Word
	From int   // the process it was said at
	At   []int // the processes that its listener's session was at
	// Back is the stay that brought the session back, if its listener was away when the word was said.
	Back *Stay
}

// killDoubt is how long before it was killed a process may have kept a word to itself: as long as Redis may be away.
const killDoubt = 15 * time.Second

// Judge finds the verdict on a run that is over. ends are the processes that have ended, by their numbers. The people's memories must not
// change meanwhile.
func Judge(people []*Memory, ends map[int]Ending, r Rules) *Verdict {
	v := &Verdict{Refusals: map[string]int{}}
	runs := make([][]run, len(people))
	for i, p := range people {
		runs[i] = runsOf(p)
		v.Said += len(p.Said)
	}
	for _, listener := range people {
		v.count(r, listener, ends)
		sessions := sessionsOf(listener)
		for _, s := range sessions {
			v.hearing(s, listener)
			for i := range people {
				for _, run := range runs[i] {
					v.listen(r, s, run, listener, ends)
				}
			}
		}
		v.repeated(sessions)
	}
	v.Complain(v.Twice, "came twice")
	v.Complain(v.Disorder, "came out of order")
	v.Complain(v.LostOwn, "were lost on the speaker's own instance")
	if r.Lossless {
		v.Complain(v.LostCross, "were lost across instances")
	}
	return v
}

// Complain notes that a promise is broken, n times; none is no complaint.
func (v *Verdict) Complain(n int, what string) {
	if n > 0 {
		v.Complaints = append(v.Complaints, fmt.Sprintf("%d %s", n, what))
	}
}

// hearing counts what came twice in a session.
func (v *Verdict) hearing(s *session, p *Memory) {
	for from, seqs := range s.times {
		for seq, n := range seqs {
			if n > 1 {
				v.Twice++
				v.example("%s heard %d of %s %d times", p.Name, seq, from, n)
			}
		}
	}
}

// listen counts what a session got of a run.
func (v *Verdict) listen(rules Rules, s *session, r run, listener *Memory, ends map[int]Ending) {
	latest := v.order(s, r, listener)
	end, ended := ends[r.at]
	for _, w := range r.words {
		here := s.at(w.At)
		if w.At.Before(s.stays[0].From) || !s.last && w.Seq > latest {
			continue
		}
		v.Due++
		own := here == r.at
		if !own {
			v.DueCross++
		}
		if s.times[w.From][w.Seq] > 0 {
			continue
		}
		switch {
		case ended && end.GaveUp || ended && end.Killed && w.At.After(end.At.Add(-killDoubt)):
			v.Excused++
		case own && s.same(here, w.At):
			v.LostOwn++
			v.example("%s did not hear %d of %s, said at %s on its own instance %d", listener.Name, w.Seq, w.From, Clock(w.At), here)
		default:
			v.LostCross++
			v.Losses = append(v.Losses, Loss{Word: w, From: r.at, At: s.processes(), Back: s.back(w.At)})
			if rules.Lossless {
				v.example("%s, on instance %d, did not hear %d of %s, said at %s on instance %d; it was there %s", listener.Name, here, w.Seq, w.From, Clock(w.At), r.at, s)
			}
		}
	}
}

// order looks whether a session heard a run in its order, and returns the latest word of it that was heard, -1: none.
func (v *Verdict) order(s *session, r run, listener *Memory) int {
	first, last := r.words[0], r.words[len(r.words)-1]
	latest := -1
	for _, h := range s.heard {
		if h.From != first.From || h.Seq < first.Seq || h.Seq > last.Seq {
			continue
		}
		if h.Seq < latest {
			v.Disorder++
			v.example("%s heard %d of %s after %d", listener.Name, h.Seq, h.From, latest)
		}
		latest = max(latest, h.Seq)
	}
	return latest
}

// repeated counts what new sessions heard that earlier ones had heard.
func (v *Verdict) repeated(sessions []*session) {
	had := map[string]map[int]bool{}
	for _, s := range sessions {
		for from, seqs := range s.times {
			if had[from] == nil {
				had[from] = map[int]bool{}
			}
			for seq := range seqs {
				if had[from][seq] {
					v.Again++
				}
				had[from][seq] = true
			}
		}
	}
}

// count counts who got its session back.
func (v *Verdict) count(r Rules, p *Memory, ends map[int]Ending) {
	for i, s := range p.Stays[min(1, len(p.Stays)):] {
		if !s.Asked || p.Listens {
			continue
		}
		was := p.Stays[i]
		end, ended := ends[was.At]
		if ended && end.Killed && end.At.Before(s.From) {
			v.CutKilled++
			continue
		}
		if s.Recovered {
			v.Cut++
			v.Recovered++
			continue
		}
		excuse := ""
		if r.Gone != nil {
			excuse = r.Gone(was, s)
		}
		if excuse != "" {
			v.Gone++
			v.Refusals[s.Why+" ("+excuse+")"]++
			continue
		}
		v.Cut++
		v.Refusals[s.Why]++
		v.example("(%s, of instance %d until %s, was not recovered at %s by instance %d: %s)", p.Name, was.At, Clock(was.To), Clock(s.From), s.At, s.Why)
	}
}

const maxExamples = 12

func (v *Verdict) example(format string, args ...any) {
	if len(v.Examples) < maxExamples {
		v.Examples = append(v.Examples, fmt.Sprintf(format, args...))
	}
}

// Add makes a sum of verdicts: of the numbers.
func (v *Verdict) Add(o *Verdict) {
	v.Said, v.Due, v.DueCross = v.Said+o.Said, v.Due+o.Due, v.DueCross+o.DueCross
	v.LostOwn, v.LostCross, v.Excused = v.LostOwn+o.LostOwn, v.LostCross+o.LostCross, v.Excused+o.Excused
	v.Twice, v.Disorder, v.Again = v.Twice+o.Twice, v.Disorder+o.Disorder, v.Again+o.Again
	v.Cut, v.Recovered, v.CutKilled, v.Gone = v.Cut+o.Cut, v.Recovered+o.Recovered, v.CutKilled+o.CutKilled, v.Gone+o.Gone
	if v.Refusals == nil {
		v.Refusals = map[string]int{}
	}
	for why, n := range o.Refusals {
		v.Refusals[why] += n
	}
}

// Head is above the lines of String.
const Head = "    said      due  lost own  cross (excused)  twice disorder  again  recovered killed   gone  refused"

func (v *Verdict) String() string {
	reasons := ""
	for _, why := range slices.Sorted(maps.Keys(v.Refusals)) {
		reasons += fmt.Sprintf(" %s: %d,", why, v.Refusals[why])
	}
	return fmt.Sprintf("%8d %8d  %8d %6d (%7d) %6d %8d %6d  %4d/%4d %6d %6d %s", v.Said, v.Due, v.LostOwn, v.LostCross, v.Excused, v.Twice, v.Disorder,
		v.Again, v.Recovered, v.Cut, v.CutKilled, v.Gone, reasons)
}
