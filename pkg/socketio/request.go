package socketio

import (
	"bytes"
	"context"

	"github.com/zishang520/socket.io/v2/socket"
)

// A Request is an event with its arguments apart, and the acknowledgement that the client may have asked for. It is valid until the handler
// returns; what Later returns is valid afterwards.
type Request struct{ ev *incoming }

// Len is how many arguments the event has.
func (r Request) Len() int { return len(r.ev.args) - 1 }

// Arg returns an argument, JSON null if there are fewer.
func (r Request) Arg(i int) Payload {
	if i >= r.Len() {
		return Payload{JSON: null}
	}
	return r.ev.args[1+i]
}

// Payload is the arguments as one value, as [On] maps them.
func (r Request) Payload() Payload { return joinArgs(r.ev.args[1:]) }

// Asked tells whether the client waits for an acknowledgement.
func (r Request) Asked() bool { return r.ev.id != nil }

// Later takes the acknowledgement over: what it returns sends it, once, from any goroutine. Whatever is never sent leaves the client waiting.
// If the client did not ask, calls do nothing.
func (r Request) Later() func(answer any) {
	if r.ev.id == nil || r.ev.acked.Swap(true) {
		return func(any) {}
	}
	id := *r.ev.id
	later := &incoming{link: r.ev.link, id: &id, longID: bytes.Clone(r.ev.longID)}
	return func(answer any) { later.acknowledge(answer) }
}

// OnRequest is [On] for a handler that tells arguments apart, or acknowledges when it has returned. An error is told as On says.
func OnRequest(ns *Namespace, event string, h func(ctx context.Context, s *socket.Socket, r Request) error) {
	ns.handle(event, func(ev *incoming) (func(), error) {
		return nil, h(ev.link, ev.link.sock, Request{ev})
	})
}
