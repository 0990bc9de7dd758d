package socketio

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// TestBefore: up to which event of an origin another instance has certainly had all, from when ours came and when it began to listen.
func TestBefore(t *testing.T) {
	const listens = 10_000 // when the other instance began, ms
	for _, row := range []struct {
		name  string
		times []int64 // of events 1, 2, … of the origin
		first uint64  // number of the first of them
		old   int64
		n     uint64
		known bool
	}{
		{"none is kept", nil, 1, 0, 7, true},
		{"all came before it listened", []int64{1000, 9999}, 1, 0, 2, true},
		{"the last one came as it began", []int64{1000, 10_000}, 1, 0, 0, false},
		{"… at the end of what counts as that", []int64{1000, listens + birthMargin}, 1, 0, 0, false},
		{"… and one later", []int64{1000, listens + birthMargin + 1}, 1, 0, 1, true},
		{"all came later", []int64{11_001, 12_000}, 1, 0, 0, true},
		{"all came later, and what came before is forgotten", []int64{11_001, 12_000}, 5, 0, 0, false},
		{"all are so old that it must have had them", []int64{11_001, 12_000}, 1, 13_000, 2, true},
		{"the first of them is", []int64{11_001, 12_000}, 1, 11_002, 1, true},
	} {
		j := newTestJournal(time.Minute, 1<<20)
		for i := range row.times {
			j.add(PacketID{1, row.first + uint64(i)}, "/", raw(`["x"]`), nil)
			j.add(PacketID{2, uint64(i) + 1}, "/", raw(`["of another"]`), nil)
		}
		for i := range j.list {
			j.list[i].at = row.times[i/2]
		}
		if n, known := j.before(1, 7, row.old, listens); n != row.n || known != row.known {
			t.Errorf("%s: %d, %t; want %d, %t", row.name, n, known, row.n, row.known)
		}
	}
}

// TestHandRefusesNonsense: what was left by an instance and cannot be read, or is of no use any more, is a refusal and nothing worse.
func TestHandRefusesNonsense(t *testing.T) {
	entry := func(text string) storedEntry {
		return storedEntry{Handed: HandedPacket{ID: PacketID{1, 1}.String(), Text: text}}
	}
	fresh := func() *storedSession {
		return &storedSession{
			Sid: "sid", Pid: "pid", Start: 1, ParkedAt: time.Now().UnixMilli(), Stays: []storedStay{{"red", 0, stillThere}},
			Prefix: []HandedPacket{{ID: PacketID{3, 1}.String(), Text: `2["before"]`}},
		}
	}
	for _, row := range []struct {
		name    string
		spoil   func(s *storedSession, l *StoredLog)
		session string // instead of the spoilt one
		offset  string
		why     Refusal
		missed  int
	}{
		{name: "all in order", offset: noOffset, missed: 2},
		{name: "after the first", offset: PacketID{3, 1}.String(), missed: 1},
		{name: "after all of it", offset: PacketID{1, 1}.String(), missed: 0},
		{name: "an offset of nothing", offset: "no offset", why: RefusedOffset},
		{name: "an offset of another", offset: PacketID{9, 9}.String(), why: RefusedOffset},
		{name: "no JSON", session: "{", why: RefusedCut},
		{name: "an event without a text", spoil: func(_ *storedSession, l *StoredLog) { l.Entries[0] = entry("") }, why: RefusedCut},
		{name: "an event without an id", spoil: func(_ *storedSession, l *StoredLog) { l.Entries[0].Handed.ID = "?" }, why: RefusedCut},
		{name: "a prefix without a text", spoil: func(s *storedSession, _ *StoredLog) { s.Prefix[0].Text = "" }, why: RefusedCut},
		{name: "too late", spoil: func(s *storedSession, _ *StoredLog) { s.ParkedAt -= 61_000 }, why: RefusedExpired},
		{name: "events are missing", spoil: func(_ *storedSession, l *StoredLog) { l.Floor = 2 }, offset: noOffset, why: RefusedCut},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, l := fresh(), &StoredLog{Floor: 1, Entries: []storedEntry{entry(`2["x"]`)}, Seen: map[uint64]uint64{1: 1}, At: time.Now().UnixMilli()}
			if row.spoil != nil {
				row.spoil(s, l)
			}
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if row.session != "" {
				text = []byte(row.session)
			}
			h, why := l.Hand(text, row.offset, nil, time.Minute)
			if why != row.why || (h != nil) != (why == NotRefused) {
				t.Fatalf("refused: %s, want %s; %+v", why, row.why, h)
			}
			if h != nil && (len(h.Missed) != row.missed || fmt.Sprint(h.Rooms) != "[red]" || h.Seen[originText(1)] != 1) {
				t.Errorf("handed %+v", h)
			}
		})
	}
}

// TestMovedSessionsAreForgotten: where sessions went is known for a while, and of so many at most; of one that moved twice the latest counts.
func TestMovedSessionsAreForgotten(t *testing.T) {
	m := moved{to: map[socket.PrivateSessionId]movedSession{}}
	m.note("a", "first", 1)
	m.note("b", "", 1) // to an instance without a name
	m.note("a", "second", 5)
	if m.len() != 2 || m.to["a"].origin != "second" {
		t.Errorf("%d notes, a is at %q", m.len(), m.to["a"].origin)
	}
	if m.expire(5); m.len() != 1 || m.to["a"].origin != "second" {
		t.Errorf("after the first note's end %d notes, a is at %q", m.len(), m.to["a"].origin)
	}
	if m.expire(6); m.len() != 0 || len(m.to) != 0 {
		t.Errorf("%d notes are left, %d sessions", m.len(), len(m.to))
	}
	for n := range maxMoved + 1 {
		m.note(socket.PrivateSessionId(fmt.Sprint(n)), "there", int64(n))
	}
	if _, first := m.to["0"]; m.len() != maxMoved || len(m.to) != maxMoved || first {
		t.Errorf("%d notes of %d sessions, the oldest among them: %t", m.len(), len(m.to), first)
	}
}

// TestBaseOfASession: a new session knows the offset with which its client came, unless that is none of ours.
func TestBaseOfASession(t *testing.T) {
	long := strings.Repeat("x", maxOffset)
	for offset, base := range map[string]string{noOffset: "", "": "", long: long, long + "x": "", "from elsewhere": "from elsewhere"} {
		s := newTestServer(t, recovering(Options{}))
		v := newLife(t, s, sessionEnded)
		l := v.newLink()
		if v.register(l, "sid", offset); l.member.session.base != base {
			t.Errorf("%q: the base is %q, want %q", offset, l.member.session.base, base)
		}
	}
}

// TestAdoptWhatWaitedForRedis: events of this instance's own that the former one had not heard of are due to the client, however long ago they
// were sent: they may have waited for Redis.
func TestAdoptWhatWaitedForRedis(t *testing.T) {
	v := newLife(t, newTestServer(t, recovering(Options{})), sessionAttached)
	defer v.end()
	v.BroadcastPublished(Encoded{Data: raw(`["said while Redis was away"]`)}, &socket.BroadcastOptions{}, func(uint64) {})
	v.journal.list[len(v.journal.list)-1].at -= inFlight + 1000
	h := &HandedSession{Sid: "handed", Pid: "handed pid", Foreign: -1, Since: 100_000, Seen: map[string]uint64{}}
	s, why := v.adoptSession(h, v.newLink(), noOffset, 0)
	if why != NotRefused || len(s.prefix) != 1 || !strings.Contains(string(s.prefix[0].frames[0].Text()), "said while Redis was away") {
		t.Errorf("refused: %s, %+v", why, s)
	}
}

// TestAdoptRefuses: what another instance hands over is taken as it is meant, or not at all; nothing is left of what is refused.
func TestAdoptRefuses(t *testing.T) {
	third := OriginText("third")
	here := PacketID{OriginOf("third"), 1}.String() // kept on this instance, too
	unknown := func(h *HandedSession) { delete(h.Seen, third); h.Rooms = append(h.Rooms, "red") }
	for _, row := range []struct {
		name  string
		spoil func(h *HandedSession)
		ago   int64 // when the events of others came here, in ms
		mark  uint64
		full  bool
		why   Refusal
		then  []string // what the client gets
	}{
		{name: "as it is meant", then: []string{"text"}},
		{name: "what is kept here by its name alone", spoil: func(h *HandedSession) { h.Missed = []HandedPacket{{ID: here}}; h.Rooms = append(h.Rooms, "red") }, then: []string{"kept", "in red"}},
		{name: "what is not kept here by its name alone", spoil: func(h *HandedSession) { h.Missed[0].Text = "" }, why: RefusedCut},
		{name: "what has no name", spoil: func(h *HandedSession) { h.Missed[0].ID = "?" }, why: RefusedCut},
		{name: "what is no event", spoil: func(h *HandedSession) { h.Missed[0].Text = `1/nsp,` }, why: RefusedCut},
		{name: "of another namespace", spoil: func(h *HandedSession) { h.Missed[0].Text = `2/other,["text"]` }, why: RefusedCut},
		{name: "data that is no JSON", spoil: func(h *HandedSession) { h.Data = []byte("{") }, why: RefusedCut},
		{name: "an origin that is none", spoil: func(h *HandedSession) { h.Seen["?"] = 1 }, why: RefusedCut},
		{name: "an event of another instance is missing", spoil: func(h *HandedSession) { h.Seen[OriginText("fourth")] = 1 }, why: RefusedCut},
		{name: "events without a number came there", spoil: func(h *HandedSession) { h.Foreign = foreignMargin - 1 }, why: RefusedForeign},
		{name: "… long ago", spoil: func(h *HandedSession) { h.Foreign = foreignMargin }, then: []string{"text"}},
		{name: "… and it is known where", spoil: func(h *HandedSession) { h.Foreign = 0 }, mark: 2, then: []string{"text"}},
		{name: "an instance that it did not know yet", spoil: unknown, then: []string{"text", "kept", "in red"}},
		{name: "… and whose event it must have heard", spoil: unknown, ago: inFlight + 1000, then: []string{"text", "in red"}},
		{name: "… unless it was behind", spoil: func(h *HandedSession) { unknown(h); h.Behind = 2000 }, ago: inFlight + 1000, then: []string{"text", "kept", "in red"}},
		{name: "… by more than there is to hear here", spoil: func(h *HandedSession) { h.Behind = 1 + MaxBehind.Milliseconds() }, why: RefusedCut},
		{name: "… and all of that was heard here", spoil: func(h *HandedSession) { h.Behind = 1 + MaxBehind.Milliseconds() }, ago: inFlight, then: []string{"text"}},
		{name: "… by less than nothing", spoil: func(h *HandedSession) { unknown(h); h.Behind = -1 << 62 }, ago: inFlight + 1000, then: []string{"text", "in red"}},
		{name: "no room for it", full: true, why: RefusedCut},
		{name: "there is one with its private id", spoil: func(h *HandedSession) { h.Pid = lifePid }, why: RefusedUnknown},
		{name: "there is one with its id", spoil: func(h *HandedSession) { h.Sid = "sid" }, why: RefusedUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := newLife(t, newTestServer(t, recovering(Options{})), sessionAttached)
			defer v.end()
			v.BroadcastReceived(Encoded{Data: raw(`["kept"]`)}, &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]("red")}, "third", 1)
			v.BroadcastReceived(Encoded{Data: raw(`["in red"]`)}, &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]("red")}, "fourth", 3)
			h := &HandedSession{
				Sid: "handed", Pid: "handed pid", Rooms: []socket.Room{"handed"}, Foreign: -1, Since: 100_000, Seen: map[string]uint64{third: 1, OriginText("fourth"): 2},
				Missed: []HandedPacket{{ID: PacketID{7, 1}.String(), Text: "2" + v.name + `,["text"]`}},
			}
			if row.spoil != nil {
				row.spoil(h)
			}
			for i := range v.journal.list {
				v.journal.list[i].at -= row.ago
			}
			v.journal.since -= row.ago
			r := v.sessions.shared
			if row.full {
				r.cfg.Bytes = 2 * r.parkedBytes.Load()
			}
			before := r.parkedBytes.Load()
			s, why := v.adoptSession(h, v.newLink(), noOffset, row.mark)
			if why != row.why || (s != nil) != (why == NotRefused) {
				t.Fatalf("refused: %s, want %s", why, row.why)
			}
			if s == nil {
				if known := v.HasSession("handed pid"); known || r.parkedBytes.Load() != before {
					t.Errorf("it is known: %t; accounted for %d bytes, before %d", known, r.parkedBytes.Load(), before)
				}
				return
			}
			v.mu.Lock()
			defer v.mu.Unlock()
			v.sessions.check(t)
			var got []string
			for _, e := range s.prefix {
				_, event, _ := strings.Cut(string(e.frames[0].Text()), `["`)
				event, _, _ = strings.Cut(event, `"`)
				got = append(got, event)
			}
			if s.state != sessionReturning || !slices.Equal(got, row.then) {
				t.Errorf("in state %d, to be sent %q, want %q", s.state, got, row.then)
			}
			v.sessions.end(s, exitLeft)
		})
	}
}
