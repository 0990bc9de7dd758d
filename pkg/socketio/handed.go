package socketio

import (
	"encoding/json"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// A HandedSession is a session on its way to another instance, as JSON.
type HandedSession struct {
	Sid   socket.SocketId         `json:"sid"`
	Pid   socket.PrivateSessionId `json:"pid"`
	Base  string                  `json:"base,omitempty"`
	Rooms []socket.Room           `json:"rooms"`
	Data  json.RawMessage         `json:"data,omitempty"` // Socket.Data, if that can be JSON
	// Missed is what the client missed, in the order of the instance that had the session.
	Missed []HandedPacket `json:"missed"`
	// Seen tells, by origin, up to which number that instance had had the events of each instance:
	// whatever of them the client is due is in Missed, whatever comes later is not.
	Seen map[string]uint64 `json:"seen"`
	// Foreign is how long ago, in ms, an event came there that has no number; -1: none is kept.
	Foreign int64 `json:"foreign"`
	// Since is for how long that instance had listened without losing anything, in ms, and Behind how old the latest is that it has
	// certainly heard: one that reads a stream may be far behind it when it comes back from an outage. Older versions do not tell that.
	Since  int64 `json:"since"`
	Behind int64 `json:"behind,omitempty"`
	// Age is how old all this is, in ms.
	Age int64 `json:"age,omitempty"`
}

// A HandedPacket is an event with its offset. Text and Binary are left out if the other instance has
// it, too.
type HandedPacket struct {
	ID     string   `json:"id"`
	Text   string   `json:"text,omitempty"`
	Binary [][]byte `json:"bin,omitempty"`
}

// Numbers are first and last of the events of one origin that an instance keeps.
type Numbers [2]uint64

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

// maxHanded bounds what is handed to another instance for one client, in bytes.
const maxHanded = 8 << 20

func originText(o uint64) string { return PacketID{Origin: o}.String()[:8] }

// OriginText is how the events of the instance that publishes under a name begin their offsets, and its
// sessions their private ids: eight characters.
func OriginText(name string) string { return originText(OriginOf(name)) }

// Kept tells which numbered events this instance keeps, by origin, and how many it has published
// itself, under which origin.
func (a *LocalAdapter) Kept() (kept map[string]Numbers, own string, published uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept = make(map[string]Numbers, len(a.journal.seen))
	for o, n := range a.journal.seen {
		kept[originText(o)] = Numbers{n.first, n.last}
	}
	return kept, originText(a.journal.published.Origin), a.journal.published.N
}

// Published tells how many events this instance has published, under which origin: of Kept, what each question needs.
func (a *LocalAdapter) Published() (own string, n uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return originText(a.journal.published.Origin), a.journal.published.N
}

// Mark returns the number that the next event will have here. It is a place in the order of events.
func (a *LocalAdapter) Mark() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.journal.head()
}

// ListenedFor tells for how long nothing has been missed here.
func (a *LocalAdapter) ListenedFor() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Duration(time.Now().UnixMilli()-a.journal.since) * time.Millisecond
}

// CutRecovery forgets all that is kept: an adapter calls it when events of other instances were lost.
func (a *LocalAdapter) CutRecovery() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.journal != nil {
		a.journal.cut()
	}
}

// TakeSession ends a session of this instance to hand it to another, whose origin is to, and which keeps
// the events that kept tells. Events without a number are handed over up to mark, if that is not 0. It waits for the old
// connection to end if need be.
func (a *LocalAdapter) TakeSession(pid socket.PrivateSessionId, offset string, kept map[string]Numbers, mark uint64, to string, deadline time.Time) (*HandedSession, Refusal) {
	a.checkLost()
	var h *HandedSession
	refused := NotRefused
	why := a.claim(pid, offset, deadline, nil, func(s *session) {
		if h, refused = a.journal.hand(s, kept, mark); refused != NotRefused {
			a.sessions.end(s, exitRefused)
			return
		}
		h.Behind = a.behindLocked()
		a.sessions.end(s, exitHandedOver)
		a.sessions.moved.note(pid, to, time.Now().UnixMilli())
		a.tickLocked()
		a.journal.shared.handed.Add(1)
	})
	return h, max(why, refused)
}

// hand describes a session whose cursor is set.
func (j *journal) hand(s *session, kept map[string]Numbers, mark uint64) (*HandedSession, Refusal) {
	h := &HandedSession{Sid: s.sid, Pid: s.pid, Base: s.base, Rooms: s.rooms(), Seen: map[string]uint64{}, Foreign: -1, Since: time.Now().UnixMilli() - j.since}
	if b, err := json.Marshal(s.data); err == nil && s.data != nil {
		h.Data = b
	}
	for o, n := range j.seen {
		h.Seen[originText(o)] = max(n.last, s.skip[o])
	}
	for o, n := range s.skip {
		if h.Seen[originText(o)] < n {
			h.Seen[originText(o)] = n
		}
	}
	if j.foreign != 0 {
		h.Foreign = time.Now().UnixMilli() - j.foreign
	}
	size := int64(0)
	add := func(e *entry) {
		p := HandedPacket{ID: e.id.String()}
		if n, ok := kept[p.ID[:8]]; !ok || e.id.N < n[0] || e.id.N > n[1] {
			p = e.handed()
			size += e.size
		}
		size += 64
		h.Missed = append(h.Missed, p)
	}
	for i := s.next.prefix; i < len(s.prefix); i++ {
		add(&s.prefix[i])
	}
	if s.next.seq < j.floor {
		return nil, RefusedCut
	}
	for seq := s.next.seq; seq < j.head() && size <= maxHanded; seq++ {
		e := j.at(seq)
		if e.foreign && mark != 0 && seq >= mark {
			continue
		}
		if s.wants(e, seq) {
			add(e)
		}
	}
	if size > maxHanded {
		return nil, RefusedCut
	}
	return h, NotRefused
}

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
		before, ok := j.before(o, n.last, asOf-inFlight, asOf-listened)
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
