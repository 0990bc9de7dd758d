package socketio

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// TestRequestTellsArgumentsApart: a handler sees how many arguments came, each by itself, and all of them as On would have them.
func TestRequestTellsArgumentsApart(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		seen := make(chan string, 1)
		OnRequest(s.Of("/chat"), "ask", func(_ context.Context, _ *socket.Socket, r Request) error {
			seen <- fmt.Sprintf("%d: %s %s %s, asked %t", r.Len(), r.Arg(0).JSON, r.Arg(1).JSON, r.Payload().JSON, r.Asked())
			return nil
		})
		c := s.dialJoined(t, protocol, "/chat")
		for _, row := range []struct{ sent, want string }{
			{`2/chat,["ask"]`, `0: null null null, asked false`},
			{`2/chat,7["ask"]`, `0: null null null, asked true`},
			{`2/chat,["ask",1]`, `1: 1 null 1, asked false`},
			{`2/chat,["ask",null]`, `1: null null null, asked false`},
			{`2/chat,0["ask",{"a":1}, [2]]`, `2: {"a":1} [2] [{"a":1},[2]], asked true`},
			{`2/chat,["ask",1,2,3]`, `3: 1 2 [1,2,3], asked false`},
		} {
			c.send(row.sent)
			if got := receive(t, seen); got != row.want {
				t.Errorf("%s: got  %s\nwant %s", row.sent, got, row.want)
			}
		}
	})
}

// TestRequestAnsweredLater: what Later returns acknowledges once, with the id of its own event, after the handler has returned and others have
// run.
func TestRequestAnsweredLater(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		answers := make(chan func(any), 4)
		OnRequest(s.Of("/chat"), "ask", func(_ context.Context, _ *socket.Socket, r Request) error {
			answers <- r.Later()
			r.Later()("the second time it is taken over")
			return nil
		})
		c := s.dialJoined(t, protocol, "/chat")
		c.send(`2/chat,1["ask"]`)
		c.send(`2/chat,["ask"]`)
		c.send(`2/chat,184467440737095516160["ask"]`) // longer than 64 bits: it is answered as it came
		first, unasked, long := receive(t, answers), receive(t, answers), receive(t, answers)
		long("long")
		unasked("nobody waits for it")
		first([]byte("A"))
		first("the second time")
		c.want(`3/chat,184467440737095516160["long"]`, `61-/chat,1[`+ph0+`]`, "b:A")
		s.Of("/chat").Broadcast("end")
		c.want(`2/chat,["end"]`)
	})
}

// TestRequestFails: an error is told as an exception, and acknowledges unless that was taken over.
func TestRequestFails(t *testing.T) {
	const refused, internal = `{"status":"error","message":"not now"}`, `{"status":"error","message":"Internal server error"}`
	for _, row := range []struct {
		name    string
		sent    string
		later   bool
		err     error
		packets []string
	}{
		{"not asked", `2/chat,["ask"]`, false, &Exception{"not now"}, []string{`2/chat,["exception",` + refused + `]`}},
		{"asked", `2/chat,5["ask"]`, false, &Exception{"not now"}, []string{`2/chat,["exception",` + refused + `]`, `3/chat,5[` + refused + `]`}},
		{"asked, within another error", `2/chat,5["ask"]`, false, fmt.Errorf("while: %w", &Exception{"not now"}),
			[]string{`2/chat,["exception",` + refused + `]`, `3/chat,5[` + refused + `]`}},
		{"a secret", `2/chat,5["ask"]`, false, errors.New("secret"), []string{`2/chat,["exception",` + internal + `]`, `3/chat,5[` + internal + `]`}},
		{"taken over", `2/chat,5["ask"]`, true, &Exception{"not now"}, []string{`2/chat,["exception",` + refused + `]`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newTestServer(t, Options{})
			chat := s.Of("/chat")
			OnRequest(chat, "ask", func(_ context.Context, _ *socket.Socket, r Request) error {
				if row.later {
					r.Later()
				}
				return row.err
			})
			c := s.dialJoined(t, 4, "/chat")
			c.send(row.sent)
			c.want(row.packets...)
			chat.Broadcast("end")
			c.want(`2/chat,["end"]`)
		})
	}
}

// TestAcknowledgedAfterTheEnd: an answer for a client that has left the namespace goes nowhere, also when it has joined again: the number may be
// one of its new socket.
func TestAcknowledgedAfterTheEnd(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		answers := make(chan func(any), 1)
		OnRequest(s.Of("/chat"), "ask", func(_ context.Context, _ *socket.Socket, r Request) error {
			answers <- r.Later()
			return nil
		})
		c := s.dialJoined(t, protocol, "/chat")
		c.send(`2/chat,1["ask"]`)
		answer := receive(t, answers)
		c.send("1/chat,")
		c.join("/chat")
		answer("too late")
		c.send(`2/chat,1["ask"]`)
		receive(t, answers)("in time")
		c.want(`3/chat,1["in time"]`)
	})
}
