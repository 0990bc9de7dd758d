//go:build unix

package suites

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/socketio"
)

// onSocket runs f for each socket that has connected to a namespace.
func onSocket(ns *socketio.Namespace, f func(s *socket.Socket)) {
	ns.OnConnect(func(_ context.Context, s *socket.Socket) error {
		f(s)
		return nil
	})
}

// listen calls f with the arguments of an event, and its acknowledgement or nil.
func listen(s *socket.Socket, event string, f func(args []any, ack socket.Ack)) {
	_ = s.On(event, func(args ...any) {
		if n := len(args); n > 0 {
			if ack, ok := args[n-1].(socket.Ack); ok {
				f(args[:n-1], ack)
				return
			}
			if ack, ok := args[n-1].(func([]any, error)); ok {
				f(args[:n-1], ack)
				return
			}
		}
		f(args, nil)
	})
}

// protocolServer is what the suite of the Socket.IO protocol expects: it tells a client its auth, sends messages
// back and acknowledges with what it got.
func protocolServer(t *testing.T) http.Handler {
	io := newServer(t, socketio.Options{Engine: heartbeat, ConnectTimeout: time.Second})
	for _, name := range []string{"/", "/custom"} {
		onSocket(io.Of(name), func(s *socket.Socket) {
			_ = s.Emit("auth", s.Handshake().Auth)
			listen(s, "message", func(args []any, _ socket.Ack) { _ = s.Emit("message-back", args...) })
			listen(s, "message-with-ack", func(args []any, ack socket.Ack) { ack(args, nil) })
		})
	}
	return io
}

// stageServer is what the suite of the JavaScript client expects of its server.
func stageServer(t *testing.T) http.Handler {
	io := newServer(t, socketio.Options{
		Engine:   engineio.Options{PingInterval: 2 * time.Second},
		Recovery: socketio.Recovery{For: 2 * time.Minute},
	})
	io.Of("/").Use(func(s *socket.Socket, next func(*socket.ExtendedError)) {
		if _, fail := s.Handshake().Query["fail"]; fail {
			next(socket.NewExtendedError("Auth failed (main namespace)", nil))
			return
		}
		next(nil)
	})
	io.Of("/no").Use(func(_ *socket.Socket, next func(*socket.ExtendedError)) {
		next(socket.NewExtendedError("Auth failed (custom namespace)", nil))
	})
	onSocket(io.Of("/foo"), answerID)
	onSocket(io.Of("/abc"), func(s *socket.Socket) { _ = s.Emit("handshake", handshakeOf(s)) })
	for _, name := range []string{"/asd", "/valid", "/timeout_socket"} {
		io.Of(name)
	}
	onSocket(io.Of("/"), func(s *socket.Socket) {
		answerID(s)
		stageValues(s)
		stageBytes(s)
		listen(s, "getHandshake", func(_ []any, ack socket.Ack) { ack([]any{handshakeOf(s)}, nil) })
	})
	return io
}

func answerID(s *socket.Socket) {
	listen(s, "getId", func(_ []any, ack socket.Ack) { ack([]any{s.Id()}, nil) })
}

func handshakeOf(s *socket.Socket) map[string]any {
	h := s.Handshake()
	query := map[string]any{}
	for name, values := range h.Query {
		query[name] = values[0]
	}
	return map[string]any{"query": query, "auth": h.Auth, "headers": h.Headers}
}

// utf8Texts are texts outside ASCII, one with a line separator.
var utf8Texts = []string{"てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"}

func stageValues(s *socket.Socket) {
	listen(s, "hi", func([]any, socket.Ack) { _ = s.Emit("hi") })
	listen(s, "echo", func(args []any, ack socket.Ack) { ack(args, nil) })
	listen(s, "ack", func([]any, socket.Ack) {
		s.EmitWithAck("ack")(func(answer []any, err error) {
			if err != nil || len(answer) != 2 || answer[0] != 5.0 {
				return
			}
			if m, ok := answer[1].(map[string]any); ok && m["test"] == true {
				_ = s.Emit("got it")
			}
		})
	})
	listen(s, "getAckDate", func(_ []any, ack socket.Ack) { ack([]any{time.Now()}, nil) })
	listen(s, "getDate", func([]any, socket.Ack) { _ = s.Emit("takeDate", time.Now()) })
	listen(s, "getDateObj", func([]any, socket.Ack) { _ = s.Emit("takeDateObj", map[string]any{"date": time.Now()}) })
	listen(s, "getUtf8", func([]any, socket.Ack) {
		for _, text := range utf8Texts {
			_ = s.Emit("takeUtf8", text)
		}
	})
	listen(s, "false", func([]any, socket.Ack) { _ = s.Emit("false", false) })
}

// isBytes tells an attachment.
func isBytes(v any) bool {
	_, ok := v.(types.BufferInterface)
	return ok
}

func stageBytes(s *socket.Socket) {
	doge := []byte("asdfasdf")
	listen(s, "doge", func([]any, socket.Ack) { _ = s.Emit("doge", doge) })
	listen(s, "getbin", func([]any, socket.Ack) { _ = s.Emit("takebin", doge) })
	listen(s, "buffa", func(args []any, _ socket.Ack) {
		if isBytes(args[0]) {
			_ = s.Emit("buffack")
		}
	})
	listen(s, "jsonbuff", func(args []any, _ socket.Ack) {
		m, _ := args[0].(map[string]any)
		if m["hello"] == "lol" && isBytes(m["message"]) && m["goodbye"] == "gotcha" {
			_ = s.Emit("jsonbuff-ack")
		}
	})
	var order []string
	for _, name := range []string{"abuff1", "abuff2", "blob1", "blob2", "blob3"} {
		listen(s, name, func(args []any, _ socket.Ack) {
			if name == "abuff1" || name == "blob1" || name == "blob3" {
				if !isBytes(args[0]) {
					s.EmitReserved("error", errors.New("not bytes"))
					return
				}
			}
			order = append(order, name)
			switch {
			case name == "abuff2" && order[0] == "abuff1":
				_ = s.Emit("abuff2-ack")
			case name == "blob3" && len(order) == 3 && order[0] == "blob1" && order[1] == "blob2":
				_ = s.Emit("blob3-ack")
			}
		})
	}
}
