package socketio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/zishang520/socket.io/v2/socket"
)

// EmitServers sends an event to the other instances of the namespace; [OnServer] receives it there. It returns an error where there are none
// by construction (an adapter in memory), or when the event cannot be sent.
func (ns *Namespace) EmitServers(event string, args ...any) error {
	return ns.ServerSideEmit(event, args...)
}

// OnServer adds a handler of an event that another instance sends with [Namespace.EmitServers], or a Node server with serverSideEmit. The
// arguments map to a T as in [On]. If the sender waits for an answer ([CallServers]), it gets what the handler returns; an error is logged and
// leaves it without an answer. The handler runs on the goroutine that reads from the other instances: it must not wait for them.
func OnServer[T, R any](ns *Namespace, event string, h func(ctx context.Context, in T) (R, error)) error {
	if socket.NAMESPACE_RESERVED_EVENTS.Has(event) {
		return fmt.Errorf("socketio: %q is a reserved event name", event)
	}
	return ns.On(event, func(args ...any) {
		var ack socket.Ack
		if n := len(args); n > 0 {
			if f, ok := args[n-1].(socket.Ack); ok { // the sender waits for an answer
				ack, args = f, args[:n-1]
			}
		}
		answer, err := runServerHandler(h, args)
		switch {
		case err != nil:
			ns.server.log.Error("handler of an event of another instance failed", slog.String("namespace", ns.Name()),
				slog.String("event", event), slog.Any("error", err))
		case ack != nil:
			ack([]any{answer}, nil)
		}
	})
}

func runServerHandler[T, R any](h func(context.Context, T) (R, error), args []any) (R, error) {
	var in T
	var none R
	p, err := encodeArgs(args)
	if err != nil {
		return none, err
	}
	if err := p.Decode(&in); err != nil {
		return none, err
	}
	return h(context.Background(), in)
}

// CallServers sends an event to the other instances and waits until each has answered. When some do not, it returns the answers that have
// come and an error. ctx needs a deadline; the adapter has a limit of its own, too (five seconds, as in Node).
func CallServers[R any](ctx context.Context, ns *Namespace, event string, args ...any) ([]R, error) {
	if _, ok := ctx.Deadline(); !ok {
		return nil, ErrNoDeadline
	}
	type result struct {
		args []any
		err  error
	}
	answered := make(chan result, 1)
	err := ns.ServerSideEmitWithAck(event, args...)(func(args []any, err error) {
		select {
		case answered <- result{args, err}:
		default:
		}
	})
	if err != nil {
		return nil, fmt.Errorf("socketio: call servers %q: %w", event, err)
	}
	select {
	case r := <-answered:
		answers, err := decodeEach[R](r.args)
		return answers, errors.Join(r.err, err)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func decodeEach[R any](values []any) ([]R, error) {
	list := make([]R, 0, len(values))
	for _, v := range values {
		p, err := encodeOne(v)
		if err != nil {
			return list, err
		}
		var r R
		if err := p.Decode(&r); err != nil {
			return list, err
		}
		list = append(list, r)
	}
	return list, nil
}
