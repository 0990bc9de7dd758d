package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// example stands in for the testing.T that clients of sockettest want.
type example struct {
	testing.TB
	cleanups []func()
}

func (e *example) Helper()                   {}
func (e *example) Cleanup(f func())          { e.cleanups = append(e.cleanups, f) }
func (e *example) Errorf(f string, a ...any) { fmt.Printf(f+"\n", a...) }
func (e *example) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (e *example) end() {
	for i := len(e.cleanups) - 1; i >= 0; i-- {
		e.cleanups[i]()
	}
}

// A server is an http.Handler.
func Example() {
	io := socketio.NewServer(socketio.Options{})
	chat := io.Of("/chat")
	socketio.On(chat, "say", func(_ context.Context, s *socket.Socket, text string) error {
		return chat.Everybody().Broadcast("said", text)
	})
	http.Handle("/socket.io/", io)
	// log.Fatal(http.ListenAndServe(":3000", nil))
}

// Handle acknowledges an event with what the handler returns.
func ExampleHandle() {
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	e := &example{}
	defer e.end()

	socketio.Handle(io.Of("/"), "divide", func(_ context.Context, _ *socket.Socket, in struct{ A, B int }) (int, error) {
		if in.B == 0 {
			return 0, &socketio.Exception{Message: "division by zero"}
		}
		return in.A / in.B, nil
	})

	c := sockettest.Connect(e, io, "/") // io("/")
	fmt.Printf("%s\n", c.Call("divide", map[string]int{"a": 42, "b": 2}).JSON)
	fmt.Printf("%s\n", c.Call("divide", map[string]int{"a": 1, "b": 0}).JSON)
	// Output:
	// 21
	// {"status":"error","message":"division by zero"}
}

// On handles an event without an answer. A Payload is relayed without being decoded, byte for byte.
func ExampleOn() {
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	e := &example{}
	defer e.end()

	ns := io.Of("/")
	socketio.On(ns, "relay", func(_ context.Context, _ *socket.Socket, in socketio.Payload) error {
		return ns.Everybody().Broadcast("relayed", in)
	})

	c := sockettest.Connect(e, io, "/")
	c.Emit("relay", socketio.Payload{JSON: []byte(`{"z":1.0,"a":1e400}`)})
	fmt.Printf("%s\n", c.Next().Args[0].JSON)
	// Output: {"z":1.0,"a":1e400}
}

// Call asks a client and waits for its answer.
func ExampleCall() {
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	e := &example{}
	defer e.end()

	ns := io.Of("/")
	ns.OnConnect(func(ctx context.Context, s *socket.Socket) error {
		go func() { // not on the goroutine that reads the answer
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			if zone, err := socketio.Call[string](ctx, s, "which time zone?"); err == nil {
				_ = s.Emit("thanks for", zone)
			}
		}()
		return nil
	})

	c := sockettest.Connect(e, io, "/")
	c.Expect("which time zone?").Acknowledge("Asia/Seoul")
	var zone string
	c.Expect("thanks for", &zone)
	fmt.Println(zone)
	// Output: Asia/Seoul
}

// CallAll asks all sockets of a room, on all instances.
func ExampleCallAll() {
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	e := &example{}
	defer e.end()

	ns := io.Of("/")
	socketio.Handle(ns, "register", func(_ context.Context, s *socket.Socket, _ socketio.Payload) (string, error) {
		s.Join("voters")
		return "ok", nil
	})
	a, b := sockettest.Connect(e, io, "/"), sockettest.Connect(e, io, "/")
	a.Call("register")
	b.Call("register")

	counted := make(chan int)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		votes, _ := socketio.CallAll[string](ctx, ns.Everybody().In("voters"), "vote!")
		counted <- len(votes)
	}()
	a.Expect("vote!").Acknowledge("yes")
	b.Expect("vote!").Acknowledge("no")
	fmt.Println(<-counted, "votes")
	// Output: 2 votes
}

// Rooms: a Target names the sockets that a broadcast goes to.
func ExampleTarget() {
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	e := &example{}
	defer e.end()

	ns := io.Of("/game")
	socketio.Handle(ns, "join", func(_ context.Context, s *socket.Socket, team string) (string, error) {
		s.Join(socket.Room(team))
		return "ok", ns.Everybody().In(socket.Room(team)).ExceptSocket(s).Broadcast("joined", team)
	})

	a, b := sockettest.Connect(e, io, "/game"), sockettest.Connect(e, io, "/game")
	a.Call("join", "red")
	a.Call("join", "blue")
	b.Call("join", "red")
	var team string
	a.Expect("joined", &team)
	fmt.Println(team)
	// Output: red
}

// Middleware: Admit decides who may join; the client reads message and data of the refusal.
func ExampleNamespace_Admit() {
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	e := &example{}
	defer e.end()

	io.Of("/vip").Admit(func(_ context.Context, s *socket.Socket) error {
		if auth, _ := s.Handshake().Auth.(map[string]any); auth["token"] != "secret" {
			return &socketio.AdmissionError{Message: "not allowed", Data: map[string]any{"code": "bad_token"}}
		}
		return nil
	})

	message, data := sockettest.Refused(e, io, "/vip")
	fmt.Printf("%s %s\n", message, data.JSON)
	sockettest.Connect(e, io, "/vip", sockettest.Auth(map[string]string{"token": "secret"}))
	// Output: not allowed {"code":"bad_token"}
}

// Disconnecting: each socket has a context that ends with it, and a reason.
func ExampleNamespace_OnDisconnect() {
	io := socketio.NewServer(socketio.Options{})
	defer io.Close(context.Background())
	e := &example{}
	defer e.end()

	ns := io.Of("/")
	reasons := make(chan string)
	ns.OnDisconnect(func(_ context.Context, _ *socket.Socket, reason string) { reasons <- reason })

	sockettest.Connect(e, io, "/").Disconnect()
	fmt.Println(<-reasons)
	// Output: client namespace disconnect
}

// Other instances: an event to the servers rather than to clients. Without a cluster there are none.
func ExampleOnServer() {
	io := socketio.NewServer(socketio.Options{}) // with Options.Adapter of package redisadapter: a cluster
	defer io.Close(context.Background())
	ns := io.Of("/")
	err := socketio.OnServer(ns, "how many?", func(context.Context, socketio.Payload) (int, error) {
		return ns.Sockets().Len(), nil
	})
	fmt.Println(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err = socketio.CallServers[int](ctx, ns, "how many?")
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// true
}

// Unit tests: a handler that takes a Socket needs neither server nor client.
func ExamplePlain() {
	rename := func(_ context.Context, s socketio.Socket, name string) (string, error) {
		if name == "" {
			return "", &socketio.Exception{Message: "a name is needed"}
		}
		s.SetData(name)
		return "ok", s.Emit("renamed", name)
	}
	socketio.Handle(socketio.NewServer(socketio.Options{}).Of("/"), "rename", socketio.Plain(rename))

	var s sockettest.Fake
	answer, err := rename(context.Background(), &s, "Ann")
	fmt.Println(answer, err, s.Data(), s.Emitted[0].Name)
	_, err = rename(context.Background(), &s, "")
	var exception *socketio.Exception
	fmt.Println(errors.As(err, &exception), exception)
	// Output:
	// ok <nil> Ann renamed
	// true a name is needed
}
