package socketio

import (
	"context"
	"errors"
	"fmt"

	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"
)

// ErrDisconnected is returned by [Call] when the socket disconnects before the client has answered.
var ErrDisconnected = errors.New("socketio: the socket is disconnected")

// Call emits an event to one client and waits for its acknowledgement, which it decodes into an R. The arguments of the acknowledgement
// map as those of [On]: one is itself, none is null, several are one array; with R = [Payload] the JSON stays as it came.
//
// Call returns [ErrDisconnected], or the cause of ctx, if the client does not answer; use a context with a deadline, since a client need not
// answer at all. Nothing of the call remains afterwards; an answer that comes later is ignored, as in Node.
//
// Call must not run on the goroutine that handles the same client's events, which is where [On] and [Handle] run: the answer is behind it in
// the queue. Start a goroutine there. OnConnect runs before the client's packets are read, too.
func Call[R any](ctx context.Context, s *socket.Socket, event string, args ...any) (R, error) {
	var answer R
	p, err := call(ctx, s, event, args)
	if err != nil {
		return answer, err
	}
	if err := p.Decode(&answer); err != nil {
		return answer, fmt.Errorf("socketio: the acknowledgement of %q: %w", event, err)
	}
	return answer, nil
}

func call(ctx context.Context, s *socket.Socket, event string, args []any) (Payload, error) {
	l := linkOf(s)
	if l == nil {
		return Payload{}, fmt.Errorf("socketio: call %q: the socket is not one of this package's servers", event)
	}
	data := append(append(make([]any, 0, 1+len(args)), event), args...)
	encoded, err := encodeEvent(data)
	if err != nil {
		return Payload{}, fmt.Errorf("socketio: call %q: %w", event, err)
	}
	id := s.Nsp().Ids()
	answered := make(chan []Payload, 1)
	l.expectRaw(id, func(list []Payload) { answered <- list })
	defer l.takeRaw(id)
	if !s.Connected() {
		return Payload{}, ErrDisconnected
	}
	s.NotifyOutgoingListeners()(&parser.Packet{Type: parser.EVENT, Nsp: l.name, Data: data, Id: &id})
	l.conn.send(newFrames(Event, l.name, &id, encoded), encoded.Packed)
	select {
	case list := <-answered:
		return joinArgs(list), nil
	case <-l.Done():
		return Payload{}, ErrDisconnected
	case <-ctx.Done():
		return Payload{}, context.Cause(ctx)
	}
}

// encodeEvent is EncodeData for an event of the application, whose name must not be one of those that the protocol uses itself.
func encodeEvent(data []any) (Payload, error) {
	if name, ok := data[0].(string); ok && socket.SOCKET_RESERVED_EVENTS.Has(name) {
		return Payload{}, fmt.Errorf("%q is a reserved event name", name)
	}
	return EncodeData(data)
}

// encodeOne encodes a single value.
func encodeOne(v any) (Payload, error) {
	if p, ok := v.(Payload); ok {
		return p, nil
	}
	var e valueEncoder
	err := e.value(v, 1)
	if err == nil {
		err = e.check()
	}
	return Payload{JSON: e.buf, Attachments: e.attachments}, err
}

// encodeArgs is joinArgs of values.
func encodeArgs(args []any) (Payload, error) {
	switch len(args) {
	case 0:
		return Payload{JSON: null}, nil
	case 1:
		return encodeOne(args[0])
	}
	return EncodeData(args)
}
