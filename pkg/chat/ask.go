package chat

import (
	"context"
	"errors"
	"log/slog"
	"unicode/utf8"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// The codes of a Problem.
const (
	NotJoined   = "not_joined"
	BadRequest  = "bad_request"
	Forbidden   = "forbidden"
	TooMany     = "too_many"
	TooLarge    = "too_large"
	NotFound    = "not_found"
	Unavailable = "unavailable"
	Off         = "off"
)

// A Problem is why a request is not done. The client reads both.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (p *Problem) Error() string { return p.Message }

// failed is the acknowledgement of a request that is not done.
type failed struct {
	Error *Problem `json:"error"`
}

// An encodable answer has a form of its own on the wire.
type encodable interface{ wire() any }

// ask registers an event that is acknowledged with an A, or a Problem.
func ask[T, A any](g *Gateway, event string, h func(ctx context.Context, s *socket.Socket, in T) (A, error)) {
	socketio.OnRequest(g.chat, event, func(ctx context.Context, s *socket.Socket, r socketio.Request) error {
		answer := r.Later()
		var in T
		if r.Arg(0).Decode(&in) != nil {
			answer(failed{&Problem{BadRequest, "the argument of " + event + " is not as the protocol says"}})
			return nil
		}
		out, err := h(ctx, s, in)
		if err != nil {
			answer(g.problem(event, err))
			return nil
		}
		if w, ok := any(out).(encodable); ok {
			answer(w.wire())
			return nil
		}
		answer(out)
		return nil
	})
}

// problem is what a client is told of an error. What it may not read goes to the log.
func (g *Gateway) problem(event string, err error) failed {
	var known *Problem
	if errors.As(err, &known) {
		return failed{known}
	}
	var told *socketio.Exception
	if errors.As(err, &told) {
		return failed{&Problem{BadRequest, told.Message}}
	}
	g.sparing.Warn(event, "a request could not be answered", slog.String("event", event), slog.Any("error", err))
	return failed{&Problem{Unavailable, "try again later"}}
}

// maxID bounds the id that a client gives its message, in characters.
const maxID = 64

func tooLong(s string, most int) bool { return len(s) > most && utf8.RuneCountInString(s) > most }
