package socketio

import (
	"context"
	"errors"
	"log/slog"

	"github.com/zishang520/socket.io/v2/socket"
)

// An AdmissionError is an error of [Namespace.Admit] that the client may read: its connect_error has Message as message and, from 3.x on, Data
// as data. 1.x and 2.x get Data, or Message where it is nil, as "error".
type AdmissionError struct {
	Message string
	Data    any // what encoding/json takes; nil: none
}

func (e *AdmissionError) Error() string { return e.Message }

// Use adds a middleware of the library's form; [Namespace.Admit] is shorter. With [Recovery].SkipMiddlewares it does not run for sockets that are
// recovered. (Those added to the library's own namespace, IO().Of(…), always run.)
func (ns *Namespace) Use(f func(s *socket.Socket, next func(*socket.ExtendedError))) socket.Namespace {
	if ns.server.opts.Recovery.SkipMiddlewares {
		every := f
		f = func(s *socket.Socket, next func(*socket.ExtendedError)) {
			if s.Recovered() {
				next(nil)
				return
			}
			every(s, next)
		}
	}
	return ns.Namespace.Use(f)
}

// Admit adds a middleware that decides whether a socket may join the namespace, before OnConnect. An error refuses it. The client gets that of
// a [*AdmissionError] in the error's chain; any other is logged and told as "Internal server error". ctx ends when the connection does.
// Several middlewares, those of Use included, run in the order in which they were added.
func (ns *Namespace) Admit(f func(ctx context.Context, s *socket.Socket) error) {
	ns.Use(func(s *socket.Socket, next func(*socket.ExtendedError)) {
		var ctx context.Context = context.Background()
		if l := linkOf(s); l != nil {
			ctx = l
		}
		err := errors.New("the middleware panicked")
		returned := guard(ns.server.log, "middleware", func() { err = f(ctx, s) })
		if err == nil {
			next(nil)
			return
		}
		var told *AdmissionError
		if errors.As(err, &told) {
			next(socket.NewExtendedError(told.Message, told.Data))
			return
		}
		if returned {
			ns.server.log.Error("middleware failed", slog.String("namespace", ns.Name()),
				slog.String("socket", string(s.Id())), slog.Any("error", err))
		}
		next(socket.NewExtendedError(internalError, nil))
	})
}
