//go:build unix

package suites

import (
	"slices"
	"strings"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// TestServerSocket exchanges events with one socket, in every form.
func TestServerSocket(t *testing.T) {
	io := newServer(t, socketio.Options{})
	ns := io.Of("/")
	var heard []any
	onSocket(ns, func(s *socket.Socket) {
		listen(s, "echo", func(args []any, ack socket.Ack) { ack(args, nil) })
		listen(s, "keep", func(args []any, ack socket.Ack) {
			heard = append(heard, args...)
			if ack != nil {
				ack(nil, nil)
			}
		})
		listen(s, "message", func(args []any, _ socket.Ack) { s.Send(args...) })
	})
	c := join(t, io, ns)

	t.Run("values of every kind, there and back", func(t *testing.T) {
		for _, value := range []string{`1`, `"2"`, `{"3":"4","5":[null,true]}`, `null`, `false`, `[]`, `"\u4e2d\u6587 て 👍"`, `1.5`} {
			if got := c.Call("echo", socketio.Payload{JSON: []byte(value)}); unescaped(t, got) != unescaped(t, socketio.Payload{JSON: []byte(value)}) {
				t.Errorf("%s came back as %s", value, got.JSON)
			}
		}
	})
	t.Run("bytes, alone and among other values", func(t *testing.T) {
		for _, value := range []any{[]byte{1, 2, 3}, map[string]any{"a": []byte{4}, "b": []any{[]byte{5}, "x"}}} {
			got := c.Call("echo", value)
			want, err := socketio.EncodeData([]any{value})
			if err != nil || "["+string(got.JSON)+"]" != string(want.JSON) || !slices.EqualFunc(got.Attachments, want.Attachments, slices.Equal[[]byte]) {
				t.Errorf("%v came back as %s %v (%v)", value, got.JSON, got.Attachments, err)
			}
		}
	})
	t.Run("several arguments and an acknowledgement without any", func(t *testing.T) {
		if got := c.Call("keep", "a", "b"); !got.IsNull() {
			t.Errorf("acknowledged with %s", got.JSON)
		}
		if !slices.Equal(heard, []any{"a", "b"}) {
			t.Errorf("heard %v", heard)
		}
	})
	t.Run("message events", func(t *testing.T) {
		c.Emit("message", "hi")
		var text string
		if c.Expect("message", &text); text != "hi" {
			t.Errorf("got %q", text)
		}
	})
	t.Run("acknowledgements that clients give, with bytes", func(t *testing.T) {
		for _, answer := range []any{"text", []byte{1, 2}, map[string]any{"k": 1}} {
			got := make(chan socketio.Payload, 1)
			go func() {
				p, _ := socketio.Call[socketio.Payload](t.Context(), c.socket, "ask", []byte{9})
				got <- p
			}()
			c.Expect("ask").Acknowledge(answer)
			want, _ := socketio.EncodeData([]any{answer})
			if p := <-got; "["+string(p.JSON)+"]" != string(want.JSON) {
				t.Errorf("%v came as %s", answer, p.JSON)
			}
		}
	})
	t.Run("large values", func(t *testing.T) {
		text := strings.Repeat("0123456789", 80_000)
		if got := c.Call("echo", text); len(got.JSON) != len(text)+2 {
			t.Errorf("%d characters came back as %d bytes", len(text), len(got.JSON))
		}
		if got := c.Call("echo", []byte(text)); len(got.Attachments) != 1 || len(got.Attachments[0]) != len(text) {
			t.Error("bytes came back differently")
		}
	})
	t.Run("many events at once, in order", func(t *testing.T) {
		heard = nil
		for i := range 200 {
			c.Emit("keep", i)
		}
		c.Call("echo", "all")
		for i := range 200 {
			if heard[i] != float64(i) {
				t.Fatalf("event %d is %v", i, heard[i])
			}
		}
	})
	t.Run("reserved events", func(t *testing.T) {
		for _, event := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
			if err := c.socket.Emit(event, "x"); err == nil {
				t.Errorf("%s can be emitted", event)
			}
		}
		if err := ns.Emit("connect"); err == nil {
			t.Error("connect can be emitted to a namespace")
		}
	})
}

// unescaped is a payload's value in a form that can be compared.
func unescaped(t *testing.T, p socketio.Payload) string {
	t.Helper()
	v, err := p.Value()
	if err != nil {
		t.Fatal(err)
	}
	data, err := socketio.EncodeData([]any{v})
	if err != nil {
		t.Fatal(err)
	}
	return string(data.JSON)
}

// TestServerHandshake looks at what a socket knows of its client.
func TestServerHandshake(t *testing.T) {
	io := newServer(t, socketio.Options{})
	ns := io.Of("/custom")
	auths := make(chan any, 1) // it is dropped when the listeners of "connection" have returned
	onSocket(ns, func(s *socket.Socket) { auths <- s.Handshake().Auth })
	c := join(t, io, ns, sockettest.Query("key1", "1"), sockettest.Query("key2", "a b&c"), sockettest.Header("X-Custom", "yes"), sockettest.Auth(map[string]any{"token": "abc"}))
	h := c.socket.Handshake()
	if h.Query["key1"][0] != "1" || h.Query["key2"][0] != "a b&c" {
		t.Errorf("query: %v", h.Query)
	}
	if got := h.Headers["X-Custom"]; len(got) != 1 || got[0] != "yes" {
		t.Errorf("headers: %v", h.Headers)
	}
	if auth, ok := (<-auths).(map[string]any); !ok || auth["token"] != "abc" {
		t.Errorf("auth: %v", auth)
	}
	if c.socket.Client() == nil || c.socket.Conn() == nil || c.socket.Request() == nil {
		t.Error("client, connection and request are there in Node")
	}
	if string(c.socket.Id()) != c.ID {
		t.Errorf("id %s, the client has %s", c.socket.Id(), c.ID)
	}
}

// TestServerListeners calls those who listen for any event.
func TestServerListeners(t *testing.T) {
	io := newServer(t, socketio.Options{})
	ns := io.Of("/")
	c := join(t, io, ns)
	var order []string
	say := func(name string) func(...any) {
		return func(args ...any) { order = append(order, name+" "+args[0].(string)) }
	}
	listen(c.socket, "sync", func(_ []any, ack socket.Ack) { ack(nil, nil) })
	want := func(t *testing.T, want ...string) {
		t.Helper()
		if !slices.Equal(order, want) {
			t.Errorf("called %v, want %v", order, want)
		}
		order = nil
	}

	t.Run("for what comes in", func(t *testing.T) {
		c.socket.OnAny(say("second"))
		c.socket.PrependAny(say("first"))
		c.Call("sync")
		want(t, "first sync", "second sync")
		c.socket.OffAny(nil)
		c.Call("sync")
		want(t)
	})
	t.Run("for what goes out, to it and to all, with bytes", func(t *testing.T) {
		c.socket.OnAnyOutgoing(say("second"))
		c.socket.PrependAnyOutgoing(say("first"))
		_ = c.socket.Emit("one", "x")
		_ = ns.Emit("two", []byte{1})
		c.Expect("one")
		c.Expect("two")
		want(t, "first one", "second one", "first two", "second two")
		c.socket.OffAnyOutgoing(nil)
		_ = c.socket.Emit("three")
		c.Expect("three")
		want(t)
	})
}

// TestServerNamespaces goes in and out of namespaces.
func TestServerNamespaces(t *testing.T) {
	io := newServer(t, socketio.Options{})
	t.Run("the same by either name", func(t *testing.T) {
		if io.Of("") != io.Of("/") || io.Of("abc") != io.Of("/abc") {
			t.Error("they are different")
		}
	})
	t.Run("of many sockets", func(t *testing.T) {
		ns := io.Of("/many")
		seen := make(chan string, 3)
		onSocket(ns, func(s *socket.Socket) { seen <- string(s.Id()) })
		for range 2 {
			if c, id := join(t, io, ns), <-seen; id != c.ID {
				t.Errorf("%s connected as %s", c.ID, id)
			}
		}
		if n := ns.Sockets().Len(); n != 2 {
			t.Errorf("%d sockets", n)
		}
	})
	t.Run("unknown ones are refused", func(t *testing.T) {
		if message, _ := sockettest.Refused(t, io, "/doesnotexist"); message != "Invalid namespace" {
			t.Errorf("refused with %q", message)
		}
	})
	t.Run("disconnecting comes before the rooms are left", func(t *testing.T) {
		ns := io.Of("/rooms")
		c := join(t, io, ns)
		c.socket.Join("a")
		var during int
		done := make(chan int)
		_ = c.socket.On("disconnecting", func(...any) { during = c.socket.Rooms().Len() })
		_ = c.socket.On("disconnect", func(...any) { done <- c.socket.Rooms().Len() })
		c.Disconnect()
		if after := <-done; during != 2 || after != 0 {
			t.Errorf("%d rooms while it was disconnecting, %d after that", during, after)
		}
	})
	t.Run("new ones are told of", func(t *testing.T) {
		told := make(chan string, 2)
		_ = io.IO().On("new_namespace", func(args ...any) { told <- args[0].(socket.Namespace).Name() })
		io.Of("/fresh")
		if name := <-told; name != "/fresh" {
			t.Errorf("told of %s", name)
		}
	})
}
