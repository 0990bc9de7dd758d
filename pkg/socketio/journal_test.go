package socketio

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// recoveringCrowd is crowd on a namespace with recovery.
func recoveringCrowd(tb testing.TB, n int) (*Namespace, *countingBatch) {
	tb.Helper()
	ns, b := crowd(tb, n)
	ns.local.enableRecovery(newRecovery(recovering(Options{Recovery: Recovery{Bytes: 64 << 10}})))
	tb.Cleanup(ns.local.endRecovery)
	return ns, b
}

// TestKeptBroadcastAllocations pins that keeping a broadcast allocates nothing for a receiver either.
func TestKeptBroadcastAllocations(t *testing.T) {
	var allocs [2]float64
	for i, n := range []int{10, 1000} {
		ns, b := recoveringCrowd(t, n)
		for range 500 { // until the journal is full
			ns.Broadcast("msgToClient", raw(`{"name":"a","text":"b"}`))
		}
		b.sent = 0
		allocs[i] = testing.AllocsPerRun(100, func() { ns.Broadcast("msgToClient", raw(`{"name":"a","text":"b"}`)) })
		if b.sent != 101*n {
			t.Errorf("sent %d, want %d", b.sent, 101*n)
		}
	}
	if allocs[1] > allocs[0] {
		t.Errorf("%v allocations for 10 receivers, %v for 1000", allocs[0], allocs[1])
	}
	t.Logf("%v allocations", allocs[1])
}

func BenchmarkKeptBroadcast(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ns, _ := recoveringCrowd(b, n)
			b.ReportAllocs()
			for b.Loop() {
				ns.Broadcast("msgToClient", raw(`{"name":"alice","text":"hello, how are you?"}`))
			}
		})
	}
}

func newTestJournal(keep time.Duration, bytes int64) *journal {
	return newJournal(newRecovery(Options{Recovery: Recovery{For: keep, Bytes: bytes}}))
}

func TestJournalIsBounded(t *testing.T) {
	j := newTestJournal(time.Minute, 100_000)
	for n := range uint64(5000) {
		j.add(PacketID{1, n + 1}, "/chat", raw(`["x"]`), nil)
	}
	if j.bytes > 100_000 || j.shared.used.Load() != j.bytes || j.shared.packets.Load() != int64(len(j.list)-j.first) {
		t.Errorf("%d bytes, accounted for %d; %d packets", j.bytes, j.shared.used.Load(), j.shared.packets.Load())
	}
	if j.head() != 5001 || j.floor < 4000 || cap(j.list) > 20_000 {
		t.Errorf("from %d to %d, in %d", j.floor, j.head(), cap(j.list))
	}
	for seq := j.floor; seq < j.head(); seq++ {
		if got, ok := j.find(PacketID{1, seq}); !ok || got != seq {
			t.Fatalf("%d is found at %d, %v", seq, got, ok)
		}
	}
	// One that is larger than everything is kept alone.
	j.add(PacketID{2, 1}, "/chat", raw(`["`+strings.Repeat("x", 200_000)+`"]`), nil)
	if j.head()-j.floor != 1 {
		t.Errorf("%d packets", j.head()-j.floor)
	}
	// A second namespace has its share, whatever the first one uses.
	other := newJournal(j.shared)
	for n := range uint64(100) {
		other.add(PacketID{3, n + 1}, "/", raw(`["x"]`), nil)
	}
	if got := other.head() - other.floor; got != 100 {
		t.Errorf("the other namespace keeps %d", got)
	}
	j.cut()
	other.cut()
	if j.shared.used.Load() != 0 || j.shared.packets.Load() != 0 {
		t.Errorf("%d bytes, %d packets are left", j.shared.used.Load(), j.shared.packets.Load())
	}
}

func TestJournalForgetsByAge(t *testing.T) {
	j := newTestJournal(time.Minute, 1<<20)
	for n := range uint64(3) {
		j.add(PacketID{1, n + 1}, "/", raw(`["x"]`), nil)
	}
	for i := range j.list {
		j.list[i].at = int64(i) * 60_000
	}
	for _, tt := range []struct {
		now  int64
		kept uint64
	}{{0, 3}, {60_000, 3}, {60_001, 2}, {180_000, 1}, {180_001, 0}, {180_001, 0}} {
		if j.expire(tt.now); j.head()-j.floor != tt.kept || j.head() != 4 {
			t.Errorf("at %d: from %d to %d, want %d", tt.now, j.floor, j.head(), tt.kept)
		}
	}
}

func TestJournalFindsGaps(t *testing.T) {
	j := newTestJournal(time.Minute, 1<<20)
	for i, tt := range []struct {
		n   uint64
		gap bool
	}{{5, false}, {6, false}, {6, false}, {8, true}, {9, false}, {2, false}, {10, false}} {
		if gap := j.receive(PacketID{1, tt.n}); gap != tt.gap {
			t.Errorf("%d: after %d: gap %v", i, tt.n, gap)
		}
	}
	if got := j.seen[1]; got.first != 8 || got.last != 10 {
		t.Errorf("seen %+v", got)
	}
}

func TestStays(t *testing.T) {
	j := newTestJournal(time.Minute, 1<<20)
	s := &session{}
	step := func() { j.add(PacketID{1, j.head()}, "/", raw(`["x"]`), nil) }
	s.enter("a", j.head())
	step() // 1: a
	s.leave("a", j)
	step() // 2
	s.enter("a", j.head())
	s.enter("b", j.head())
	step() // 3: a, b
	to := func(rooms, except string) *entry {
		opts := &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room](), Except: types.NewSet[socket.Room]()}
		for _, r := range strings.Fields(rooms) {
			opts.Rooms.Add(socket.Room(r))
		}
		for _, r := range strings.Fields(except) {
			opts.Except.Add(socket.Room(r))
		}
		e := &entry{}
		e.rooms, e.except = roomSets(opts)
		return e
	}
	for _, tt := range []struct {
		rooms, except string
		want          [3]bool
	}{
		{"", "", [3]bool{true, true, true}},
		{"a", "", [3]bool{true, false, true}},
		{"b", "", [3]bool{false, false, true}},
		{"a c", "", [3]bool{true, false, true}},
		{"c", "", [3]bool{}},
		{"", "a", [3]bool{false, true, false}},
		{"a", "b", [3]bool{true, false, false}},
	} {
		for i, want := range tt.want {
			if got := s.wants(to(tt.rooms, tt.except), uint64(i+1)); got != want {
				t.Errorf("to %q except %q, event %d: %v", tt.rooms, tt.except, i+1, got)
			}
		}
	}
	// Somebody who changes rooms all the time costs no more than maxStays.
	for range 10 * maxStays {
		s.enter("c", j.head())
		step()
		s.leave("c", j)
	}
	if len(s.stays) > maxStays+3 || s.unsure == 0 || s.unsure >= j.head() {
		t.Errorf("%d stays, unsure before %d of %d", len(s.stays), s.unsure, j.head())
	}
	if rooms := s.rooms(); len(rooms) != 2 {
		t.Errorf("in %v", rooms)
	}
}
