package socketio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

func TestRecoveryOnTheWire(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	c := s.newComer(t, "/chat")
	old := s.dialJoined(t, 3, "/chat")
	ns.Broadcast("x", raw(`{"b":1,"a":"é"}`), raw(`"last"`))
	c.wantEvents(`["x",{"b":1,"a":"é"},"last"]`)
	old.want(`2/chat,["x",{"b":1,"a":"é"},"last"]`)
	ns.Broadcast("bin", []byte{1, 2})
	if got := c.next(); !strings.HasPrefix(got, `51-/chat,["bin",{"_placeholder":true,"num":0},"`) {
		t.Errorf("got %q", got)
	}
	c.testClient.want("b:\x01\x02")
	old.want(`51-/chat,["bin",{"_placeholder":true,"num":0}]`, "b:\x01\x02")

	// Neither volatile events nor those that want an acknowledgement have an offset.
	eventually(t, "both idle", func() bool {
		return !slices.ContainsFunc(s.snapshot(), func(c *conn) bool { return !c.eio.Writable() })
	})
	_ = ns.Volatile().Emit("v", 1)
	c.testClient.want(`2/chat,["v",1]`)
	old.want(`2/chat,["v",1]`)
	sock, _ := ns.Sockets().Load(socket.SocketId(c.sid))
	answered := make(chan []any, 1)
	sock.EmitWithAck("q", 1)(func(args []any, _ error) { answered <- args })
	m := c.next()
	id, ok := strings.CutSuffix(strings.TrimPrefix(m, "2/chat,"), `["q",1]`)
	if !ok {
		t.Fatalf("got %q, want the question", m)
	}
	c.send("3/chat," + id + `["yes"]`)
	if got := receive(t, answered); len(got) != 1 || got[0] != "yes" {
		t.Errorf("acknowledged with %v", got)
	}
	_ = sock.Emit("direct")
	c.wantEvents(`["direct"]`)
}

func TestWithoutRecoveryTheWireIsAsEver(t *testing.T) {
	s := newTestServer(t, Options{})
	c := s.dial(t, 4, "")
	c.send(`0/chat,{"pid":"p","offset":"o"}`)
	s.Of("/chat")
	m := c.next()
	if strings.Contains(m, "pid") {
		t.Errorf("got %q", m)
	}
}

func TestRecovered(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	type seen struct {
		sock      *socket.Socket
		recovered bool
		data      any
	}
	sockets := make(chan seen, 4)
	_ = ns.On("connection", func(args ...any) {
		sock := args[0].(*socket.Socket)
		sockets <- seen{sock, sock.Recovered(), sock.Data()}
		if !sock.Recovered() {
			sock.SetData(map[string]any{"name": "kim"})
			sock.Join("blue")
		}
	})
	gone := make(chan string, 4)
	ns.OnDisconnect(func(_ context.Context, _ *socket.Socket, reason string) { gone <- reason })
	c := s.newComer(t, "/chat")
	first := receive(t, sockets)
	eventually(t, "joined blue", func() bool { return first.sock.Rooms().Has("blue") })
	ns.Broadcast("before")
	c.wantEvents(`["before"]`)
	ns.Broadcast("unread")
	c.cut()
	if why := receive(t, gone); !strings.HasPrefix(why, "transport") {
		t.Errorf("disconnected: %s", why)
	}
	ns.Broadcast("all", 1)
	_ = ns.To("blue").Emit("blue", 2)
	_ = ns.To("red").Emit("red", 3)
	_ = ns.To("red", "blue").Emit("both", 4)
	_ = ns.Except("blue").Emit("except", 5)
	_ = ns.Volatile().Emit("volatile", 6)
	_ = ns.To(socket.Room(c.sid)).Emit("direct", 7)
	_ = first.sock.Emit("late", 8)
	if !c.connect(t, s) {
		t.Fatal("not recovered")
	}
	c.wantEvents(`["unread"]`, `["all",1]`, `["blue",2]`, `["both",4]`, `["direct",7]`, `["late",8]`)
	c.wantNothing()
	again := receive(t, sockets)
	if !again.recovered || fmt.Sprint(again.data) != "map[name:kim]" || again.sock == first.sock {
		t.Errorf("recovered socket: %+v", again)
	}
	if rooms := again.sock.Rooms(); !rooms.Has("blue") || !rooms.Has(socket.Room(c.sid)) || rooms.Len() != 2 {
		t.Errorf("rooms %v", rooms.Keys())
	}
	_ = ns.To("blue").Emit("live", 9)
	c.wantEvents(`["live",9]`)
	if st := s.RecoveryStats(); st.Recovered != 1 || st.Replayed != 6 || st.Parked != 1 || st.Sessions != 0 || st.Packets == 0 || st.Bytes == 0 {
		t.Errorf("stats %+v", st)
	}
	// Once more, with nothing missed.
	c.cut()
	receive(t, gone)
	if !c.connect(t, s) {
		t.Fatal("not recovered")
	}
	c.wantNothing()
}

// TestRecoveredWithoutOffset is about a client that had not got a single event.
func TestRecoveredWithoutOffset(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	ns.Broadcast("history")
	c := s.newComer(t, "/chat")
	c.cut()
	ns.Broadcast("missed")
	if !c.connect(t, s) {
		t.Fatal("not recovered")
	}
	c.wantEvents(`["missed"]`)
	c.wantNothing()

	// A new session, of a client that still names the offset of the old one.
	c.pid = "nobody's"
	if c.connect(t, s) {
		t.Fatal("recovered from nothing")
	}
	c.cut()
	ns.Broadcast("missed again")
	if !c.connect(t, s) {
		t.Fatal("not recovered")
	}
	c.wantEvents(`["missed again"]`)
	c.wantNothing()
}

// TestRoomsOfTheTime: what is due depends on the rooms a socket was in when an event was sent, not on
// those it was in when its connection broke.
func TestRoomsOfTheTime(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	c := s.newComer(t, "/chat")
	eventually(t, "connected", func() bool { _, ok := ns.Sockets().Load(socket.SocketId(c.sid)); return ok })
	sock, _ := ns.Sockets().Load(socket.SocketId(c.sid))
	ns.Broadcast("mark")
	_ = ns.To("r").Emit("too early")
	sock.Join("r")
	_ = ns.To("r").Emit("in")
	_ = ns.Except("r").Emit("not for r")
	sock.Leave("r")
	_ = ns.To("r").Emit("too late")
	_ = ns.Except("r").Emit("for others")
	sock.Join("r")
	c.wantEvents(`["mark"]`) // and loses the rest
	c.cut()
	_ = ns.To("r").Emit("in again")
	if !c.connect(t, s) {
		t.Fatal("not recovered")
	}
	c.wantEvents(`["in"]`, `["for others"]`, `["in again"]`)
	c.wantNothing()
}

// TestMuchMissed: more than a client's queue holds comes all the same, in order, with what is live.
func TestMuchMissed(t *testing.T) {
	s := newTestServer(t, recovering(Options{Engine: engineio.Options{QueueBytes: 64 << 10}}))
	ns := s.Of("/chat")
	c := s.newComer(t, "/chat")
	ns.Broadcast("n", 0)
	c.wantEvents(`["n",0]`)
	c.cut()
	c.gone(s)
	pad := strings.Repeat("x", 1000)
	for i := range 1000 {
		ns.Broadcast("n", i, pad)
	}
	if !c.connect(t, s) {
		t.Fatal("not recovered")
	}
	sock, _ := ns.Sockets().Load(socket.SocketId(c.sid))
	asked := false
	for i := range 2000 {
		if i < 1000 && i%10 == 0 { // live, while it catches up
			for k := range 10 {
				ns.Broadcast("n", 1000+i+k, pad)
			}
		}
		if i == 5 {
			sock.EmitWithAck("question")(func([]any, error) {})
		}
		m := c.next()
		if strings.HasSuffix(m, `["question"]`) {
			asked = true
			m = c.next()
		}
		if got, want := c.keep(m), fmt.Sprintf(`["n",%d,%q]`, i, pad); got != want {
			t.Fatalf("got %.30s, want %.30s", got, want)
		}
	}
	if !asked {
		if m := c.next(); !strings.HasSuffix(m, `["question"]`) {
			t.Errorf("got %.60s, want the question", m)
		}
	}
	c.wantNothing()
}

// TestRecoveryUnderFire: clients whose connections break again and again while several senders
// broadcast get everything, once and in the server's order.
func TestRecoveryUnderFire(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	const senders, each = 4, 300
	steady := s.newComer(t, "/chat")
	var sending, listening sync.WaitGroup
	var clients []*comer
	for range 4 {
		c := s.newComer(t, "/chat")
		clients = append(clients, c)
	}
	heard := make([][]string, len(clients))
	for i, c := range clients {
		listening.Go(func() {
			for len(heard[i]) < senders*each {
				for range 20 + 7*i {
					if len(heard[i]) == senders*each {
						break
					}
					heard[i] = append(heard[i], c.hear())
				}
				if i%2 == 0 {
					c.cut()
				}
				if !c.connect(t, s) {
					t.Errorf("client %d was not recovered after %d: %+v", i, len(heard[i]), s.RecoveryStats())
					return
				}
			}
		})
	}
	for from := range senders {
		sending.Go(func() {
			for n := range each {
				ns.Broadcast("n", from, n)
			}
		})
	}
	var order []string
	for range senders * each {
		order = append(order, steady.hear())
	}
	sending.Wait()
	listening.Wait()
	for i := range heard {
		for k := range order {
			if k >= len(heard[i]) || heard[i][k] != order[k] {
				t.Fatalf("client %d, event %d of %d: differs from what the steady one got", i, k, len(heard[i]))
			}
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	s := newTestServer(t, recovering(Options{Recovery: Recovery{Bytes: 20_000}}))
	s.Of("/chat")
	for range 60 {
		c := s.newComer(t, "/chat")
		c.cut()
	}
	eventually(t, "all parked", func() bool { return s.RecoveryStats().Parked == 60 })
	if st := s.RecoveryStats(); st.Bytes > 20_000 || st.Sessions == 0 || st.Sessions > 20 {
		t.Errorf("stats %+v", st)
	}
}

func TestOffsets(t *testing.T) {
	for _, id := range []PacketID{{0, 0}, {1, 1}, {originMask, 1<<64 - 1}, {OriginOf("a"), 36}} {
		if got, ok := parseOffset(id.String()); !ok || got != id {
			t.Errorf("%s: %v, %v", id, got, ok)
		}
	}
	for _, s := range []string{"", "AAAAAAAA", "AAAAAAA*1", "AAAAAAAA-1", "AAAAAAAA" + strings.Repeat("z", 13), strings.Repeat("A", 22)} {
		if id, ok := parseOffset(s); ok {
			t.Errorf("%q is %v", s, id)
		}
	}
}
