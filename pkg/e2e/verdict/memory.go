package verdict

import (
	"fmt"
	"strings"
	"time"
)

// A Stay is one connection of a person to one process.
type Stay struct {
	At        int       // which process; they are numbered from 1
	From, To  time.Time // To is zero while it lasts
	Recovered bool      // the server said that nothing was missed since the stay before
	Asked     bool      // its client asked for that
	Client    string    // its client's address, as the process knows it
	Why       string    // the server's reason if it was refused
	Ended     string    // the server's reason if it took the session back later
	Tried     []int     // processes that its client tried before, since the stay before
}

// A Word is something said or heard.
type Word struct {
	From string
	Seq  int // words of one person are numbered from 0
	At   time.Time
	Stay int // of its speaker, counted from 1; 0 of what was heard
}

// A Memory is what somebody did and heard, in order.
type Memory struct {
	Name    string
	Stays   []Stay
	Said    []Word
	Heard   []Word
	Listens bool // and never speaks
}

// An Ending is how a process ended that is not there any more.
type Ending struct {
	At     time.Time
	Killed bool // without a chance to say what it had
	GaveUp bool // it said that it gave messages up
}

// A session is what a listener heard over a connection and those that recovered it.
type session struct {
	stays []Stay
	last  bool // it lasted to the end
	heard []Word
	times map[string]map[int]int
}

// sessionsOf divides a person's memory.
func sessionsOf(m *Memory) (list []*session) {
	next := 0
	for i, s := range m.Stays {
		if i == 0 || !s.Recovered {
			list = append(list, &session{times: map[string]map[int]int{}})
		}
		se := list[len(list)-1]
		se.stays = append(se.stays, s)
		for ; next < len(m.Heard) && (i+1 == len(m.Stays) || m.Heard[next].At.Before(m.Stays[i+1].From)); next++ {
			se.hear(m.Heard[next])
		}
	}
	if len(list) > 0 {
		list[len(list)-1].last = m.Stays[len(m.Stays)-1].To.IsZero()
	}
	return list
}

func (s *session) hear(w Word) {
	if s.times[w.From] == nil {
		s.times[w.From] = map[int]int{}
	}
	s.times[w.From][w.Seq]++
	s.heard = append(s.heard, w)
}

// at is the process that the session was at when something was said; 0: at none.
func (s *session) at(t time.Time) int {
	for _, st := range s.stays {
		if !t.Before(st.From) && (st.To.IsZero() || t.Before(st.To)) {
			return st.At
		}
	}
	return 0
}

// back is the stay that brought the session back after a time at which its listener was away; nil: it was not.
func (s *session) back(t time.Time) *Stay {
	for i := range s.stays {
		if st := &s.stays[i]; i > 0 && t.Before(st.From) {
			return st
		}
		if s.stays[i].To.IsZero() || t.Before(s.stays[i].To) {
			return nil
		}
	}
	return nil
}

// doubt is how long before the end of a connection what was sent may have been lost with it.
const doubt = time.Second

// same tells whether the session's connection at a time was still there a while later.
func (s *session) same(at int, t time.Time) bool { return s.at(t.Add(doubt)) == at }

// processes are those that the session was at.
func (s *session) processes() (list []int) {
	for _, st := range s.stays {
		list = append(list, st.At)
	}
	return list
}

func (s *session) String() string {
	var b strings.Builder
	for _, st := range s.stays {
		fmt.Fprintf(&b, "[%d %s-%s]", st.At, Clock(st.From), Clock(st.To))
	}
	return b.String()
}

// Clock is how a moment is told: minutes, seconds and milliseconds.
func Clock(t time.Time) string { return t.Format("04:05.000") }

// A run is what somebody surely said over one connection, in order.
type run struct {
	at    int // which process
	words []Word
}

func runsOf(m *Memory) (list []run) {
	heard := map[int]bool{}
	for _, h := range m.Heard {
		if h.From == m.Name {
			heard[h.Seq] = true
		}
	}
	var tail []Word // of the latest run, perhaps: none of it was heard so far
	for _, w := range m.Said {
		if w.Stay < 1 || w.Stay > len(m.Stays) {
			continue
		}
		if len(tail) > 0 && tail[0].Stay != w.Stay {
			tail = nil
		}
		if tail = append(tail, w); !heard[w.Seq] {
			continue
		}
		if n := len(list); n == 0 || list[n-1].words[0].Stay != w.Stay {
			list = append(list, run{at: m.Stays[w.Stay-1].At})
		}
		list[len(list)-1].words = append(list[len(list)-1].words, tail...)
		tail = nil
	}
	return list
}
