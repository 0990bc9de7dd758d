//go:build unix

package suites

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// TestServerMiddleware lets functions decide on who may join a namespace, and on what a socket may send.
func TestServerMiddleware(t *testing.T) {
	type next = func(*socket.ExtendedError)
	for _, nsp := range []string{"/", "/custom"} {
		t.Run("in order, before the connection, in "+nsp, func(t *testing.T) {
			io := newServer(t, socketio.Options{})
			ns := io.Of(nsp)
			var order []string
			ns.Use(func(s *socket.Socket, next next) {
				if s.Connected() {
					t.Error("connected already")
				}
				order = append(order, "first")
				go func() { // it takes its time
					time.Sleep(time.Millisecond)
					next(nil)
				}()
			})
			ns.Use(func(s *socket.Socket, next next) {
				order = append(order, "second")
				s.SetData("from the middleware")
				next(nil)
			})
			connected := make(chan struct{})
			onSocket(ns, func(s *socket.Socket) {
				defer close(connected)
				order = append(order, "connection")
				if !s.Connected() || s.Data() != "from the middleware" {
					t.Errorf("connected %v, data %v", s.Connected(), s.Data())
				}
			})
			join(t, io, ns)
			<-connected
			if want := []string{"first", "second", "connection"}; !slices.Equal(order, want) {
				t.Errorf("order is %v, want %v", order, want)
			}
		})
	}
	t.Run("errors, with data", func(t *testing.T) {
		io := newServer(t, socketio.Options{})
		ns := io.Of("/")
		ns.Use(func(_ *socket.Socket, next next) {
			next(socket.NewExtendedError("Authentication error", map[string]any{"a": "b", "c": 3}))
		})
		ns.Use(func(*socket.Socket, next) { t.Error("the next middleware is called after an error") })
		onSocket(ns, func(*socket.Socket) { t.Error("it is connected after an error") })
		message, data := sockettest.Refused(t, io, "/")
		if message != "Authentication error" || string(data.JSON) != `{"a":"b","c":3}` {
			t.Errorf("refused with %q, %s", message, data.JSON)
		}
	})
	t.Run("rooms of a socket that was refused", func(t *testing.T) {
		io := newServer(t, socketio.Options{})
		ns := io.Of("/")
		var refused *socket.Socket
		ns.Use(func(s *socket.Socket, next next) {
			refused = s
			s.Join("room1")
			next(socket.NewExtendedError("nope", nil))
		})
		sockettest.Refused(t, io, "/")
		if rooms := refused.Rooms(); rooms != nil && rooms.Len() > 0 {
			t.Errorf("it is still in %v", rooms.Keys())
		}
	})
	t.Run("each namespace has its own", func(t *testing.T) {
		io := newServer(t, socketio.Options{})
		calls := map[string]int{}
		for _, nsp := range []string{"/", "/chat"} {
			io.Of(nsp).Use(func(_ *socket.Socket, next next) {
				calls[nsp]++
				next(nil)
			})
		}
		join(t, io, io.Of("/chat"))
		if calls["/"] != 0 || calls["/chat"] != 1 {
			t.Errorf("calls: %v", calls)
		}
	})
	t.Run("of a socket, for each event", func(t *testing.T) {
		io := newServer(t, socketio.Options{})
		ns := io.Of("/")
		var seen []any
		onSocket(ns, func(s *socket.Socket) {
			s.Use(func(args []any, next func(error)) {
				seen = append(seen, args[0])
				if args[0] == "forbidden" {
					next(errors.New("unauthorized event"))
					return
				}
				next(nil)
			})
			_ = s.On("error", func(args ...any) { _ = s.Emit("told", args[0].(error).Error()) })
			listen(s, "forbidden", func([]any, socket.Ack) { t.Error("the listener is called") })
			listen(s, "allowed", func(_ []any, ack socket.Ack) { ack([]any{"ok"}, nil) })
		})
		c := join(t, io, ns)
		c.Emit("forbidden")
		var message string
		if c.Expect("told", &message); message != "unauthorized event" {
			t.Errorf("the error is %q", message)
		}
		if answer := c.Call("allowed"); string(answer.JSON) != `"ok"` {
			t.Errorf("answered %s", answer.JSON)
		}
		if !slices.Equal(seen, []any{"forbidden", "allowed"}) {
			t.Errorf("seen: %v", seen)
		}
	})
}
