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

// HeardSince are the origins of numbered events that came since then.
func (a *LocalAdapter) HeardSince(then time.Time) (origins []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, o := range a.journal.seen {
		if o.at >= then.UnixMilli() {
			origins = append(origins, originText(id))
		}
	}
	return origins
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
			a.refuseLocked(s, refused)
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
