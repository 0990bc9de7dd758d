package socketio

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/zishang520/engine.io/v2/transports"
	"github.com/zishang520/socket.io/v2/socket"
)

// TestConnUpgrade: the listeners of Conn's "upgrade" run once the connection has moved, before what comes over the WebSocket. Those of
// "connection" may still run then: a listener that they add hears of it.
func TestConnUpgrade(t *testing.T) {
	t.Run("joined", func(t *testing.T) {
		bothProtocols(t, func(t *testing.T, protocol int) { testConnUpgrade(t, protocol, false) })
	})
	t.Run("joining", func(t *testing.T) {
		bothProtocols(t, func(t *testing.T, protocol int) { testConnUpgrade(t, protocol, true) })
	})
}

// testConnUpgrade upgrades a connection. If the client is joining, it does so while the listener of "connection" runs.
func testConnUpgrade(t *testing.T, protocol int, joining bool) {
	s := newTestServer(t, Options{})
	told := make(chan string, 4)
	s.Of("/").OnConnect(func(_ context.Context, sock *socket.Socket) error {
		told <- "connected on " + sock.Conn().Transport().Name()
		if joining {
			wantWaiting(t, sock)
		}
		mustOn(t, sock, "hi", func(...any) { told <- "hi" })
		return sock.Conn().On("upgrade", func(args ...any) {
			told <- fmt.Sprint("upgrade to ", args[0].(transports.Transport).Name(), " ", sock.Conn().Upgraded())
			panic("listener bug")
		})
	})
	p := s.poll(t, protocol)
	if protocol == 4 {
		p.post(t, "40")
	}
	wantTold(t, told, "connected on polling")
	c := p.upgrade(t)
	c.send(`2["hi"]`)
	wantTold(t, told, "upgrade to websocket true", "hi")
}

// wantWaiting waits until a packet waits for the socket to be open.
func wantWaiting(t *testing.T, sock *socket.Socket) {
	eventually(t, "a packet waits", func() bool {
		l := linkOf(sock)
		l.conn.mu.Lock()
		defer l.conn.mu.Unlock()
		return len(l.backlog.queue) == 1
	})
}

func wantTold(t *testing.T, told <-chan string, events ...string) {
	t.Helper()
	for _, want := range events {
		if got := receive(t, told); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A pollSession is a session on polling.
type pollSession struct {
	url      string // of the session, without the transport's name
	sid      string
	protocol int
}

func (s *testServer) poll(t *testing.T, protocol int) pollSession {
	t.Helper()
	url := fmt.Sprintf("%s/socket.io/?EIO=%d&", s.http.URL, protocol)
	_, open, _ := strings.Cut(get(t, url+"transport=polling"), `"sid":"`)
	sid, _, _ := strings.Cut(open, `"`)
	return pollSession{url + "sid=" + sid + "&transport=", sid, protocol}
}

// post sends one packet.
func (p pollSession) post(t *testing.T, packet string) {
	t.Helper()
	if p.protocol == 3 {
		packet = fmt.Sprintf("%d:%s", len(packet), packet)
	}
	if answer := read(t)(http.Post(p.url+"polling", "text/plain", strings.NewReader(packet))); answer != "ok" {
		t.Fatal(answer)
	}
}

// upgrade moves the session to a WebSocket.
func (p pollSession) upgrade(t *testing.T) *testClient {
	t.Helper()
	conn, _, _, err := ws.Dial(context.Background(), "ws"+strings.TrimPrefix(p.url, "http")+"websocket")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &testClient{tb: t, conn: conn, protocol: p.protocol, sid: p.sid}
	c.write("2probe")
	if m := c.read(); m != "3probe" {
		t.Fatalf("got %q", m)
	}
	c.write("5")
	return c
}

// The connection moves when the listeners of "connection" have returned, while what waited for them is dispatched.
func TestConnUpgradeWhileTheBacklogIsDispatched(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		told, goOn := make(chan string, 4), make(chan struct{})
		s.Of("/").OnConnect(func(_ context.Context, sock *socket.Socket) error {
			mustOn(t, sock, "first", func(...any) {
				told <- "first"
				wantWaiting(t, sock) // which came behind the upgrade
			})
			mustOn(t, sock, "second", func(...any) { told <- "second" })
			told <- "connected"
			<-goOn
			return sock.Conn().On("upgrade", func(...any) { told <- "upgrade" })
		})
		p := s.poll(t, protocol)
		if protocol == 4 {
			p.post(t, "40")
		}
		wantTold(t, told, "connected")
		p.post(t, `42["first"]`)
		close(goOn)
		wantTold(t, told, "first")
		c := p.upgrade(t)
		c.send(`2["second"]`)
		got := map[string]bool{receive(t, told): true, receive(t, told): true}
		if !got["second"] || !got["upgrade"] {
			t.Errorf("got %v", got)
		}
	})
}

// A connection that has moved tells so when the last namespace that it is joining has let it in or has refused it, and once only, whatever it
// joins and leaves later.
func TestConnUpgradeIsToldWhenANamespaceRefuses(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		told, asked, refuse := make(chan string, 4), make(chan struct{}), make(chan struct{})
		s.Of("/").OnConnect(func(_ context.Context, sock *socket.Socket) error {
			mustOn(t, sock, "hi", func(...any) { told <- "hi" })
			told <- "connected"
			return sock.Conn().On("upgrade", func(...any) { told <- "upgrade" })
		})
		s.Of("/other")
		s.Of("/refused").Use(func(_ *socket.Socket, next func(*socket.ExtendedError)) {
			close(asked)
			go func() { // a POST returns when the middlewares have
				<-refuse
				next(socket.NewExtendedError("no", nil))
			}()
		})
		p := s.poll(t, protocol)
		if protocol == 4 {
			p.post(t, "40")
		}
		wantTold(t, told, "connected")
		conn := s.snapshot()[0]
		joinOther := func(send func(packet string)) { // and leaves it
			send("0/other,")
			eventually(t, "it has joined", func() bool { l := conn.link("/other"); return l != nil && l.isOpen() })
			send("1/other,")
		}
		joinOther(func(packet string) { p.post(t, "4"+packet) })
		p.post(t, "40/refused,")
		receive(t, asked)
		c := p.upgrade(t)
		eventually(t, "it has moved", func() bool {
			conn.mu.Lock()
			defer conn.mu.Unlock()
			return conn.passing.upgraded
		})
		close(refuse)
		wantTold(t, told, "upgrade")
		joinOther(c.send)
		c.send(`2["hi"]`)
		wantTold(t, told, "hi")
	})
}

// TestConnClose: the listeners of Conn's "close" hear of the end after those of the socket's "disconnect", once, and those that a
// listener of "connection" adds when the connection has ended already do, too.
func TestConnClose(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		told := make(chan string, 4)
		s.Of("/chat").OnConnect(func(_ context.Context, sock *socket.Socket) error {
			told <- "connected"
			<-linkOf(sock).eio.Done()
			eventually(t, "ended", func() bool {
				c := linkOf(sock).conn
				c.mu.Lock()
				defer c.mu.Unlock()
				return c.ended != ""
			})
			mustOn(t, sock, "disconnect", func(args ...any) { told <- fmt.Sprint("disconnect: ", args[0]) })
			return sock.Conn().On("close", func(args ...any) { told <- fmt.Sprint("close: ", args[0]) })
		})
		c := s.dial(t, protocol, "")
		c.send("0/chat,")
		wantTold(t, told, "connected")
		c.conn.Close()
		wantTold(t, told, "disconnect: transport close", "close: transport close")
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if len(told) > 0 {
			t.Errorf("told again: %q", <-told)
		}
	})
}
