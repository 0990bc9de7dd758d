package socketio

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// TestWhoIsHere: what the adapter tells of rooms follows each socket in and out of them. The room that is named like a socket's own id is no
// member's but that socket's.
func TestWhoIsHere(t *testing.T) {
	ns, _ := crowd(t, 4) // socket0 … socket3, all in "all", the first two in "half"
	a := ns.local
	own := socket.Room("socket3")
	type here struct {
		members, reach bool
		count          int
	}
	look := func(room socket.Room) here { return here{a.HasMembers(room), a.MayReach(room), ns.CountIn(room)} }
	for _, row := range []struct {
		after string
		do    func()
		half  here
		own   here
		all   int // receivers of a broadcast to both rooms
	}{
		{"the beginning", func() {}, here{true, true, 2}, here{false, true, 0}, 3},
		{"another one joins", func() { a.AddAll("socket2", types.NewSet[socket.Room]("half")) }, here{true, true, 3}, here{false, true, 0}, 4},
		{"it joins again", func() { a.AddAll("socket2", types.NewSet[socket.Room]("half")) }, here{true, true, 3}, here{false, true, 0}, 4},
		{"one joins another's own room", func() { a.AddAll("socket0", types.NewSet(own)) }, here{true, true, 3}, here{true, true, 1}, 5},
		{"it leaves that", func() { a.Del("socket0", own) }, here{true, true, 3}, here{false, true, 0}, 4},
		{"one leaves its own room", func() { a.Del("socket3", own) }, here{true, true, 3}, here{false, false, 0}, 3},
		{"it comes back there", func() { a.AddAll("socket3", types.NewSet(own)) }, here{true, true, 3}, here{false, true, 0}, 4},
		{"all but one leave", func() { a.DelAll("socket0"); a.Del("socket1", "half") }, here{true, true, 1}, here{false, true, 0}, 2},
		{"the last one goes", func() { a.DelAll("socket2") }, here{}, here{false, true, 0}, 1},
	} {
		row.do()
		if got := look("half"); got != row.half {
			t.Errorf("%s: half is %+v, want %+v", row.after, got, row.half)
		}
		if got := look(own); got != row.own {
			t.Errorf("%s: the own room is %+v, want %+v", row.after, got, row.own)
		}
		if got := a.receivers([]socket.Room{"half", own}); got != row.all {
			t.Errorf("%s: a broadcast to both reaches %d, want %d", row.after, got, row.all)
		}
	}
	if got := a.receivers(nil); got != 2 {
		t.Errorf("a broadcast to all reaches %d, want 2", got)
	}
	if look("nowhere") != (here{}) {
		t.Error("somebody is said to be nowhere")
	}
}

// TestKeptEventsMayReachAnyRoom: with recovery an event concerns an instance without anybody in its room, too: a client that is away may have
// been in it.
func TestKeptEventsMayReachAnyRoom(t *testing.T) {
	ns, _ := recoveringCrowd(t, 1)
	if !ns.local.MayReach("nobody's") || ns.local.HasMembers("nobody's") {
		t.Errorf("reach %t, members %t", ns.local.MayReach("nobody's"), ns.local.HasMembers("nobody's"))
	}
}

// TestIsIn asks for one socket, with our adapter and with the library's own.
func TestIsIn(t *testing.T) {
	for name, b := range map[string]AdapterBuilder{"ours": nil, "library": libraryAdapters{}} {
		t.Run(name, func(t *testing.T) {
			s := newTestServer(t, Options{Adapter: b})
			chat := s.Of("/chat")
			_, in := joinedSocket(t, s, 4)
			_, out := joinedSocket(t, s, 3)
			in.Join("red")
			if !chat.IsIn(in, "red") || chat.IsIn(out, "red") || chat.IsIn(in, "blue") {
				t.Errorf("in: %t, out: %t, in another: %t", chat.IsIn(in, "red"), chat.IsIn(out, "red"), chat.IsIn(in, "blue"))
			}
			in.Leave("red")
			if chat.IsIn(in, "red") {
				t.Error("it has left")
			}
			if want := 0; chat.CountIn("red") != want {
				t.Errorf("%d are counted", chat.CountIn("red"))
			}
		})
	}
}

// TestVolatileBroadcasts are dropped for a client that is not ready, and for no other.
func TestVolatileBroadcasts(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{Engine: engineio.Options{QueueBytes: 64 << 20}})
		chat := s.Of("/chat")
		slow, slowSock := joinedSocket(t, s, protocol)
		fast, _ := joinedSocket(t, s, protocol)
		fill := 0
		for pad := strings.Repeat("x", 64<<10); Writable(slowSock) || fill < 100; fill++ {
			_ = slowSock.Emit("fill", pad)
		}
		if err := chat.Everybody().Volatile().Broadcast("volatile"); err != nil {
			t.Fatal(err)
		}
		chat.Broadcast("steady")
		fast.want(`2/chat,["volatile"]`, `2/chat,["steady"]`)
		for range fill {
			if m := slow.next(); !strings.HasPrefix(m, `2/chat,["fill"`) {
				t.Fatalf("got %.40q, want what fills the line", m)
			}
		}
		slow.want(`2/chat,["steady"]`)
		eventually(t, "the slow one is ready again", func() bool { return Writable(slowSock) })
		if err := chat.Everybody().Volatile().Broadcast("volatile"); err != nil {
			t.Fatal(err)
		}
		slow.want(`2/chat,["volatile"]`)
	})
}

// TestChargedForReceivers: a broadcast from a handler counts for the client that caused it by its size, once for each receiver, and with any
// context made from the handler's.
func TestChargedForReceivers(t *testing.T) {
	s := newTestServer(t, Options{Limits: Limits{DeliveriesPerSecond: 1 << 20}})
	chat := s.Of("/chat")
	charged := make(chan int64, 1)
	On(chat, "say", func(ctx context.Context, sock *socket.Socket, how string) error {
		caused := &linkOf(sock).conn.pace.caused
		before := caused.Load()
		switch how {
		case "all":
			chat.BroadcastFrom(ctx, "abc", "defg")
		case "room":
			if err := chat.Everybody().In("red").BroadcastFrom(context.WithoutCancel(ctx), "abc", []byte("defg")); err != nil {
				return err
			}
		case "nobody":
			if err := chat.Everybody().In("blue").BroadcastFrom(ctx, "abc", raw(ph0, "x")); err != nil {
				return err
			}
		case "not from here":
			chat.BroadcastFrom(context.Background(), "abc", "defg")
		}
		charged <- caused.Load() - before
		return nil
	})
	c, _ := joinedSocket(t, s, 4)
	_, other := joinedSocket(t, s, 3)
	joinedSocket(t, s, 4)
	other.Join("red")
	one := int64(deliveryOverhead + len("abc") + len("defg"))
	for how, want := range map[string]int64{"all": 3 * one, "room": one, "nobody": 0, "not from here": 0} {
		c.send(fmt.Sprintf(`2/chat,["say",%q]`, how))
		if got := receive(t, charged); got != want {
			t.Errorf("%s: charged %d, want %d", how, got, want)
		}
	}
}
