package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

func recovering(o Options) Options {
	if o.Recovery.For == 0 {
		o.Recovery.For = 2 * time.Minute
	}
	return o
}

// A comer is a client of socket.io 4.6 or later: it keeps pid and offset for when it comes back.
type comer struct {
	*testClient
	server           *testServer
	nsp              string
	sid, pid, offset string
}

// newComer connects a client to a namespace; s may be another server than before.
func (s *testServer) newComer(tb testing.TB, nsp string) *comer {
	tb.Helper()
	c := &comer{server: s, nsp: nsp}
	c.connect(tb, s)
	return c
}

// connect asks for the session, if the client has one, and reports whether it got it.
func (c *comer) connect(tb testing.TB, s *testServer) (recovered bool) {
	tb.Helper()
	c.testClient, c.server = s.dial(tb, 4, ""), s
	c.ask()
	return c.answered()
}

func (c *comer) prefix() string { return strings.TrimPrefix(c.nsp+",", "/,") }

func (c *comer) ask() {
	c.tb.Helper()
	auth := map[string]string{}
	if c.pid != "" {
		auth["pid"] = c.pid
	}
	if c.offset != "" {
		auth["offset"] = c.offset
	}
	b, _ := json.Marshal(auth)
	c.send("0" + c.prefix() + string(b))
}

func (c *comer) answered() (recovered bool) {
	c.tb.Helper()
	m := c.next()
	var answer struct{ Sid, Pid string }
	rest, ok := strings.CutPrefix(m, "0"+c.prefix())
	if !ok || json.Unmarshal([]byte(rest), &answer) != nil || answer.Pid == "" {
		c.tb.Fatalf("got %q, want the answer to CONNECT", m)
	}
	recovered = c.pid == answer.Pid
	if recovered && c.sid != answer.Sid {
		c.tb.Errorf("recovered as %s, was %s", answer.Sid, c.sid)
	}
	c.sid, c.pid = answer.Sid, answer.Pid
	return recovered
}

// cut breaks the connection without a goodbye.
func (c *comer) cut() { c.conn.Close() }

// hear returns the next event's arguments, the name first, without the offset, which is kept as the
// client does it: whatever string comes last.
func (c *comer) hear() string {
	c.tb.Helper()
	m := c.next()
	return c.keep(m)
}

func (c *comer) keep(m string) string {
	c.tb.Helper()
	i := strings.IndexByte(m, '[')
	if i < 0 || m[0] != '2' && m[0] != '5' {
		c.tb.Fatalf("got %q, want an event", m)
	}
	list, err := Payload{JSON: []byte(m[i:])}.Elements()
	if err != nil || len(list) < 2 {
		c.tb.Fatalf("got %q, want an event with an offset: %v", m, err)
	}
	var offset string
	last := list[len(list)-1].JSON
	if json.Unmarshal(last, &offset) != nil {
		c.tb.Fatalf("got %q, whose last argument is no offset", m)
	}
	if _, ok := parseOffset(offset); !ok {
		c.tb.Fatalf("offset %q of %q", offset, m)
	}
	c.offset = offset
	return strings.TrimSuffix(m[i:], ","+string(last)+"]") + "]"
}

// wantEvents fails unless exactly these come next.
func (c *comer) wantEvents(events ...string) {
	c.tb.Helper()
	for _, want := range events {
		if got := c.hear(); got != want {
			c.tb.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// wantNothing fails if anything was sent before what the server says now.
func (c *comer) wantNothing() {
	c.tb.Helper()
	c.server.Of(c.nsp).Broadcast("end")
	c.wantEvents(`["end"]`)
}

func refused(s *testServer, why Refusal) uint64 { return s.RecoveryStats().Refused[why] }

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

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options Options
		spoil   func(s *testServer, c *comer)
		why     Refusal
	}{
		{"unknown session", Options{}, func(_ *testServer, c *comer) { c.cut(); c.pid = "AAAAAAAAAAAAAAAAAAAA" }, RefusedUnknown},
		{"left in order", Options{}, func(s *testServer, c *comer) { c.send("1/chat,"); c.gone(s); c.cut() }, RefusedUnknown},
		{"sent away", Options{}, func(s *testServer, c *comer) {
			s.Of("/chat").DisconnectSockets(false)
			c.testClient.want("1/chat,")
		}, RefusedUnknown},
		{"too late", Options{Recovery: Recovery{For: time.Nanosecond}}, func(s *testServer, c *comer) { c.cut(); c.gone(s); tick() }, RefusedExpired},
		{"an offset of nothing", Options{}, func(_ *testServer, c *comer) { c.cut(); c.offset = "no offset" }, RefusedOffset},
		{"an offset of another", Options{}, func(_ *testServer, c *comer) { c.cut(); c.offset = PacketID{1, 1}.String() }, RefusedOffset},
		{"out of bytes", Options{Recovery: Recovery{Bytes: 3000}}, func(s *testServer, c *comer) {
			c.cut()
			for range 50 {
				s.Of("/chat").Broadcast("much", strings.Repeat("x", 100))
			}
		}, RefusedCut},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestServer(t, recovering(tt.options))
			ns := s.Of("/chat")
			c := s.newComer(t, "/chat")
			ns.Broadcast("a")
			c.wantEvents(`["a"]`)
			tt.spoil(s, c)
			sid := c.sid
			if c.connect(t, s) || c.sid == sid {
				t.Fatal("recovered")
			}
			c.wantNothing() // nothing of what it missed
			if refused(s, tt.why) != 1 || s.RecoveryStats().Recovered != 0 {
				t.Errorf("stats %+v", s.RecoveryStats())
			}
			if log := s.log.String(); !strings.Contains(log, "reason="+tt.why.String()) {
				t.Errorf("the log does not say so:\n%s", log)
			}
			// The new session is as good as any.
			c.cut()
			if tt.why != RefusedExpired && !c.connect(t, s) {
				t.Error("the next session was not recovered")
			}
		})
	}
}

// gone waits until the server has seen the client's socket off.
func (c *comer) gone(s *testServer) {
	c.tb.Helper()
	eventually(c.tb, "socket gone", func() bool { _, there := s.Of(c.nsp).Sockets().Load(socket.SocketId(c.sid)); return !there })
}

// tick waits for the next millisecond but one.
func tick() {
	for end := time.Now().UnixMilli() + 2; time.Now().UnixMilli() < end; {
		time.Sleep(time.Millisecond)
	}
}

// TestTakenOver: the client is back before the server has noticed that it was gone.
func TestTakenOver(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	c := s.newComer(t, "/chat")
	ns.Broadcast("a")
	c.wantEvents(`["a"]`)
	old := c.testClient
	ns.Broadcast("b") // queued on the old connection, which nobody reads
	if !c.connect(t, s) {
		t.Fatal("not recovered")
	}
	c.wantEvents(`["b"]`)
	c.wantNothing()
	for {
		if _, err := old.tryRead(); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				t.Logf("old connection: %v", err)
			}
			break
		}
	}
	if n := ns.Sockets().Len(); n != 1 {
		t.Errorf("%d sockets", n)
	}
}

func TestMiddlewareSeesRecovered(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	var mu sync.Mutex
	refuse := false
	ns.Use(func(sock *socket.Socket, next func(*socket.ExtendedError)) {
		mu.Lock()
		defer mu.Unlock()
		if refuse && sock.Recovered() {
			next(socket.NewExtendedError("expired", nil))
			return
		}
		next(nil)
	})
	c := s.newComer(t, "/chat")
	c.cut()
	if !c.connect(t, s) {
		t.Fatal("not recovered")
	}
	mu.Lock()
	refuse = true
	mu.Unlock()
	c.cut()
	c.testClient = s.dial(t, 4, "")
	c.ask()
	c.testClient.want(`4/chat,{"message":"expired"}`)
	c.ask()
	if c.answered() {
		t.Error("a refused session lives on")
	}
}

// TestSkipMiddlewares: with the option they run for new sessions only.
func TestSkipMiddlewares(t *testing.T) {
	for _, skip := range []bool{false, true} {
		opts := recovering(Options{})
		opts.Recovery.SkipMiddlewares = skip
		s := newTestServer(t, opts)
		ns := s.Of("/chat")
		ran := make(chan string, 10)
		ns.Use(func(_ *socket.Socket, next func(*socket.ExtendedError)) {
			ran <- "Use"
			next(nil)
		})
		ns.Admit(func(context.Context, *socket.Socket) error {
			ran <- "Admit"
			return nil
		})
		c := s.newComer(t, "/chat")
		if a, b := receive(t, ran), receive(t, ran); a != "Use" || b != "Admit" {
			t.Errorf("skip %v: %s and %s ran for a new session", skip, a, b)
		}
		c.cut()
		if !c.connect(t, s) {
			t.Fatal("not recovered")
		}
		if n := len(ran); (n == 0) != skip {
			t.Errorf("skip %v: %d ran for a session that came back", skip, n)
		}
	}
}

// TestGoneBeforeTheAnswer: the connection breaks again while a middleware works on the recovered socket.
func TestGoneBeforeTheAnswer(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	ns := s.Of("/chat")
	entered, release := make(chan struct{}, 8), make(chan struct{}, 8)
	ns.Use(func(_ *socket.Socket, next func(*socket.ExtendedError)) {
		entered <- struct{}{}
		go func() { <-release; next(nil) }()
	})
	release <- struct{}{}
	c := s.newComer(t, "/chat")
	receive(t, entered)
	c.cut()
	ns.Broadcast("missed")
	c.testClient = s.dial(t, 4, "")
	c.ask()
	receive(t, entered)
	c.cut()
	c.testClient = s.dial(t, 4, "") // and back, while the server may not have noticed
	c.ask()
	release <- struct{}{} // the one before
	receive(t, entered)
	release <- struct{}{}
	if !c.answered() {
		t.Fatal("not recovered")
	}
	c.wantEvents(`["missed"]`)
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
