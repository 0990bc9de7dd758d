package socketio

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// closing counts adapters that are closed.
type closingAdapters struct {
	closed atomic.Int32
	begun  chan struct{} // if not nil, gets an element for each, which then waits for
	goOn   chan struct{}
}

type closingAdapter struct {
	*LocalAdapter
	all *closingAdapters
}

func (b *closingAdapters) New(nsp socket.Namespace) socket.Adapter {
	a := &closingAdapter{NewLocalAdapter(), b}
	a.Prototype(a)
	a.Construct(nsp)
	return a
}

func (a *closingAdapter) Close() {
	a.all.closed.Add(1)
	if a.all.begun != nil {
		a.all.begun <- struct{}{}
		<-a.all.goOn
	}
}

func (s *testServer) has(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.namespaces[name] != nil
}

// What a CONNECT created goes with the last that leaves, as with cleanupEmptyChildNamespaces in Node, and
// comes back with the next, middlewares included.
func TestDynamicNamespacesAreRemoved(t *testing.T) {
	adapters := new(closingAdapters)
	s := newTestServer(t, Options{CleanupEmptyChildNamespaces: true, Adapter: adapters})
	parent := s.IO().Of(regexp.MustCompile(`^/room-\d+$`), nil)
	var asked atomic.Int32
	parent.Use(func(_ *socket.Socket, next func(*socket.ExtendedError)) { asked.Add(1); next(nil) })
	children := parent.(socket.ParentNamespace).Children()

	for round := 1; round <= 3; round++ {
		alice, bob := s.dialJoined(t, 4, "/room-1"), s.dialJoined(t, 4, "/room-1")
		if !s.has("/room-1") || children.Len() != 1 {
			t.Fatal("there is no namespace")
		}
		alice.send("1/room-1,")
		alice.join("/room-2")
		if !s.has("/room-1") {
			t.Fatal("removed with somebody in it")
		}
		bob.conn.Close()
		eventually(t, "the namespace to go", func() bool { return !s.has("/room-1") && children.Len() == 1 })
		alice.conn.Close()
		eventually(t, "the other to go", func() bool { return !s.has("/room-2") && children.Len() == 0 })
		if got := adapters.closed.Load(); got != int32(2*round) {
			t.Errorf("%d adapters closed", got)
		}
	}
	if asked.Load() != 9 {
		t.Errorf("the middleware was asked %d times", asked.Load())
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.names) != 0 || len(s.links) != 0 || len(s.namespaces) != 1 {
		t.Errorf("%d names, %d links, %d namespaces are left", len(s.names), len(s.links), len(s.namespaces))
	}
}

// Somebody who comes while a namespace is being removed gets a new one, which goes with its last client as well.
func TestConnectWhileItsNamespaceIsRemoved(t *testing.T) {
	adapters := &closingAdapters{begun: make(chan struct{}, 2), goOn: make(chan struct{})}
	s := newTestServer(t, Options{CleanupEmptyChildNamespaces: true, Adapter: adapters})
	s.IO().Of(regexp.MustCompile(`^/room-\d+$`), nil)
	s.dialJoined(t, 4, "/room-1").send("1/room-1,")
	receive(t, adapters.begun)
	bob := s.dial(t, 4, "")
	bob.send("0/room-1,")
	eventually(t, "bob waits", func() bool {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.names["/room-1"].users > 0
	})
	close(adapters.goOn)
	if got := bob.next(); !strings.HasPrefix(got, "0/room-1,") {
		t.Fatalf("got %q", got)
	}
	bob.send("1/room-1,")
	receive(t, adapters.begun)
	eventually(t, "the namespace to go again", func() bool { return !s.has("/room-1") })
}

// What was counted in it stays counted.
func TestDynamicNamespacesLeaveTheirCounters(t *testing.T) {
	s := newTestServer(t, Options{CleanupEmptyChildNamespaces: true})
	s.IO().Of(regexp.MustCompile(`^/room-\d+$`), nil)
	for i := range 3 {
		name := fmt.Sprintf("/room-%d", i)
		c := s.dialJoined(t, 4, name)
		// Of a client that is gone before its listeners were called, nobody hears.
		eventually(t, "the client to be counted", func() bool { return s.statsOf(name).Connected == 1 })
		c.conn.Close()
	}
	eventually(t, "the namespaces to go", func() bool { return !s.has("/room-0") && !s.has("/room-1") && !s.has("/room-2") })
	sum := uint64(0)
	for _, n := range s.Stats().Namespaces {
		sum += n.Connected
	}
	if sum != 3 {
		t.Errorf("%d connected in all: %+v", sum, s.Stats().Namespaces)
	}
}

// Without the option they stay, and so does one that the application asked for.
func TestDynamicNamespacesThatStay(t *testing.T) {
	for name, remove := range map[string]bool{"without the option": false, "asked for": true} {
		t.Run(name, func(t *testing.T) {
			s := newTestServer(t, Options{CleanupEmptyChildNamespaces: remove})
			s.IO().Of(regexp.MustCompile(`^/room-\d+$`), nil)
			alice := s.dialJoined(t, 4, "/room-1")
			if remove {
				s.Of("/room-1")
			}
			alice.send("1/room-1,")
			alice.join("/")
			s.removals.Wait()
			if !s.has("/room-1") {
				t.Error("removed")
			}
		})
	}
}

// With recovery an empty namespace stays for those that may come back.
func TestDynamicNamespacesWaitForSessions(t *testing.T) {
	s := newTestServer(t, Options{CleanupEmptyChildNamespaces: true, Recovery: Recovery{For: time.Second}})
	s.IO().Of(regexp.MustCompile(`^/room-\d+$`), nil)
	s.dialJoined(t, 4, "/room-1").conn.Close()
	eventually(t, "the session to wait", func() bool { return s.RecoveryStats().Sessions == 1 })
	if !s.has("/room-1") {
		t.Error("removed with a session")
	}
	eventually(t, "the namespace to go", func() bool { return !s.has("/room-1") })
	eventually(t, "nothing to be kept", func() bool { return s.RecoveryStats().Bytes == 0 }) // what it kept goes after it
}

// A name that is slow to be decided on holds up nobody who wants another.
func TestSlowNamespaceCreation(t *testing.T) {
	s := newTestServer(t, Options{})
	hold, asked := make(chan struct{}), make(chan struct{})
	match := func(name string, _ any, next func(error, bool)) {
		if name == "/slow" {
			close(asked)
			<-hold
		}
		next(nil, name == "/slow" || name == "/fast")
	}
	s.IO().Of(socket.ParentNspNameMatchFn(&match), nil)
	alice := s.dial(t, 4, "")
	alice.send("0/slow,")
	receive(t, asked)
	bob := s.dialJoined(t, 4, "/fast")
	bob.send("0/refused,")
	bob.want(`4/refused,{"message":"Invalid namespace"}`)
	close(hold)
	if got := alice.next(); got[:7] != "0/slow," {
		t.Error(got)
	}
}

// Many that come and go at once: nobody is left without a namespace, or in one that no middleware guards.
func TestDynamicNamespacesComeAndGo(t *testing.T) {
	s := newTestServer(t, Options{CleanupEmptyChildNamespaces: true})
	parent := s.IO().Of(regexp.MustCompile(`^/room-\d$`), nil)
	parent.Use(func(sock *socket.Socket, next func(*socket.ExtendedError)) { sock.SetData("seen"); next(nil) })
	parent.On("connection", func(args ...any) {
		sock := args[0].(*socket.Socket)
		sock.On("hello", func(...any) { sock.Emit("hello", sock.Data()) })
	})
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for round := range 20 {
				room := fmt.Sprintf("/room-%d", (i+round)%2)
				c := s.dialJoined(t, 4, room)
				c.send("2" + room + `,["hello"]`)
				c.want("2" + room + `,["hello","seen"]`)
				if round%2 == 0 {
					c.send("1" + room + ",")
					c.join(room)
				}
				c.conn.Close()
			}
		})
	}
	clients.Wait()
	eventually(t, "all to go", func() bool { return !s.has("/room-0") && !s.has("/room-1") })
}

// TestConnectWaitsForItsNamespace: while another goroutine makes a namespace known, a CONNECT waits, whether that stays for good or comes and goes.
func TestConnectWaitsForItsNamespace(t *testing.T) {
	for _, removable := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := NewServer(Options{})
			ns := &Namespace{ready: make(chan struct{}), removable: removable}
			s.namespaces["/slow"] = ns
			entered := false
			go func() {
				s.enterNamespace(&link{name: "/slow", conn: new(conn)})
				entered = true
			}()
			if synctest.Wait(); entered {
				t.Errorf("removable %t: it did not wait", removable)
			}
			close(ns.ready)
			if synctest.Wait(); !entered {
				t.Errorf("removable %t: it waits for ever", removable)
			}
		})
	}
}
