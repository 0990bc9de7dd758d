package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// TestNestArguments pins what a handler gets for the arguments of an event. It is what the seed's
// NestJS gateway relays in each case (testdata/nest_arguments.json was recorded from NestJS 7.6 with
// socket.io 2.4.1), in the sender's spelling.
func TestNestArguments(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		On(s.Of("/chat"), "msgToServer", func(_ context.Context, sock *socket.Socket, in Payload) error {
			return sock.Emit("msgToClient", in)
		})
		var recorded map[string]string
		if b, err := os.ReadFile("testdata/nest_arguments.json"); err != nil || json.Unmarshal(b, &recorded) != nil {
			t.Fatal("the recording cannot be read", err)
		}
		c := s.dialJoined(t, protocol, "/chat")
		for _, tt := range []struct{ in, want string }{
			{`["msgToServer",{"name":"a","text":"b"}]`, `{"name":"a","text":"b"}`},
			{`["msgToServer"]`, `null`},
			{`["msgToServer",null]`, `null`},
			{`["msgToServer",1,2]`, `[1,2]`},
			{`["msgToServer",{"z":1,"a":[]}, "x" ]`, `[{"z":1,"a":[]},"x"]`},
			{`["msgToServer",null,null,null]`, `[null,null,null]`},
			{`["msgToServer",[1,2]]`, `[1,2]`},
			{`["msgToServer",[]]`, `[]`},
			{`["msgToServer",[[]],[]]`, `[[[]],[]]`},
			{`["msgToServer",""]`, `""`},
			{`["msgToServer",false]`, `false`},
			{`["msgToServer",1.0]`, `1.0`},
			{`["msgToServer",123456789012345678901234567890]`, `123456789012345678901234567890`},
			{`["msgToServer",-0]`, `-0`},
			{`["msgToServer",{"b":1,"a":2,"b":3}]`, `{"b":1,"a":2,"b":3}`},
			{`["msgToServer","\ud800\u0000\/"]`, `"\ud800\u0000\/"`},
			{`["msgToServer","안녕 😀"]`, `"안녕 😀"`},
			{`["msgToServer",{"__proto__":{"x":1}}]`, `{"__proto__":{"x":1}}`},
			{`["msgToServer",{"_placeholder":true,"num":0}]`, `{"_placeholder":true,"num":0}`},
		} {
			want := `2/chat,["msgToClient",` + tt.want + `]`
			for _, id := range []string{"", "9"} {
				if nest := recorded[id+tt.in]; !sameEvent(t, "4"+want, nest) {
					t.Errorf("%s: want %s, Nest relays %s", id+tt.in, want, nest)
				}
			}
			c.send("2/chat," + tt.in)
			c.want(want)
			// The same with an acknowledgement asked for, which never comes.
			c.send("2/chat,9" + tt.in)
			c.want(want)
		}
	})
}

// sameEvent compares the values of two events.
func sameEvent(t *testing.T, a, b string) bool {
	t.Helper()
	var v [2]any
	for i, m := range []string{a, b} {
		data, ok := strings.CutPrefix(m, "42/chat,")
		if !ok || json.Unmarshal([]byte(data), &v[i]) != nil {
			t.Fatalf("no event: %q", m)
		}
	}
	return reflect.DeepEqual(v[0], v[1])
}

func TestTypedEvents(t *testing.T) {
	type message struct {
		Name string `json:"name"`
		Text string `json:"text"`
	}
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	Handle(chat, "shout", func(_ context.Context, _ *socket.Socket, in message) (string, error) {
		return strings.ToUpper(in.Name + ": " + in.Text), nil
	})
	Handle(chat, "sum", func(_ context.Context, _ *socket.Socket, in []int) (map[string]int, error) {
		sum := 0
		for _, n := range in {
			sum += n
		}
		return map[string]int{"sum": sum}, nil
	})
	Handle(chat, "raw", func(_ context.Context, _ *socket.Socket, in Payload) (Payload, error) { return in, nil })
	Handle(chat, "refuse", func(context.Context, *socket.Socket, any) (int, error) {
		return 0, fmt.Errorf("wrapped: %w", &Exception{Message: "not allowed"})
	})
	Handle(chat, "break", func(context.Context, *socket.Socket, any) (int, error) {
		return 0, errors.New("the database password is secret")
	})
	On(chat, "panic", func(context.Context, *socket.Socket, any) error { panic("handler bug") })
	On(chat, "quiet", func(context.Context, *socket.Socket, any) error { return nil })

	bothProtocols(t, func(t *testing.T, protocol int) {
		c := s.dialJoined(t, protocol, "/chat")
		const exception = `2/chat,["exception",{"status":"error","message":"%s"}]`
		const failed = `{"status":"error","message":"%s"}`
		for _, tt := range []struct {
			send string
			want []string
		}{
			{`2/chat,1["shout",{"name":"a","text":"b"}]`, []string{`3/chat,1["A: B"]`}},
			{`2/chat,18446744073709551615["shout",{"name":"a","text":"b"}]`, []string{`3/chat,18446744073709551615["A: B"]`}},
			{`2/chat,0["sum",1,2,3]`, []string{`3/chat,0[{"sum":6}]`}},
			{`2/chat,2["sum",[1,2]]`, []string{`3/chat,2[{"sum":3}]`}},
			{`2/chat,2["sum"]`, []string{`3/chat,2[{"sum":0}]`}},
			{`2/chat,3["raw",{"z":1.0,"a":2}]`, []string{`3/chat,3[{"z":1.0,"a":2}]`}},
			{`2/chat,3["\u0072aw",1]`, []string{`3/chat,3[1]`}},
			{`2/chat,4["shout","text"]`, []string{fmt.Sprintf(exception, "Invalid payload"), "3/chat,4[" + fmt.Sprintf(failed, "Invalid payload") + "]"}},
			{`2/chat,["shout","text"]`, []string{fmt.Sprintf(exception, "Invalid payload")}},
			{`2/chat,5["refuse"]`, []string{fmt.Sprintf(exception, "not allowed"), "3/chat,5[" + fmt.Sprintf(failed, "not allowed") + "]"}},
			{`2/chat,6["break"]`, []string{fmt.Sprintf(exception, "Internal server error"), "3/chat,6[" + fmt.Sprintf(failed, "Internal server error") + "]"}},
			{`2/chat,["panic"]`, []string{fmt.Sprintf(exception, "Internal server error")}},
			// These are answered with nothing, so the next answer comes first.
			{`2/chat,["shout",{}]`, nil},
			{`2/chat,7["quiet"]`, nil},
			{`2/chat,8["unknown"]`, nil},
			{`2/chat,[1,2]`, nil},
			{`2/chat,["error","x"]`, nil},
			{`3/chat,99["nobody waits"]`, nil},
			{`3/chat,["no id"]`, nil},
			{`2/chat,9["raw",9]`, []string{`3/chat,9[9]`}},
		} {
			c.send(tt.send)
			c.want(tt.want...)
		}
	})
	for _, secret := range []string{"handler bug", "the database password is secret"} {
		if !strings.Contains(s.log.String(), secret) {
			t.Errorf("the log does not mention %q", secret)
		}
	}
}

func TestBinaryBothWays(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		chat := s.Of("/chat")
		Handle(chat, "echo", func(_ context.Context, _ *socket.Socket, in Payload) (Payload, error) {
			chat.Broadcast("copy", in, []byte("more"))
			return in, nil
		})
		type file struct {
			Name string
			Data []byte
		}
		Handle(chat, "decode", func(_ context.Context, _ *socket.Socket, in file) (string, error) {
			return in.Name + "=" + string(in.Data), nil
		})
		c := s.dialJoined(t, protocol, "/chat")

		c.send(`52-/chat,1["echo",{"b":` + ph1 + `,"a":` + ph0 + `}]`)
		c.sendBinary("\x00A\xff")
		c.sendBinary("")
		c.want(`53-/chat,["copy",{"b":`+ph0+`,"a":`+ph1+`},`+ph2+`]`, "b:", "b:\x00A\xff", "b:more")
		c.want(`62-/chat,1[{"b":`+ph0+`,"a":`+ph1+`}]`, "b:", "b:\x00A\xff")

		c.send(`51-/chat,2["decode",{"name":"x","data":` + ph0 + `}]`)
		c.sendBinary("D")
		c.want(`3/chat,2["x=D"]`)

		c.send(`52-/chat,3["echo",` + ph0 + `,` + ph1 + `]`)
		c.sendBinary("A")
		c.sendBinary("B")
		c.want(`53-/chat,["copy",[`+ph0+`,`+ph1+`],`+ph2+`]`, "b:A", "b:B", "b:more")
		c.want(`62-/chat,3[[`+ph0+`,`+ph1+`]]`, "b:A", "b:B")
	})
}

// libraryServer has the library's kind of listeners on /chat, which report what they get.
func libraryServer(t *testing.T, setup func(*socket.Socket)) *testServer {
	t.Helper()
	s := newTestServer(t, Options{})
	s.IO().Of("/chat", func(args ...any) { setup(args[0].(*socket.Socket)) })
	return s
}

func mustOn(t *testing.T, sock *socket.Socket, event string, f func(...any)) {
	t.Helper()
	if err := sock.On(event, f); err != nil {
		t.Error(err)
	}
}

func TestLibraryListeners(t *testing.T) {
	got := make(chan []any, 10)
	s := libraryServer(t, func(sock *socket.Socket) {
		mustOn(t, sock, "x", func(args ...any) { got <- args })
		mustOn(t, sock, "ack", func(args ...any) {
			ack := args[len(args)-1].(socket.Ack)
			ack([]any{"first", []byte("B")}, nil)
			ack([]any{"second"}, nil)
		})
		mustOn(t, sock, "panic", func(...any) { panic("listener bug") })
		mustOn(t, sock, "1.5", func(...any) { got <- []any{"a number"} })
		if err := sock.Once("once", func(...any) { got <- []any{"once"} }); err != nil {
			t.Error(err)
		}
	})
	bothProtocols(t, func(t *testing.T, protocol int) {
		c := s.dialJoined(t, protocol, "/chat")
		c.send(`2/chat,["x",null,true,1.5,"t",[1],{"a":{"b":[]}}]`)
		want := []any{nil, true, 1.5, "t", []any{1.0}, map[string]any{"a": map[string]any{"b": []any{}}}}
		if args := receive(t, got); !reflect.DeepEqual(args, want) {
			t.Errorf("got %v, want %v", args, want)
		}
		c.send(`51-/chat,["x",[` + ph0 + `]]`)
		c.sendBinary("A")
		args := receive(t, got)
		if b, ok := args[0].([]any)[0].(*types.BytesBuffer); !ok || b.String() != "A" {
			t.Errorf("got %v, want a buffer", args)
		}
		c.send(`2/chat,4["ack","x"]`)
		c.want(`61-/chat,4["first",`+ph0+`]`, "b:B")
		c.send(`2/chat,["panic"]`)
		c.send(`2/chat,["once"]`)
		c.send(`2/chat,["once"]`)
		c.send(`2/chat,[1.50]`)
		if a, b := receive(t, got), receive(t, got); a[0] != "once" || b[0] != "a number" {
			t.Errorf("got %v and %v", a, b)
		}
	})
	if !strings.Contains(s.log.String(), "listener bug") {
		t.Error("the panic is not logged")
	}
}

// TestOrderOfListeners: OnAny, Socket.Use, typed handlers, listeners.
func TestOrderOfListeners(t *testing.T) {
	got := make(chan string, 20)
	s := libraryServer(t, func(sock *socket.Socket) {
		sock.OnAny(func(args ...any) { got <- fmt.Sprint("any ", args[0], " ", len(args)) })
		sock.Use(func(args []any, next func(error)) {
			got <- fmt.Sprint("use ", args[0])
			if args[0] == "stop" {
				next(errors.New("stopped"))
				return
			}
			next(nil)
		})
		mustOn(t, sock, "x", func(args ...any) { got <- fmt.Sprint("on ", len(args)) })
		mustOn(t, sock, "error", func(args ...any) { got <- fmt.Sprint("error ", args[0]) })
	})
	typed := func(_ context.Context, _ *socket.Socket, in Payload) error {
		got <- "typed " + string(in.JSON)
		return nil
	}
	On(s.Of("/chat"), "x", typed)
	On(s.Of("/chat"), "stop", typed)
	On(s.Of("/chat"), "x", typed)
	c := s.dialJoined(t, 4, "/chat")
	c.send(`2/chat,1["x",{"z":1,"a":1}]`)
	c.send(`2/chat,["stop"]`)
	for _, want := range []string{"any x 3", "use x", `typed {"z":1,"a":1}`, `typed {"z":1,"a":1}`, "on 2", "any stop 1", "use stop", "error stopped"} {
		if m := receive(t, got); m != want {
			t.Errorf("got %q, want %q", m, want)
		}
	}
}

func TestOnAnyOutgoing(t *testing.T) {
	got := make(chan string, 10)
	s := libraryServer(t, func(sock *socket.Socket) {
		if sock.Handshake().Query["watch"] != nil {
			sock.OnAnyOutgoing(func(args ...any) { got <- fmt.Sprint(args...) })
		}
	})
	watched := s.dial(t, 4, "watch=1")
	watched.join("/chat")
	other := s.dialJoined(t, 4, "/chat")
	chat := s.Of("/chat")
	chat.Broadcast("a", 1)
	chat.local.BroadcastEncoded(Encoded{Data: raw(`["b",2]`)}, nil)
	chat.Sockets().Range(func(_ socket.SocketId, sock *socket.Socket) bool {
		if err := sock.Emit("c", 3); err != nil {
			t.Error(err)
		}
		return true
	})
	chat.local.BroadcastWithAck(packetOf("d", 4), nil, func(uint64) {}, func([]any, error) {})
	chat.local.BroadcastEncodedWithAck(Encoded{Data: raw(`["e",5]`)}, nil, func(uint64) {}, func([]Payload) {})
	for _, c := range []*testClient{watched, other} {
		c.want(`2/chat,["a",1]`, `2/chat,["b",2]`, `2/chat,["c",3]`, `2/chat,1["d",4]`, `2/chat,2["e",5]`)
	}
	for _, want := range []string{"a1", "b2", "c3", "d4", "e5"} {
		if m := receive(t, got); m != want {
			t.Errorf("got %q, want %q", m, want)
		}
	}
}

// TestErrorIsHeard: the sockets of a client that breaks the protocol hear of it before they are disconnected; one that has none only ends.
func TestErrorIsHeard(t *testing.T) {
	for _, joined := range []bool{false, true} {
		got := make(chan string, 10)
		s := libraryServer(t, func(sock *socket.Socket) {
			_ = sock.On("error", func(args ...any) { got <- fmt.Sprint("error ", args) })
			_ = sock.On("disconnect", func(args ...any) { got <- fmt.Sprint("disconnect ", args) })
			got <- "connection"
		})
		c := s.dial(t, 4, "")
		if joined {
			c.join("/chat")
			receive(t, got) // now there are listeners
		}
		c.send("2/chat,{")
		c.wantClosed()
		if !joined {
			if strings.Contains(s.log.String(), "anic") {
				t.Errorf("log:\n%s", s.log)
			}
			continue
		}
		for _, want := range []string{"error [", "disconnect [forced close"} {
			if m := receive(t, got); !strings.HasPrefix(m, want) {
				t.Errorf("got %q, want %q", m, want)
			}
		}
	}
}
