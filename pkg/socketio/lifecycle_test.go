package socketio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// TestEventsWaitForConnection: a namespace's events wait until its connection listeners have
// returned; other namespaces do not.
func TestEventsWaitForConnection(t *testing.T) {
	s := newTestServer(t, Options{})
	release := make(chan struct{})
	var ready atomic.Bool
	slow := s.Of("/slow")
	slow.OnConnect(func(context.Context, *socket.Socket) error {
		<-release
		ready.Store(true)
		return nil
	})
	On(slow, "x", func(_ context.Context, sock *socket.Socket, in Payload) error {
		return sock.Emit("x", in, ready.Load())
	})
	Handle(s.Of("/fast"), "x", func(_ context.Context, _ *socket.Socket, in Payload) (Payload, error) { return in, nil })

	c := s.dial(t, 4, "")
	c.join("/fast")
	c.send("0/slow,")
	const n = 200
	for i := range n { // some before the answer, some after
		c.send(fmt.Sprintf(`2/slow,["x",%d]`, i))
	}
	c.send(`2/fast,1["x","now"]`)
	got := []string{c.next(), c.next()}
	slices.Sort(got) // one comes from the library's goroutine
	if !strings.HasPrefix(got[0], `0/slow,`) || got[1] != `3/fast,1["now"]` {
		t.Fatalf("got %q", got)
	}
	close(release)
	for i := range n {
		c.want(fmt.Sprintf(`2/slow,["x",%d,true]`, i))
		c.send(fmt.Sprintf(`2/slow,["x",%d]`, n+i))
	}
	for i := range n {
		c.want(fmt.Sprintf(`2/slow,["x",%d,true]`, n+i))
	}
}

// TestBacklogIsBounded: a client that sends megabytes before it is connected waits, and loses nothing.
func TestBacklogIsBounded(t *testing.T) {
	s := newTestServer(t, Options{})
	release := make(chan struct{})
	chat := s.Of("/chat")
	chat.OnConnect(func(context.Context, *socket.Socket) error {
		<-release
		return nil
	})
	got := make(chan int, 100)
	On(chat, "x", func(_ context.Context, _ *socket.Socket, in []any) error {
		got <- int(in[0].(float64))
		return nil
	})
	c := s.dial(t, 4, "")
	c.send("0/chat,")
	big := strings.Repeat("x", 300_000)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i := range 40 {
			c.send(fmt.Sprintf(`2/chat,["x",%d,"%s"]`, i, big))
		}
	}()
	eventually(t, "the reader waits", func() bool {
		for _, c := range s.snapshot() {
			if l := c.link("/chat"); l != nil {
				c.mu.Lock()
				waits := l.backlog != nil && l.backlog.moved != nil && l.backlog.bytes <= maxBacklog
				c.mu.Unlock()
				return waits
			}
		}
		return false
	})
	close(release)
	for i := range 40 {
		if n := receive(t, got); n != i {
			t.Fatalf("got %d, want %d", n, i)
		}
	}
	receive(t, sent)
}

// A backlog takes a packet of any size when it has none, and no more than maxBacklog otherwise.
func TestBacklogTakesWhatFits(t *testing.T) {
	empty := (&Packet{}).held()
	full, huge := new(backlog), new(backlog)
	for i, row := range []struct {
		to    *backlog
		size  int
		waits bool
	}{
		{full, maxBacklog - 2*empty, false},
		{full, 0, false}, // just so
		{full, 0, true},
		{huge, 2 * maxBacklog, false},
		{huge, 0, true},
	} {
		if wait := row.to.pushLocked(&Packet{size: row.size}); (wait != nil) != row.waits {
			t.Errorf("packet %d, of %d bytes: waits %t", i, row.size, wait != nil)
		}
	}
	if len(full.queue) != 2 || len(huge.queue) != 1 {
		t.Errorf("%d and %d packets are kept", len(full.queue), len(huge.queue))
	}
}

func TestLeaveAndJoinAgain(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		chat := s.Of("/chat")
		events := make(chan string, 1000)
		chat.OnConnect(func(context.Context, *socket.Socket) error {
			events <- "connect"
			return nil
		})
		chat.OnDisconnect(func(_ context.Context, _ *socket.Socket, reason string) { events <- reason })
		On(chat, "x", func(_ context.Context, _ *socket.Socket, in int) error {
			events <- fmt.Sprint(in)
			return nil
		})
		c := s.dialJoined(t, protocol, "/chat")
		const n = 50
		for i := range n { // nobody waits for an answer in between
			c.send(fmt.Sprintf(`2/chat,["x",%d]`, i))
			c.send("1/chat,")
			c.send("0/chat,")
		}
		c.send(`2/chat,["x",50]`)
		for i := range n {
			for _, want := range []string{"connect", fmt.Sprint(i), "client namespace disconnect"} {
				if e := receive(t, events); e != want {
					t.Fatalf("round %d: got %q, want %q", i, e, want)
				}
			}
		}
		for _, want := range []string{"connect", "50"} {
			if e := receive(t, events); e != want {
				t.Fatalf("got %q, want %q", e, want)
			}
		}
		for range n {
			if m := c.next(); !strings.HasPrefix(m, "0/chat,") { // and no DISCONNECT packet
				t.Fatalf("got %q", m)
			}
		}
	})
}

// TestServerDisconnects: what the client sent before it knew is ignored, its connection stays.
func TestServerDisconnects(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	reasons := make(chan string, 1)
	chat.OnDisconnect(func(_ context.Context, _ *socket.Socket, reason string) { reasons <- reason })
	On(chat, "kick", func(_ context.Context, sock *socket.Socket, _ any) error {
		sock.Disconnect(false)
		return nil
	})
	c := s.dialJoined(t, 4, "/chat")
	c.join("/")
	c.send(`2/chat,["kick"]`)
	c.send(`2/chat,["x"]`)
	c.send(`3/chat,1[]`)
	c.send("1/chat,")
	c.want("1/chat,")
	if r := receive(t, reasons); r != "server namespace disconnect" {
		t.Errorf("reason %q", r)
	}
	c.join("/chat")
	c.send(`2/chat,["kick"]`)
	c.want("1/chat,")
}

// TestDisconnectReasons pins what a "disconnect" listener is told, once, and after "disconnecting",
// when the socket is still in its rooms.
func TestDisconnectReasons(t *testing.T) {
	events := make(chan string, 10)
	s := libraryServer(t, func(sock *socket.Socket) {
		sock.Join("room")
		mustOn(t, sock, "disconnecting", func(args ...any) {
			events <- fmt.Sprint("disconnecting ", args[0], " ", sock.Rooms().Has("room"))
		})
		mustOn(t, sock, "disconnect", func(args ...any) {
			events <- fmt.Sprint("disconnect ", args[0], " ", sock.Rooms().Has("room"))
		})
	})
	bothProtocols(t, func(t *testing.T, protocol int) {
		for reason, leave := range map[string]func(*testClient, *socket.Socket){
			"client namespace disconnect": func(c *testClient, _ *socket.Socket) { c.send("1/chat,") },
			"server namespace disconnect": func(_ *testClient, sock *socket.Socket) { sock.Disconnect(true) },
			"forced close":                func(c *testClient, _ *socket.Socket) { c.send("2/chat,{}") },
			"forced server close":         func(c *testClient, _ *socket.Socket) { c.send("4/chat,{}") },
			"transport close":             func(c *testClient, _ *socket.Socket) { c.conn.Close() },
		} {
			c, sock := joinedSocket(t, s, protocol)
			leave(c, sock)
			if a, b := receive(t, events), receive(t, events); a != "disconnecting "+reason+" true" || b != "disconnect "+reason+" false" {
				t.Errorf("%s: got %q, %q", reason, a, b)
			}
			c.conn.Close()
		}
	})
	eventually(t, "all have left", func() bool { return s.Engine().Len() == 0 })
	select {
	case e := <-events:
		t.Errorf("one more event: %q", e)
	default:
	}
}

// TestDisconnectInConnection: the application disconnects a socket in its connection listener.
func TestDisconnectInConnection(t *testing.T) {
	for _, closeConn := range []bool{false, true} {
		reasons := make(chan string, 10)
		s := libraryServer(t, func(sock *socket.Socket) {
			sock.Disconnect(closeConn)
			mustOn(t, sock, "disconnect", func(args ...any) { reasons <- args[0].(string) })
		})
		c := s.dialJoined(t, 4, "/chat")
		c.want("1/chat,")
		if r := receive(t, reasons); r != "server namespace disconnect" {
			t.Errorf("reason %q", r)
		}
		if closeConn {
			c.wantClosed()
		} else {
			c.join("/chat")
		}
	}
}

func TestOnConnectError(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	gone := make(chan string, 1)
	chat.OnConnect(func(context.Context, *socket.Socket) error { return fmt.Errorf("no room") })
	chat.OnDisconnect(func(_ context.Context, _ *socket.Socket, reason string) { gone <- reason })
	c := s.dialJoined(t, 4, "/chat")
	c.want("1/chat,")
	receive(t, gone)
	if !strings.Contains(s.log.String(), "no room") {
		t.Error("the error is not logged")
	}
	chat.OnConnect(func(context.Context, *socket.Socket) error { panic("connect bug") })
	c.join("/chat")
	c.want("1/chat,")
	receive(t, gone)
}

func TestClose(t *testing.T) {
	s := newTestServer(t, Options{})
	reasons := make(chan string, 2)
	chat := s.Of("/chat")
	chat.OnDisconnect(func(_ context.Context, _ *socket.Socket, reason string) { reasons <- reason })
	a, _ := joinedSocket(t, s, 4)
	b, _ := joinedSocket(t, s, 3)
	chat.Broadcast("last", "words")
	closed := make(chan error, 1)
	go func() { closed <- s.Close(t.Context()) }()
	for _, c := range []*testClient{a, b} {
		if r := receive(t, reasons); r != "server shutting down" {
			t.Errorf("reason %q", r)
		}
		c.want(`2/chat,["last","words"]`)
		c.wantClosed()
	}
	if err := receive(t, closed); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// TestRootComesFirst: a client of protocol 4 that asks for a namespace at once is told first that it
// is in "/", as by Node.
func TestRootComesFirst(t *testing.T) {
	s := newTestServer(t, Options{})
	s.Of("/chat").OnConnect(func(_ context.Context, sock *socket.Socket) error { return sock.Emit("hello") })
	s.Of("/other")
	slow := make(chan func(*socket.ExtendedError), 1)
	s.IO().Use(func(sock *socket.Socket, next func(*socket.ExtendedError)) {
		switch sock.Handshake().Query["root"][0] {
		case "slow":
			slow <- next
		case "no":
			next(socket.NewExtendedError("no", nil))
		default:
			next(nil)
		}
	})
	for range 20 {
		c := s.dial(t, 3, "root=yes")
		c.send("0/chat,")
		c.want("0", "0/chat,", `2/chat,["hello"]`)
		c.conn.Close()
	}
	c := s.dial(t, 3, "root=slow")
	c.send("0/chat,")
	c.send("0/other,")
	c.send(`2/chat,["x"]`) // waits too
	next := receive(t, slow)
	next(nil)
	c.want("0")
	got := []string{c.next(), c.next(), c.next()}
	slices.Sort(got)
	if !slices.Equal(got, []string{"0/chat,", "0/other,", `2/chat,["hello"]`}) {
		t.Errorf("got %q", got)
	}

	c = s.dial(t, 3, "root=no")
	c.send("0/chat,")
	c.want(`4"no"`, "0/chat,", `2/chat,["hello"]`)

	c = s.dial(t, 3, "root=slow") // it ends while it waits
	c.send("0/chat,")
	next = receive(t, slow)
	c.conn.Close()
	eventually(t, "it has ended", func() bool { return s.Engine().Len() == 2 })
	next(nil)
	eventually(t, "nothing is left of it", func() bool { return s.Of("/chat").local.size() == 2 && s.Of("/").local.size() == 1 })
}
