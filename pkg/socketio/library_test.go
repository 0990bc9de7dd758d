package socketio

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// TestServerCalls: the methods of the library's Server are those of "/".
func TestServerCalls(t *testing.T) {
	s := newTestServer(t, Options{})
	io := s.IO()
	io.Use(func(sock *socket.Socket, next func(*socket.ExtendedError)) {
		sock.SetData("data")
		next(nil)
	})
	connected := make(chan *socket.Socket, 2)
	if err := io.On("connection", func(args ...any) { connected <- args[0].(*socket.Socket) }); err != nil {
		t.Fatal(err)
	}
	c := s.dialJoined(t, 4, "/")
	sock := receive(t, connected)
	if sock.Data() != "data" || sock.Nsp().Name() != "/" || !sock.Connected() || sock.Disconnected() {
		t.Errorf("socket: data %v in %s", sock.Data(), sock.Nsp().Name())
	}
	io.Emit("a", 1)
	io.Send("b")
	io.SocketsJoin("room")
	for _, emit := range []func(string, ...any) error{
		io.To("room").Emit, io.In("room").Emit, io.Except("other").Emit, io.Local().Emit, io.Compress(true).Emit,
	} {
		if err := emit("c"); err != nil {
			t.Error(err)
		}
	}
	sock.Send("d")
	c.want(`2["a",1]`, `2["message","b"]`, `2["c"]`, `2["c"]`, `2["c"]`, `2["c"]`, `2["c"]`, `2["message","d"]`)
	io.FetchSockets()(func(list []*socket.RemoteSocket, err error) {
		if err != nil || len(list) != 1 || list[0].Data() != "data" || !list[0].Rooms().Has("room") || list[0].Handshake() == nil {
			t.Errorf("fetched %v, %v", list, err)
			return
		}
		list[0].Leave("room")
		list[0].Join("other")
		if !sock.Rooms().Has("other") || sock.Rooms().Has("room") {
			t.Errorf("rooms %v", sock.Rooms().Keys())
		}
	})
	io.SocketsLeave("other")
	if sock.Rooms().Len() != 1 {
		t.Errorf("rooms %v", sock.Rooms().Keys())
	}
	// What an adapter does with an event from another server; its panics are caught too.
	events := make(chan any, 1)
	if err := io.On("from afar", func(args ...any) { events <- args[0]; panic("afar bug") }); err != nil {
		t.Fatal(err)
	}
	io.Sockets().OnServerSideEmit([]any{"from afar", 7})
	if v := receive(t, events); v != 7 {
		t.Errorf("got %v", v)
	}
	io.DisconnectSockets(true)
	c.want("1")
	c.wantClosed()
}

func TestAnyListeners(t *testing.T) {
	got := make(chan string, 10)
	say := func(what string) func(...any) {
		return func(args ...any) { got <- fmt.Sprint(what, " ", args[0]) }
	}
	first, second := say("first"), func(args ...any) { got <- fmt.Sprint("second ", args[0]) }
	s := libraryServer(t, func(sock *socket.Socket) {
		sock.OnAny(second)
		sock.PrependAny(first)
		sock.OnAnyOutgoing(second)
		sock.PrependAnyOutgoing(first)
	})
	c, sock := joinedSocket(t, s, 4)
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if m := receive(t, got); m != w {
				t.Errorf("got %q, want %q", m, w)
			}
		}
	}
	c.send(`2/chat,["in"]`)
	expect("first in", "second in")
	s.Of("/chat").Broadcast("out")
	expect("first out", "second out")
	if len(sock.ListenersAny()) != 2 || len(sock.ListenersAnyOutgoing()) != 2 {
		t.Error("listeners")
	}
	sock.OffAny(second)
	sock.OffAnyOutgoing(nil)
	c.send(`2/chat,["in"]`)
	expect("first in")
	s.Of("/chat").Broadcast("out")
	c.want(`2/chat,["out"]`, `2/chat,["out"]`)
	sock.OffAny(nil)
	mustOn(t, sock, "end", say("end"))
	c.send(`2/chat,["in"]`)
	c.send(`2/chat,["end","x"]`)
	expect("end x")
}

// TestFunctionNamespace: namespaces allowed by a function of the application, which answers at once.
func TestFunctionNamespace(t *testing.T) {
	s := newTestServer(t, Options{})
	match := func(name string, auth any, next func(error, bool)) {
		next(nil, name == "/dynamic" && auth.(map[string]any)["token"] == "x")
	}
	joined := make(chan string, 2)
	s.IO().Of(socket.ParentNspNameMatchFn(&match), func(args ...any) {
		joined <- args[0].(*socket.Socket).Nsp().Name()
	})
	c := s.dial(t, 4, "")
	c.send(`0/dynamic,{"token":"y"}`)
	c.want(`4/dynamic,{"message":"Invalid namespace"}`)
	c.send(`0/dynamic,{"token":"x"}`)
	if name := receive(t, joined); name != "/dynamic" {
		t.Errorf("joined %q", name)
	}
}

func TestEmitter(t *testing.T) {
	var e emitter
	var got []string
	add := func(s string) func(...any) { return func(...any) { got = append(got, s) } }
	named := func(...any) { got = append(got, "named") }
	for _, err := range []error{
		e.On("a", add("1"), nil, add("2")), e.AddListener("a", named), e.Once("a", add("once")), e.On("b", add("b")),
		e.On("a", func(...any) { _ = e.On("a", add("late")) }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string) {
		t.Helper()
		if fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
		got = nil
	}
	e.Emit("a")
	expect("[1 2 named once]")
	e.Emit("b")
	expect("[b]")
	if n := e.ListenerCount("a"); n != 5 || e.Len() != 2 || len(e.EventNames()) != 2 || e.GetMaxListeners() != 0 {
		t.Errorf("%d listeners, %d events", n, e.Len())
	}
	e.SetMaxListeners(1)
	if !e.RemoveListener("a", named) || e.RemoveListener("a", named) || e.RemoveListener("a", nil) {
		t.Error("RemoveListener")
	}
	_ = e.Once("c", add("c"))
	list := e.Listeners("c")
	list[0]()
	list[0]()
	expect("[c]")
	if !e.RemoveAllListeners("a") || e.RemoveAllListeners("a") || !e.listens([]byte("b")) || e.listens([]byte("a")) {
		t.Error("RemoveAllListeners")
	}
	e.Clear()
	if e.Len() != 0 || len(e.Listeners("b")) != 0 {
		t.Error("Clear")
	}
}

// TestEmitterTogether: listeners come, are called and go on many goroutines at once. None gets lost, and those
// that run once do.
func TestEmitterTogether(t *testing.T) {
	const goroutines, rounds = 4, 50
	var e emitter
	var once, kept atomic.Int64
	var together sync.WaitGroup
	for range goroutines {
		together.Go(func() {
			mine := func(...any) {}
			for range rounds {
				_ = e.Once("a", func(...any) { once.Add(1) })
				_ = e.On("a", func(...any) { kept.Add(1) })
				_ = e.On("b", mine)
				e.Emit("a")
				if !e.RemoveListener("b", mine) {
					t.Error("a listener is lost")
				}
			}
		})
	}
	together.Wait()
	if n := once.Load(); n != goroutines*rounds || e.ListenerCount("a") != goroutines*rounds || e.ListenerCount("b") != 0 {
		t.Errorf("%d ran once, %d stay", n, e.ListenerCount("a"))
	}
	kept.Store(0)
	if e.Emit("a"); kept.Load() != goroutines*rounds {
		t.Errorf("%d of %d are called", kept.Load(), goroutines*rounds)
	}
}
