package socketio

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

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
