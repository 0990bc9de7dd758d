package simulation

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"socketio-chat/pkg/e2e/verdict"
	"socketio-chat/pkg/redisadapter"
)

// judge finds the verdict on a run that is over.
func (w *world) judge() *verdict.Verdict {
	people := make([]*verdict.Memory, len(w.people))
	for i, p := range w.people {
		p.mu.Lock()
		defer p.mu.Unlock()
		people[i] = &p.memory
		w.refusals.Tell(people[i])
	}
	w.mu.Lock()
	lives, lost := slices.Clone(w.lives), w.lost
	ends := map[int]verdict.Ending{}
	for _, s := range lives {
		if s.ending != nil {
			ends[s.number] = *s.ending
		}
	}
	w.mu.Unlock()
	rules := w.incidents.Rules(ends)
	rules.Lossless = rules.Lossless && !lost
	v := verdict.Judge(people, ends, rules)
	w.judgeRooms(v, ends, rules)
	if len(v.Losses) > 0 && !(w.mode.lossless() && !lost) {
		v.Complain(uncounted(v.Losses, lives, func(l verdict.Loss) bool {
			return slices.ContainsFunc(l.At, func(at int) bool { return lives[at-1].builder.Status().Gaps > 0 })
		}), "were lost across instances, and no counter says so")
	}
	holes := slices.DeleteFunc(slices.Clone(v.Losses), func(l verdict.Loss) bool { return l.Back == nil })
	if n := uncounted(holes, lives, w.brokenAgain); n > 0 {
		v.Complain(n, "were missing from what recovered clients had missed")
		for _, l := range holes[:min(len(holes), 3)] {
			v.Examples = append(v.Examples, fmt.Sprintf("%d of %s, said at %s on instance %d, missed by somebody whom instance %d recovered at %s; it was at %v",
				l.Word.Seq, l.Word.From, verdict.Clock(l.Word.At), l.From, l.Back.At, verdict.Clock(l.Back.From), l.At))
		}
	}
	return v
}

// heldFor is how long a word may wait for Redis at the speaker's server.
const heldFor = 15 * time.Second

// brokenAgain tells whether the server that has recovered a session was cut off again when a word may have come there that was said before.
func (w *world) brokenAgain(l verdict.Loss) bool {
	return w.incidents.Outages(l.Back.At, l.Back.From.Add(-time.Second), l.Word.At.Add(heldFor))
}

// uncounted is how many words were lost that are in no counter: neither was there a gap in what a server of the listener's received, as excused
// tells, nor does the speaker's count as many that it did not publish, or may not have.
func uncounted(losses []verdict.Loss, lives []*server, excused func(verdict.Loss) bool) (n int) {
	type word struct {
		from string
		seq  int
	}
	byServer := map[int]map[word]bool{}
	status := make([]redisadapter.Status, len(lives))
	for i, s := range lives {
		status[i] = s.builder.Status()
	}
	for _, l := range losses {
		if excused(l) {
			continue
		}
		if byServer[l.From] == nil {
			byServer[l.From] = map[word]bool{}
		}
		byServer[l.From][word{l.Word.From, l.Word.Seq}] = true
	}
	for from, words := range byServer {
		n += max(0, len(words)-int(status[from-1].Dropped+status[from-1].Unknown))
	}
	return n
}

// calm looks whether the servers hold anything that nobody needs any more.
func (w *world) calm() {
	w.eventually("nothing is queued", func() bool {
		return !slices.ContainsFunc(w.there(), func(s *server) bool { return s.builder.Status().Queued > 0 })
	})
	w.eventually("only those are connected who are there", func() bool {
		n := 0
		for _, s := range w.there() {
			n += s.io.Engine().Len()
		}
		return n == len(w.people)
	})
}

// goroutines are the stacks of the bubble's goroutines, but for the one that asks.
func goroutines() string {
	b := make([]byte, 4<<20)
	all := strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n")
	_, bubble, _ := strings.Cut(strings.SplitN(all[0], "\n", 2)[0], "synctest bubble ")
	var left []string
	for _, g := range all[1:] {
		head, _, _ := strings.Cut(g, "\n")
		if _, number, ok := strings.Cut(head, "synctest bubble "); ok && number == bubble && !strings.Contains(g, "synctest.Run(") && !strings.Contains(g, "testingSynctestTest(") {
			left = append(left, g)
		}
	}
	return strings.Join(left, "\n\n")
}
