package socketio

import (
	"encoding/json"
	"time"
)

// foreignMargin is how far apart, in ms, the deliveries of one event on two instances may be.
const foreignMargin = 5000

// inFlight is how long, in ms, an event may still be on its way to one instance when another has it. birthMargin, in ms, allows for
// the delay of the message that announced an instance: it may have begun to listen that much earlier than we saw.
const (
	inFlight    = 5000
	birthMargin = 1000
)

// MaxBehind is how far an instance that reads a stream seems to be behind it when it is not: an idle stream says nothing for a second.
const MaxBehind = 2 * time.Second

// adoptSession makes a handed session one of this instance, whose client is at l. offset is what the client got last; mark
// is the place in the order of events here at which the other instance's share ends, 0 if it is not
// known.
func (a *LocalAdapter) adoptSession(h *HandedSession, l *link, offset string, mark uint64) (*session, Refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	j := a.journal
	now := time.Now().UnixMilli()
	if mark == 0 && (h.Foreign >= 0 && h.Foreign < foreignMargin || j.foreign > now-h.Age-foreignMargin) {
		return nil, RefusedForeign
	}
	s := &session{sid: h.Sid, pid: h.Pid, base: offset, start: j.head(), awaySince: now}
	if !h.read(s) {
		return nil, RefusedCut
	}
	behind := max(0, h.Behind) // what is told may be anything
	if behind > MaxBehind.Milliseconds() && j.since > now-h.Age-behind {
		return nil, RefusedCut // what was said in between has reached neither
	}
	if !j.forgetUnheard(s, now-h.Age-behind, h.Since-behind) {
		return nil, RefusedCut
	}
	own, why := j.beyond(s, mark)
	if why != NotRefused {
		return nil, why
	}
	if why = s.resolve(h.Missed, j, a.name); why != NotRefused {
		return nil, why
	}
	s.prefix = append(s.prefix, own...)
	s.next = cursor{0, s.start}
	s.prefixUntil = now + j.shared.cfg.For.Milliseconds()
	for i := range s.prefix {
		s.prefixSize += s.prefix[i].size
	}
	if j.shared.parkedBytes.Load()+s.prefixSize > j.shared.cfg.Bytes/2 {
		return nil, RefusedCut
	}
	if a.sessions.byPID[s.pid] != nil || a.byID[s.sid] != nil || a.sessions.leaving[s.sid] != nil {
		return nil, RefusedUnknown // somebody else was first
	}
	j.shared.account(s.prefixSize, 0)
	a.sessions.adopt(s, l)
	a.tickLocked()
	return s, NotRefused
}

// read gives s the rooms, the data and what it has had of each origin. It reports false if they make no sense.
func (h *HandedSession) read(s *session) bool {
	for _, room := range h.Rooms {
		s.stays = append(s.stays, stay{room, 0, stillThere})
	}
	s.skip = make(map[uint64]uint64, len(h.Seen))
	for text, n := range h.Seen {
		id, ok := parseOffset(text + "0")
		if !ok {
			return false
		}
		s.skip[id.Origin] = n
	}
	return len(h.Data) == 0 || json.Unmarshal(h.Data, &s.data) == nil
}

// forgetUnheard completes s.skip for origins that are known here and that the session's former instance did not name. That instance
// described the session as of asOf (Unix ms), up to when it had heard everything, and had listened for listened ms by then. There are two reasons why it does not name an origin:
//
//  1. The origin ended before the instance began to listen. The client got its events elsewhere, or began later: they are skipped.
//  2. Its first event was still on the way to the instance. The client has not got that event: nothing is skipped.
//
// For example, A says its last word at 1.0 s and ends, B begins to listen at 2.0 s, C publishes its first event at 9.9 s, and B describes
// a session at 10.0 s that knows neither. All of A's events are skipped (before B's birth), none of C's (later than asOf-inFlight, and its
// first event is here). An event around B's birth may have reached B or not: then the result is false, and the session is refused.
func (j *journal) forgetUnheard(s *session, asOf, listened int64) bool {
	for o, n := range j.seen {
		if _, heard := s.skip[o]; heard {
			continue
		}
		old := asOf - inFlight
		if o == j.published.Origin { // our own may have waited for Redis since they are kept here
			old = 0
		}
		before, ok := j.before(o, n.last, old, asOf-listened)
		if !ok {
			return false
		}
		s.skip[o] = before
	}
	return true
}

// before returns the number of the latest event of an origin that came before birth, when an instance began to listen, or before old,
// so that the instance has certainly had it. It returns last if that is true of all events, and false if it cannot be told.
func (j *journal) before(o, last uint64, old, birth int64) (n uint64, ok bool) {
	first := uint64(0)
	for seq := j.head(); seq > j.floor; {
		seq--
		switch e := j.at(seq); {
		case e.id.Origin != o:
		case e.at < max(old, birth):
			return e.id.N, true
		case e.at <= birth+birthMargin:
			return 0, false
		default:
			first = e.id.N
		}
	}
	switch first {
	case 0:
		return last, true
	case 1:
		return 0, true
	}
	return 0, false // what came before it is not kept
}

// beyond returns the events here that the session's former instance had not had, and makes sure that
// none is missing.
func (j *journal) beyond(s *session, mark uint64) (list []entry, why Refusal) {
	left := uint64(0) // numbered ones to be found
	for o, n := range j.seen {
		from := s.skip[o] + 1
		if n.last < from {
			continue
		}
		if n.first > from {
			return nil, RefusedCut
		}
		left += n.last - from + 1
	}
	for seq := j.head(); seq > j.floor && (left > 0 || mark != 0 && seq > mark); {
		seq--
		e := j.at(seq)
		_, numbered := j.seen[e.id.Origin]
		switch {
		case numbered && !s.skips(e.id):
			left--
		case e.foreign && mark != 0 && seq >= mark:
		default:
			continue
		}
		if s.wants(e, seq) {
			list = append(list, *e)
		}
	}
	if left > 0 || mark != 0 && mark < j.floor {
		return nil, RefusedCut
	}
	for i, k := 0, len(list)-1; i < k; i, k = i+1, k-1 {
		list[i], list[k] = list[k], list[i]
	}
	return list, NotRefused
}

// resolve makes the prefix of what was missed on the other instance.
func (s *session) resolve(missed []HandedPacket, j *journal, nsp string) Refusal {
	here := make(map[PacketID]uint64) // those that are kept here, once found
	for _, p := range missed {
		e, ok := p.entry()
		if !ok {
			return RefusedCut
		}
		if e.frames == nil {
			here[e.id] = 0
		} else if _, event := eventOf(e.frames[0].Text(), nsp); !event {
			return RefusedCut // nobody of ours says that
		}
		s.prefix = append(s.prefix, e)
	}
	for seq, left := j.head(), len(here); seq > j.floor && left > 0; {
		seq--
		if at, ok := here[j.at(seq).id]; ok && at == 0 {
			here[j.at(seq).id] = seq
			left--
		}
	}
	for i := range s.prefix {
		e := &s.prefix[i]
		if e.frames != nil {
			continue
		}
		seq := here[e.id]
		if seq == 0 {
			return RefusedCut
		}
		*e = *j.at(seq)
	}
	return NotRefused
}
