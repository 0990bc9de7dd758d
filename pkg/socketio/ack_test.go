package socketio

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

type ackResult struct {
	args []any
	err  error
}

// ackInto returns an Ack that reports on ch.
func ackInto(ch chan ackResult) socket.Ack {
	return func(args []any, err error) { ch <- ackResult{args, err} }
}

// joinedSocket returns the server's side of a client that joins /chat.
func joinedSocket(t *testing.T, s *testServer, protocol int) (*testClient, *socket.Socket) {
	t.Helper()
	c := s.dialJoined(t, protocol, "/chat")
	var sock *socket.Socket
	eventually(t, "the socket is there", func() bool {
		s.Of("/chat").Sockets().Range(func(_ socket.SocketId, x *socket.Socket) bool {
			if x.Conn().Id() == c.sid && linkOf(x).isOpen() {
				sock = x
			}
			return true
		})
		return sock != nil
	})
	return c, sock
}

// isOpen tells whether the listeners of "connection" have returned.
func (l *link) isOpen() bool {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	return l.state == linkOpen
}

func TestAckFromClient(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		s.Of("/chat")
		c, sock := joinedSocket(t, s, protocol)
		got := make(chan ackResult, 1)

		if err := sock.Emit("q", 1, ackInto(got)); err != nil {
			t.Fatal(err)
		}
		c.want(`2/chat,1["q",1]`)
		c.send(`3/chat,1[{"a":[1]},"x"]`)
		if r := receive(t, got); r.err != nil || !reflect.DeepEqual(r.args, []any{map[string]any{"a": []any{1.0}}, "x"}) {
			t.Errorf("got %+v", r)
		}
		c.send(`3/chat,1["again"]`) // ignored

		sock.EmitWithAck("q")(ackInto(got))
		c.want(`2/chat,2["q"]`)
		c.send(`61-/chat,2[` + ph0 + `]`)
		c.sendBinary("A")
		if r := receive(t, got); r.err != nil || r.args[0].(*types.BytesBuffer).String() != "A" {
			t.Errorf("got %+v", r)
		}

		sock.Timeout(time.Minute).EmitWithAck("q")(ackInto(got))
		c.want(`2/chat,3["q"]`)
		c.send(`3/chat,3`)
		if r := receive(t, got); r.err != nil || len(r.args) != 0 {
			t.Errorf("got %+v", r)
		}

		sock.Timeout(time.Millisecond).EmitWithAck("q")(ackInto(got))
		if r := receive(t, got); r.err == nil {
			t.Errorf("got %+v, want a timeout", r)
		}
		c.want(`2/chat,4["q"]`)
		c.send(`3/chat,4["late"]`)

		sock.EmitWithAck("q")(func([]any, error) { panic("ack bug") })
		c.want(`2/chat,5["q"]`)
		c.send(`3/chat,5[]`)
		sock.EmitWithAck("q")(ackInto(got))
		c.want(`2/chat,6["q"]`)
		c.send(`3/chat,6[6]`)
		if r := receive(t, got); !reflect.DeepEqual(r.args, []any{6.0}) {
			t.Errorf("got %+v", r)
		}
	})
}

func TestBroadcastWithAck(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	a, b := s.dialJoined(t, 4, "/chat"), s.dialJoined(t, 3, "/chat")
	eventually(t, "both are in", func() bool { return chat.Sockets().Len() == 2 })

	// The library compares counts without a lock while it still sets them up, so no answer may come
	// before Emit has returned.
	got := make(chan ackResult, 1)
	if err := chat.Timeout(time.Minute).Emit("q", 1, ackInto(got)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*testClient{a, b} {
		c.want(`2/chat,1["q",1]`)
		c.send(fmt.Sprintf(`3/chat,1[%d]`, c.protocol))
	}
	r := receive(t, got)
	sum := 0.0
	for _, v := range r.args {
		sum += v.(float64)
	}
	if r.err != nil || len(r.args) != 2 || sum != 7 {
		t.Errorf("got %+v", r)
	}

	// What the other adapters use keeps answers raw.
	answers := make(chan []Payload, 2)
	count := uint64(0)
	chat.local.BroadcastEncodedWithAck(Encoded{Data: raw(`["q",{"z":1,"a":1}]`)}, nil,
		func(n uint64) { count = n }, func(list []Payload) { answers <- list })
	if count != 2 {
		t.Errorf("%d receivers", count)
	}
	for _, c := range []*testClient{a, b} {
		c.want(`2/chat,2["q",{"z":1,"a":1}]`)
		c.send(`3/chat,2[{"z":2.0,"a":1}]`)
		if list := receive(t, answers); len(list) != 1 || string(list[0].JSON) != `{"z":2.0,"a":1}` {
			t.Errorf("got %q", list)
		}
	}
}

func TestHandlerContext(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	contexts := make(chan context.Context, 2)
	keep := func(ctx context.Context, _ *socket.Socket, _ any) error {
		contexts <- ctx
		return nil
	}
	On(chat, "keep", keep)
	c := s.dialJoined(t, 4, "/chat")
	c.send(`2/chat,["keep"]`)
	ctx := receive(t, contexts)
	if ctx.Err() != nil {
		t.Fatal("cancelled too early")
	}
	child, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	c.send("1/chat,")
	receive(t, child.Done())
	if ctx.Err() != context.Canceled || child.Err() != context.Canceled {
		t.Errorf("errors %v and %v", ctx.Err(), child.Err())
	}

	// Nobody asks for Done before the end.
	c.join("/chat")
	c.send(`2/chat,["keep"]`)
	ctx = receive(t, contexts)
	c.conn.Close()
	eventually(t, "it is cancelled", func() bool { return ctx.Err() != nil })
	receive(t, ctx.Done())
}
