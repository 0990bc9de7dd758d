package socketio

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

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

// TestAskerIsGone: a client that is gone again does not go on asking for its session until the time is over, which is an hour here.
func TestAskerIsGone(t *testing.T) {
	server := newTestServer(t, recovering(Options{Recovery: Recovery{Wait: time.Hour}}))
	v := newLife(t, server, sessionLeaving) // the library is never through with it
	defer v.end()
	asker := v.newLink()
	refused := make(chan Refusal, 1)
	go func() {
		_, why := v.restore(arrival{link: asker, offset: noOffset}, lifePid)
		refused <- why
	}()
	eventually(t, "it asks", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.s.changed != nil
	})
	asker.eio.Discard()
	if why := receive(t, refused); why != RefusedTimeout {
		t.Errorf("refused as %v", why)
	}
}
