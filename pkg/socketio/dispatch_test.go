package socketio

import (
	"bytes"
	"context"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// receiver returns the server's end of a connection that has joined /chat, where "x" has a handler
// that does nothing, and a message for it.
func receiver(tb testing.TB) (*conn, []byte) {
	tb.Helper()
	s := newTestServer(tb, Options{})
	On(s.Of("/chat"), "x", func(context.Context, *socket.Socket, Payload) error { return nil })
	s.dialJoined(tb, 4, "/chat")
	var c *conn
	eventually(tb, "the namespace is open", func() bool {
		for _, x := range s.snapshot() {
			if l := x.link("/chat"); l != nil && l.isOpen() {
				c = x
			}
		}
		return c != nil
	})
	return c, []byte(`2/chat,["x",{"name":"alice","text":"hello, how are you?"}]`)
}

// TestEventsUnderWayAreDropped: a socket that was disconnected while an event was on its way to it hears nothing of that.
func TestEventsUnderWayAreDropped(t *testing.T) {
	s := newTestServer(t, Options{})
	heard := 0
	On(s.Of("/chat"), "x", func(context.Context, *socket.Socket, Payload) error { heard++; return nil })
	_, sock := joinedSocket(t, s, 4)
	event := &Packet{Type: Event, Nsp: "/chat", Args: []Payload{raw(`"x"`), raw(`1`)}}
	linkOf(sock).onEvent(event)
	if heard != 1 {
		t.Fatalf("heard %d times", heard)
	}
	sock.Disconnect(false)
	linkOf(sock).onEvent(event)
	sock.OnAny(func(...any) { heard++ }) // where somebody listens to all events, an event goes another way
	linkOf(sock).onEvent(event)
	if heard != 1 {
		t.Errorf("heard %d times after its end", heard-1)
	}
}

// TestReceiveAllocations pins that an event costs no more than the handler's argument and error.
func TestReceiveAllocations(t *testing.T) {
	c, message := receiver(t)
	if n := testing.AllocsPerRun(1000, func() { c.Receive(message, false) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkReceive(b *testing.B) {
	c, message := receiver(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		c.Receive(message, false)
	}
}

// FuzzReceive feeds a connection that has joined a namespace with whatever there is.
func FuzzReceive(f *testing.F) {
	for _, row := range recordedRows(f) {
		var all [][]byte
		for _, m := range row.Messages {
			all = append(all, m.text)
		}
		f.Add(bytes.Join(all, []byte("\n")), len(all) > 1)
	}
	s := newTestServer(f, Options{})
	On(s.Of("/chat"), "x", func(_ context.Context, sock *socket.Socket, in any) error { return sock.Emit("y", in) })
	f.Fuzz(func(t *testing.T, messages []byte, binary bool) {
		c := s.dialJoined(t, 4, "/chat")
		defer c.conn.Close()
		for i, m := range bytes.Split(messages, []byte("\n")) {
			if binary && i > 0 {
				c.sendBinary(string(m))
			} else {
				c.send(string(m))
			}
		}
		// Somebody else notices nothing.
		other := s.dialJoined(t, 3, "/chat")
		defer other.conn.Close()
		other.send(`2/chat,["x",1]`)
		other.want(`2/chat,["y",1]`)
	})
}
