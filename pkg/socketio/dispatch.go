package socketio

import (
	"log/slog"
	"sync/atomic"

	"github.com/zishang520/socket.io/v2/socket"
)

// onEvent runs what listens to an event, on this goroutine, in Node's order: OnAny listeners,
// middlewares of Socket.Use, then the listeners, the namespace's typed handlers before the socket's
// own. Arguments are decoded only for those that want them decoded. A middleware may rename the event
// and change its arguments.
func (l *link) onEvent(p *Packet) {
	if !l.sock.Connected() || len(p.Args) == 0 {
		return // it was disconnected while this was under way; or the event has no name
	}
	handlers := l.ns.handlersOf(p)
	fns := middlewares(l.sock)
	anyListeners := l.sock.ListenersAny()
	listened := l.listens(p)
	l.ns.traffic.receivedEvent(p, listened || len(handlers) > 0)
	if fns.Len() == 0 && len(anyListeners) == 0 && !listened {
		p.event.link, p.event.args, p.event.id, p.event.longID = l, p.Args, p.ID, p.longID
		p.event.handle(handlers)
		return
	}

	// What follows may keep the packet's parts for longer than the packet.
	ev := &incoming{link: l, args: append([]Payload(nil), p.Args...), id: p.ID, longID: p.longID}
	args, err := ev.libraryArgs(p.Event())
	if err != nil {
		l.conn.protocolError(err)
		return
	}
	log := l.conn.server.log
	for _, f := range anyListeners {
		guard(log, p.Event(), func() { f(args...) })
	}
	if fns.Len() == 0 {
		ev.deliver(handlers, args)
		return
	}
	draft := newDraft(args)
	guard(log, "middleware", func() {
		runMiddlewares(fns.All(), args, func(err error) {
			var name string
			if err == nil {
				name, err = draft.apply(ev)
			}
			if err != nil {
				l.sock.EmitReserved("error", err)
				return
			}
			ev.deliver((*l.ns.handlers.Load())[name], args)
		})
	})
}

// deliver calls the namespace's handlers, then the socket's listeners.
func (ev *incoming) deliver(handlers []handler, args []any) {
	sock := ev.link.sock
	if !sock.Connected() {
		return
	}
	ev.handle(handlers)
	if name, ok := args[0].(string); ok {
		sock.EmitUntyped(name, args[1:]...)
	}
}

func (l *link) listens(p *Packet) bool {
	if name, plain := p.plainEvent(); plain {
		return l.emitter.listens(name)
	}
	return l.emitter.listens([]byte(p.Event()))
}

// runMiddlewares calls fns one after another, each when the one before it says so, then done.
func runMiddlewares(fns []socket.SocketMiddleware, args []any, done func(error)) {
	if len(fns) == 0 {
		done(nil)
		return
	}
	fns[0](args, func(err error) {
		if err != nil {
			done(err)
			return
		}
		runMiddlewares(fns[1:], args, done)
	})
}

// incoming is one event and the acknowledgement it asks for.
type incoming struct {
	link   *link
	args   []Payload // the name first
	id     *uint64   // nil: none asked for
	longID []byte    // its digits, if it is longer than that
	acked  atomic.Bool
}

// libraryArgs returns the name, the decoded arguments, and the acknowledgement if one is asked for.
func (ev *incoming) libraryArgs(name string) ([]any, error) {
	args, err := values(ev.args)
	if err != nil {
		return nil, err
	}
	args[0] = name
	if ev.id != nil {
		args = append(args, func(answer []any, _ error) { ev.acknowledge(answer...) }) // a socket.Ack
	}
	return args, nil
}

// acknowledge answers, once, if an answer was asked for.
func (ev *incoming) acknowledge(answer ...any) {
	if ev.id == nil || ev.acked.Swap(true) {
		return
	}
	data, err := EncodeData(answer)
	if err != nil {
		ev.link.conn.server.log.Error("acknowledgement dropped: it cannot be encoded",
			slog.String("namespace", ev.link.name), slog.Any("error", err))
		return
	}
	if ev.link.sock.Connected() {
		ev.link.conn.send(ackFrames(ev, data), data.Packed)
	}
}

// onAck calls the function that waits for the answer to an event of ours. An id that nobody waits for is ignored,
// as Node does: the wait may have timed out.
func (l *link) onAck(p *Packet) {
	if p.ID == nil || p.longID != nil {
		return
	}
	log := l.conn.server.log
	if raw := l.takeRaw(*p.ID); raw != nil {
		guard(log, "ack", func() { raw(append([]Payload(nil), p.Args...)) })
		return
	}
	ack, ok := l.sock.Acks().LoadAndDelete(*p.ID)
	if !ok {
		return
	}
	args, err := values(p.Args)
	if err != nil {
		l.conn.protocolError(err)
		return
	}
	guard(log, "ack", func() { ack(args, nil) })
}
