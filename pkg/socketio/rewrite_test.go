package socketio

import (
	"context"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// TestMiddlewareRewrites: what a middleware of Socket.Use puts in the place of an event, of its name or of a part of an argument, is what typed
// handlers and listeners get; what it leaves alone is what the client wrote.
func TestMiddlewareRewrites(t *testing.T) {
	typed, listened := make(chan string, 10), make(chan []any, 10)
	s := libraryServer(t, func(sock *socket.Socket) {
		sock.Use(func(args []any, next func(error)) {
			switch args[0] {
			case "rename":
				args[0] = "say"
			case "replace":
				args[0], args[1] = "say", "something else"
			case "deep":
				args[0] = "say"
				args[1].(map[string]any)["list"].([]any)[0].(map[string]any)["seen"] = true
			case "bytes":
				args[0] = "say"
				args[1] = []byte("new")
			case "read":
				args[0] = "say"
				_, _ = args[1].(*types.BytesBuffer).ReadByte()
			case "worse":
				args[0], args[1] = "say", make(chan int)
			case "no name":
				args[0] = 1
			}
			next(nil)
		})
		mustOn(t, sock, "say", func(args ...any) { listened <- args })
		mustOn(t, sock, "error", func(args ...any) { typed <- "error" })
	})
	On(s.Of("/chat"), "say", func(_ context.Context, _ *socket.Socket, in Payload) error {
		text := string(in.JSON)
		for _, b := range in.Attachments {
			text += " " + string(b)
		}
		typed <- text
		return nil
	})
	c := s.dialJoined(t, 4, "/chat")
	for _, row := range []struct{ sent, bytes, want string }{
		{`2/chat,["say",{"z":1.0,"a":1}]`, "", `{"z":1.0,"a":1}`},
		{`2/chat,["rename",{"z":1.0,"a":1}]`, "", `{"z":1.0,"a":1}`},
		{`2/chat,["replace","x"]`, "", `"something else"`},
		{`2/chat,["replace",{"z":1.0},{"y":1.0}]`, "", `["something else",{"y":1.0}]`},
		{`2/chat,["deep",{"z":1.0,"list":[{}]}]`, "", `{"list":[{"seen":true}],"z":1}`},
		{`51-/chat,["bytes",{"_placeholder":true,"num":0}]`, "old", `{"_placeholder":true,"num":0} new`},
		{`51-/chat,["bytes","x",{"_placeholder":true,"num":0}]`, "old", `[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}] new old`},
		{`51-/chat,["read",{"_placeholder":true,"num":0}]`, "whole", `{"_placeholder":true,"num":0} whole`},
	} {
		c.send(row.sent)
		if row.bytes != "" {
			c.sendBinary(row.bytes)
		}
		if got := receive(t, typed); got != row.want {
			t.Errorf("%s: the handler gets %s, want %s", row.sent, got, row.want)
		}
		if got := receive(t, listened); len(got) < 1 {
			t.Errorf("%s: the listener gets %v", row.sent, got)
		}
	}
	c.send(`2/chat,["worse","x"]`)
	if got := receive(t, typed); got != "error" {
		t.Errorf("what cannot be encoded: %q", got)
	}
	c.send(`2/chat,["no name","x"]`)
	c.send(`2/chat,["say","the next"]`)
	if got := receive(t, typed); got != `"the next"` {
		t.Errorf("an event without a name: %q", got)
	}
}

func TestSameValue(t *testing.T) {
	for _, tt := range []struct {
		a, b any
		want bool
	}{
		{nil, nil, true}, {nil, 1.0, false}, {1.0, nil, false}, {1.0, 1.0, true}, {1.0, 1, false}, {"a", "a", true}, {"a", "b", false},
		{[]any{1.0, "a"}, []any{1.0, "a"}, true}, {[]any{1.0}, []any{1.0, 2.0}, false}, {[]any{1.0}, []any{2.0}, false}, {[]any{1.0}, "a", false},
		{map[string]any{"a": nil}, map[string]any{"a": nil}, true}, {map[string]any{"a": nil}, map[string]any{"b": nil}, false},
		{map[string]any{"a": 1.0}, map[string]any{"a": 2.0}, false}, {map[string]any{}, nil, false},
		{"a", []byte("a"), false}, {"a", map[string]any{}, false}, {nil, []byte("a"), false},
	} {
		if got := sameValue(tt.a, tt.b); got != tt.want {
			t.Errorf("sameValue(%v, %v) = %v", tt.a, tt.b, got)
		}
		if !sameValue(tt.a, copyLists(tt.a)) {
			t.Errorf("a copy of %v differs", tt.a)
		}
	}
}
