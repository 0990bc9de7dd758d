package socketio

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"

	"github.com/zishang520/socket.io/v2/socket"
)

// A handler runs one typed event. It is kept once for a namespace, not for each socket.
type handler func(ev *incoming)

// On adds a handler of an event of the namespace. It runs for each socket, on the goroutine that
// reads from the client: the client's next packet waits until it returns. It must not wait for
// another packet of the same client.
//
// The arguments become in as in a NestJS gateway: one argument is itself, none is null, several are
// one array. With T = [Payload] the JSON stays as it came; any other T is decoded by encoding/json.
//
// Without an error nothing is sent: an acknowledgement the client asked for stays unanswered. With
// one (or when the arguments do not fit T, or h panics), the client gets
//
//	exception {"status":"error","message":…}
//
// as an event and, if it asked for one, as the acknowledgement. The message is that of an
// [*Exception] in the error's chain. Any other error is logged and told as "Internal server error".
//
// ctx ends when the socket disconnects. Several handlers of one event run in the order they were
// added; so do the library's listeners, after them. On is safe for concurrent use.
func On[T any](ns *Namespace, event string, h func(ctx context.Context, s *socket.Socket, in T) error) {
	ns.handle(event, func(ev *incoming) (func(), error) {
		in, err := decodeArgs[T](ev)
		if err != nil {
			return nil, err
		}
		return nil, h(ev.link, ev.link.sock, in)
	})
}

// Handle is On for a handler with a result, which acknowledges the event if the client asked for
// that. R may be anything that EncodeData takes.
func Handle[T, R any](ns *Namespace, event string, h func(ctx context.Context, s *socket.Socket, in T) (R, error)) {
	ns.handle(event, func(ev *incoming) (func(), error) {
		in, err := decodeArgs[T](ev)
		if err != nil {
			return nil, err
		}
		out, err := h(ev.link, ev.link.sock, in)
		if err != nil {
			return nil, err
		}
		return func() { ev.acknowledge(out) }, nil
	})
}

// An Exception is an error whose message the client may read.
type Exception struct{ Message string }

func (e *Exception) Error() string { return e.Message }

// errPayload is told to a client whose arguments do not fit the handler.
var errPayload = &Exception{Message: "Invalid payload"}

// internalError is what a client is told of any other error.
const internalError = "Internal server error"

// exception is the form that NestJS gives errors.
type exception struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// handle registers run, which returns what to do on success.
func (ns *Namespace) handle(event string, run func(*incoming) (func(), error)) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	m := maps.Clone(*ns.handlers.Load())
	m[event] = append(slices.Clip(m[event]), func(ev *incoming) {
		var done func()
		err := errors.New("the handler panicked")
		returned := guard(ns.server.log, event, func() { done, err = run(ev) })
		if err != nil {
			ev.fail(event, err, returned)
		} else if done != nil {
			done()
		}
	})
	ns.handlers.Store(&m)
	ns.traffic.received.of([]byte(event), true) // counted from zero
}

// handlersOf finds the handlers of an event.
func (ns *Namespace) handlersOf(p *Packet) []handler {
	m := *ns.handlers.Load()
	if name, plain := p.plainEvent(); plain {
		return m[string(name)]
	}
	return m[p.Event()]
}

func (ev *incoming) handle(list []handler) {
	for _, h := range list {
		h(ev)
	}
}

// fail tells the client of an error, and the log of one that the client may not read.
func (ev *incoming) fail(event string, err error, log bool) {
	message := internalError
	var told *Exception
	if errors.As(err, &told) {
		message = told.Message // a refusal, no failure
	} else {
		ev.link.ns.traffic.errors.Add(1)
	}
	if told == nil && log {
		ev.link.conn.server.log.Error("handler failed", slog.String("namespace", ev.link.name),
			slog.String("socket", string(ev.link.sock.Id())), slog.String("event", event), slog.Any("error", err))
	}
	answer := exception{Status: "error", Message: message}
	_ = ev.link.sock.Emit("exception", answer) // fails only for reserved names
	ev.acknowledge(answer)
}

// decodeArgs applies the rule of On.
func decodeArgs[T any](ev *incoming) (in T, err error) {
	p := joinArgs(ev.args[1:])
	if raw, ok := any(&in).(*Payload); ok {
		*raw = p
		return in, nil
	}
	if err := p.Decode(&in); err != nil {
		ev.link.conn.server.log.Debug("arguments do not fit the handler", slog.Any("error", err))
		return in, errPayload
	}
	return in, nil
}

// joinArgs is the mapping of NestJS's socket.io adapter, of JSON texts.
func joinArgs(args []Payload) Payload {
	switch len(args) {
	case 0:
		return Payload{JSON: null}
	case 1:
		return args[0]
	}
	n := len(args) + 1
	for _, a := range args {
		n += len(a.JSON)
	}
	b := append(make([]byte, 0, n), '[')
	for i, a := range args {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, a.JSON...)
	}
	return Payload{JSON: append(b, ']'), Attachments: args[0].Attachments, Packed: joinPacked(args)}
}
