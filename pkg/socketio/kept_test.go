package socketio

import (
	"fmt"
	"strings"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

func volatileOptions() *socket.BroadcastOptions {
	return &socket.BroadcastOptions{
		Rooms: types.NewSet[socket.Room](), Except: types.NewSet[socket.Room](),
		Flags: &socket.BroadcastFlags{WriteOptions: socket.WriteOptions{Volatile: true}},
	}
}

// TestPublishedEventsAreNumbered: those that are kept have numbers without a gap, whatever is published between them.
func TestPublishedEventsAreNumbered(t *testing.T) {
	for _, row := range []struct {
		name    string
		recover bool
		opts    []*socket.BroadcastOptions
		want    string
	}{
		{"without recovery", false, []*socket.BroadcastOptions{nil, nil, volatileOptions()}, "[0 0 0]"},
		{"with recovery", true, []*socket.BroadcastOptions{nil, volatileOptions(), nil, nil}, "[1 0 2 3]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			ns, b := crowd(t, 2)
			if row.recover {
				ns, b = recoveringCrowd(t, 2)
				ns.local.PublishAs("this one")
			}
			var numbers []uint64
			for _, opts := range row.opts {
				ns.local.BroadcastPublished(Encoded{Data: raw(`["x"]`)}, opts, func(n uint64) { numbers = append(numbers, n) })
			}
			if got := fmt.Sprint(numbers); got != row.want {
				t.Errorf("published %s, want %s", got, row.want)
			}
			if want := 2 * len(row.opts); b.sent < want-2 { // volatile ones go only to those who are ready
				t.Errorf("%d were sent, want %d", b.sent, want)
			}
			if !row.recover {
				return
			}
			kept, own, published := ns.local.Kept()
			if name, n := ns.local.Published(); own != OriginText("this one") || name != own || n != 3 || published != 3 || kept[own] != (Numbers{1, 3}) {
				t.Errorf("kept %v, own %s, published %d; Published tells %s, %d", kept, own, published, name, n)
			}
			if mark := ns.local.Mark(); mark != 4 {
				t.Errorf("the next event here has number %d, want 4", mark)
			}
		})
	}
}

// TestOnReceive hears of what other instances send, before the sockets do, and survives its listener's panic.
func TestOnReceive(t *testing.T) {
	for _, recover := range []bool{false, true} {
		t.Run(fmt.Sprintf("recovery %t", recover), func(t *testing.T) {
			ns, b := crowd(t, 1)
			if recover {
				ns, b = recoveringCrowd(t, 1)
			}
			var heard []string
			ns.OnReceive(func(r Received) {
				heard = append(heard, fmt.Sprintf("%s to %v but %v, sent to %d before", r.Data.JSON, r.Rooms, r.Except, b.sent))
				panic("listener bug")
			})
			id := uint64(1)
			rooms := &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]("all"), Except: types.NewSet[socket.Room]("half")}
			ns.local.BroadcastReceived(Encoded{Data: raw(`["a"]`)}, nil, "other", 1)
			ns.local.BroadcastReceived(Encoded{Data: raw(`["b"]`)}, rooms, "other", 2)
			ns.local.BroadcastReceived(Encoded{Data: raw(`["v"]`)}, volatileOptions(), "other", 0)
			ns.local.BroadcastReceived(Encoded{Data: raw(`["ack"]`), ID: &id}, nil, "other", 0)
			ns.Broadcast("ours")
			want := []string{`["a"] to [] but [], sent to 0 before`, `["b"] to [all] but [half], sent to 1 before`}
			if strings.Join(heard, "\n") != strings.Join(want, "\n") {
				t.Errorf("heard\n%s\nwant\n%s", strings.Join(heard, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestCutRecovery: when events of other instances were lost, a client that was away then begins anew; one that has heard something since does
// not.
func TestCutRecovery(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	before := ns.local.ListenedFor()
	c, d := s.newComer(t, "/chat"), s.newComer(t, "/chat")
	ns.Broadcast("x")
	c.wantEvents(`["x"]`)
	d.wantEvents(`["x"]`)
	c.cut()
	c.gone(s)
	ns.Broadcast("missed")
	d.wantEvents(`["missed"]`)
	ns.local.CutRecovery()
	if c.connect(t, s) || refused(s, RefusedCut) != 1 {
		t.Errorf("one that was away: stats %+v", s.RecoveryStats())
	}
	ns.Broadcast("after")
	d.wantEvents(`["after"]`)
	d.cut()
	if !d.connect(t, s) {
		t.Errorf("one that has heard something since is not recovered: %+v", s.RecoveryStats())
	}
	d.wantNothing()
	if before < 0 || ns.local.ListenedFor() < 0 {
		t.Error("it has listened for less than nothing")
	}
	off := NewServer(Options{}).Of("/chat").local
	off.CutRecovery() // does nothing
	if off.Recovers() || off.RecoversFor() != 0 || !ns.local.Recovers() || ns.local.RecoversFor() != s.recovery.cfg.For {
		t.Error("recovery is on without options, or off with them")
	}
}

// TestShedRecovery: the oldest go, as many as it takes, over all namespaces, and what is left is counted as before.
func TestShedRecovery(t *testing.T) {
	for _, row := range []struct {
		name string
		want func(one int64) int64
		gone int
	}{
		{"nothing", func(int64) int64 { return 0 }, 0},
		{"a byte takes one", func(int64) int64 { return 1 }, 1},
		{"exactly two", func(one int64) int64 { return 2 * one }, 2},
		{"one more than two takes three", func(one int64) int64 { return 2*one + 1 }, 3},
		{"more than one namespace has", func(one int64) int64 { return 11 * one }, 11},
		{"more than there is", func(one int64) int64 { return 1000 * one }, 20},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newTestServer(t, recovering(Options{}))
			spaces := []*Namespace{s.Of("/a"), s.Of("/b")}
			for range 10 {
				for _, ns := range spaces {
					ns.Broadcast("x", "padding")
				}
			}
			all := s.recovery.used.Load()
			bytes, events := s.ShedRecovery(row.want(all / 20))
			if events != row.gone || bytes != all/20*int64(row.gone) || s.recovery.used.Load() != all-bytes || s.RecoveryStats().Packets != int64(20-row.gone) {
				t.Errorf("%d bytes of %d, %d events, want %d; stats %+v", bytes, all, events, row.gone, s.RecoveryStats())
			}
			for _, ns := range spaces {
				if head := ns.local.Mark(); head != 11 {
					t.Errorf("the next event has number %d, want 11", head)
				}
			}
		})
	}
	if bytes, events := newTestServer(t, Options{}).ShedRecovery(1 << 20); bytes != 0 || events != 0 {
		t.Errorf("without recovery %d bytes, %d events", bytes, events)
	}
}

// TestShedOnlyWhatWasMissed: of two clients that are away the one begins anew that needs what was shed.
func TestShedOnlyWhatWasMissed(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	early, late := s.newComer(t, "/chat"), s.newComer(t, "/chat")
	ns.Broadcast("a")
	early.wantEvents(`["a"]`)
	early.cut()
	early.gone(s)
	for n := range 3 {
		ns.Broadcast("b", n)
	}
	late.wantEvents(`["a"]`, `["b",0]`, `["b",1]`)
	late.cut()
	late.gone(s)
	ns.Broadcast("c")
	one := ns.local.journal.list[0].size
	s.ShedRecovery(2 * one) // "a" and the first "b"
	if early.connect(t, s) || refused(s, RefusedCut) != 1 {
		t.Errorf("the first one: %+v", s.RecoveryStats())
	}
	if !late.connect(t, s) {
		t.Fatalf("the second one: %+v", s.RecoveryStats())
	}
	late.wantEvents(`["b",2]`, `["c"]`)
}
