package chat_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/chat/presence"
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

// end lets the clients go and closes a chat: the server first, then the gateway, which keeps what was said last.
func (e *example) end(io *socketio.Server, g *chat.Gateway) {
	for i := len(e.cleanups) - 1; i >= 0; i-- {
		e.cleanups[i]()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := io.Close(ctx); err != nil {
		fmt.Println(err)
	}
	if err := g.Close(ctx); err != nil {
		fmt.Println(err)
	}
}

// The seed's chat: what a client sends goes to everybody.
func Example() {
	io := socketio.NewServer(socketio.Options{})
	chat.New(io, chat.Options{JoinNotice: true})
	http.Handle("/socket.io/", io)
	// log.Fatal(http.ListenAndServe(":3000", nil))
}

// A history keeps the newest messages of each room. history.NewRedis keeps them for all instances of a cluster.
func ExampleHistory() {
	limits := history.Limits{Count: 200, Bytes: 64 << 20, Age: 24 * time.Hour}
	io := socketio.NewServer(socketio.Options{})
	g := chat.New(io, chat.Options{History: chat.History{Store: history.NewMemory(limits), Limits: limits}})
	e := &example{}
	defer e.end(io, g)

	ann := sockettest.Connect(e, io, chat.Namespace) // io("/chat")
	ann.Call(chat.MsgToServer, map[string]string{"name": "Ann", "text": "hello"})
	g.Announce(context.Background(), socketio.Payload{JSON: []byte(`{"name":"admin","text":"back at noon"}`)})

	var answer chat.HistoryAnswer
	bob := sockettest.Connect(e, io, chat.Namespace)
	if err := bob.Call(chat.EventHistory, chat.HistoryRequest{Limit: 10}).Decode(&answer); err != nil {
		fmt.Println(err)
	}
	for _, m := range answer.Messages {
		fmt.Printf("%s\n", m.Payload.JSON)
	}
	// Output:
	// {"name":"Ann","text":"hello"}
	// {"name":"admin","text":"back at noon"}
}

// MayJoin decides who may join a room. A Problem is what the client reads; any other error only says that it may not.
func ExampleOptions_mayJoin() {
	io := socketio.NewServer(socketio.Options{})
	g := chat.New(io, chat.Options{Rooms: true, MayJoin: func(_ context.Context, s *socket.Socket, room string) error {
		team, private := strings.CutPrefix(room, "team:")
		if private && !strings.HasSuffix(s.Handshake().Query["username"][0], "@"+team) {
			return &chat.Problem{Code: chat.Forbidden, Message: "this room is for its team"}
		}
		return nil
	}})
	e := &example{}
	defer e.end(io, g)

	ann := sockettest.Connect(e, io, chat.Namespace, sockettest.Query("username", "ann@blue"))
	for _, room := range []string{"tea", "team:blue", "team:red"} {
		fmt.Printf("%s\n", ann.Call(chat.EventJoin, chat.RoomRequest{Room: room}).JSON)
	}
	ann.Emit(chat.MsgToServer, "hello", "team:blue")
	var text string
	var about chat.RoomMessage
	ann.Expect(chat.MsgToClient, &text, &about)
	fmt.Println(text, "in", about.Room)
	// Output:
	// {"room":"tea"}
	// {"room":"team:blue"}
	// {"error":{"code":"forbidden","message":"this room is for its team"}}
	// hello in team:blue
}

// Presence tells clients who is here. NameOf says how somebody is called, from a token, say; without it people are as they call themselves.
func ExampleOptions_presence() {
	io := socketio.NewServer(socketio.Options{})
	g := chat.New(io, chat.Options{Presence: true, NameOf: func(s *socket.Socket) string {
		names := map[string]string{"a1": "Ann", "b2": "Bob"}
		return names[s.Handshake().Query["session"][0]]
	}})
	e := &example{}
	defer e.end(io, g)

	ann := sockettest.Connect(e, io, chat.Namespace, sockettest.Query("session", "a1"))
	fmt.Printf("%s\n", ann.Call(chat.EventWatch, chat.WatchRequest{}).JSON) // from now on changes come, at most twice a second
	bob := sockettest.Connect(e, io, chat.Namespace, sockettest.Query("session", "b2"))
	here := map[string]int{} // connections, by name
	follow := func() {
		var c presence.Change
		ann.Expect(chat.EventChange, &c)
		for _, p := range c.Joined {
			here[p.Name] = p.Connections
		}
		for _, name := range c.Left {
			delete(here, name)
		}
	}
	for here["Bob"] == 0 {
		follow()
	}
	fmt.Println(here)
	bob.Disconnect()
	for here["Bob"] > 0 {
		follow()
	}
	fmt.Println(here)
	// Output:
	// {"people":[{"name":"Ann","connections":1}],"count":1,"connections":1}
	// map[Ann:1 Bob:1]
	// map[Ann:1]
}
