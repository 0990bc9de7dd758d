package socketio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"
)

// A Target is a set of sockets of a namespace, on this instance and the others: those that a broadcast goes to. It is a value; each method
// that narrows it returns another one:
//
//	ns.Everybody().In("room 1", "room 2").Except("spectators").Broadcast("moved", move)
type Target struct {
	ns       *Namespace
	rooms    []socket.Room
	except   []socket.Room
	local    bool
	volatile bool
}

// Everybody is all sockets of the namespace.
func (ns *Namespace) Everybody() Target { return Target{ns: ns} }

// In narrows the target to the sockets that are in one of the rooms. Called again it adds rooms. A socket is in the room of its own id:
// In(socket.Room(id)) is one client.
func (t Target) In(rooms ...socket.Room) Target {
	t.rooms = append(slices.Clip(t.rooms), rooms...)
	return t
}

// Except leaves out the sockets that are in one of the rooms.
func (t Target) Except(rooms ...socket.Room) Target {
	t.except = append(slices.Clip(t.except), rooms...)
	return t
}

// ExceptSocket leaves out one socket, usually the sender's.
func (t Target) ExceptSocket(s *socket.Socket) Target { return t.Except(socket.Room(s.Id())) }

// Local narrows the target to the sockets of this instance.
func (t Target) Local() Target {
	t.local = true
	return t
}

// Volatile lets a broadcast be dropped for clients that are not ready for it. Recovery does not keep it.
func (t Target) Volatile() Target {
	t.volatile = true
	return t
}

func (t Target) options() *socket.BroadcastOptions {
	return &socket.BroadcastOptions{
		Rooms:  types.NewSet(t.rooms...),
		Except: types.NewSet(t.except...),
		Flags:  &socket.BroadcastFlags{Local: t.local, WriteOptions: socket.WriteOptions{Volatile: t.volatile}},
	}
}

// Broadcast emits an event to the target, encoded once for all receivers. It returns an error if the event cannot be encoded, or has a
// reserved name. It does not wait for anybody.
func (t Target) Broadcast(event string, args ...any) error {
	packet, err := t.packet(event, args)
	if err != nil {
		return err
	}
	t.ns.Adapter().Broadcast(packet, t.options())
	return nil
}

// BroadcastFrom is Broadcast for the handler of a client's event, with the ctx that the handler got; see [Namespace.BroadcastFrom].
func (t Target) BroadcastFrom(ctx context.Context, event string, args ...any) error {
	t.ns.charge(ctx, event, args, t.rooms)
	return t.Broadcast(event, args...)
}

// packet encodes the arguments, so that the caller hears of those that cannot be; the adapter takes them as they are then.
func (t Target) packet(event string, args []any) (*parser.Packet, error) {
	if socket.SOCKET_RESERVED_EVENTS.Has(event) {
		return nil, fmt.Errorf("socketio: broadcast: %q is a reserved event name", event)
	}
	data := append(make([]any, 0, 1+len(args)), event)
	for i, arg := range args {
		encoded, err := encodeOne(arg)
		if err != nil {
			return nil, fmt.Errorf("socketio: broadcast %q: argument %d: %w", event, i, err)
		}
		data = append(data, encoded)
	}
	return &parser.Packet{Type: parser.EVENT, Nsp: t.ns.Name(), Data: data}, nil
}

// Join makes the target's sockets join rooms. It does not wait until those of other instances have.
func (t Target) Join(rooms ...socket.Room) { t.ns.Adapter().AddSockets(t.options(), rooms) }

// Leave makes the target's sockets leave rooms. It does not wait until those of other instances have.
func (t Target) Leave(rooms ...socket.Room) { t.ns.Adapter().DelSockets(t.options(), rooms) }

// Disconnect makes the target's sockets leave the namespace; with closeConnection it closes their connections, other namespaces included.
func (t Target) Disconnect(closeConnection bool) {
	t.ns.Adapter().DisconnectSockets(t.options(), closeConnection)
}

// Sockets returns the target's sockets, those of other instances included. If some instances do not answer, it returns an error; ctx can only
// shorten the wait. The adapter bounds it, too (five seconds, as in Node).
func (t Target) Sockets(ctx context.Context) ([]*socket.RemoteSocket, error) {
	type result struct {
		sockets []*socket.RemoteSocket
		err     error
	}
	fetched := make(chan result, 1)
	adapter := t.ns.Adapter()
	go adapter.FetchSockets(t.options())(func(details []socket.SocketDetails, err error) {
		r := result{err: err, sockets: make([]*socket.RemoteSocket, 0, len(details))}
		for _, d := range details {
			remote, ok := d.(*socket.RemoteSocket)
			if !ok {
				remote = socket.NewRemoteSocket(adapter, d)
			}
			r.sockets = append(r.sockets, remote)
		}
		fetched <- r
	})
	select {
	case r := <-fetched:
		return r.sockets, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// ErrNoDeadline is returned by [CallAll] for a context that never ends: a client need not answer, so the call might not either.
var ErrNoDeadline = errors.New("socketio: use a context with a deadline")

// CallAll emits an event to a target and waits for the acknowledgement of each receiver, on all instances. The answers come in no particular
// order; each is the first argument of an acknowledgement, as in Node, and null if there was none. When ctx ends first, it returns the answers that have come, and the cause of ctx. ctx needs a
// deadline, after which the other instances, too, forget the call.
func CallAll[R any](ctx context.Context, t Target, event string, args ...any) ([]R, error) {
	raw, err := t.callAll(ctx, event, args)
	answers := make([]R, 0, len(raw))
	for _, p := range raw {
		var r R
		if err := p.Decode(&r); err != nil {
			return answers, fmt.Errorf("socketio: an acknowledgement of %q: %w", event, err)
		}
		answers = append(answers, r)
	}
	return answers, err
}

func (t Target) callAll(ctx context.Context, event string, args []any) ([]Payload, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, ErrNoDeadline
	}
	packet, err := t.packet(event, args)
	if err != nil {
		return nil, err
	}
	options := t.options()
	timeout := time.Until(deadline)
	options.Flags.Timeout = &timeout
	poll := &poll{complete: make(chan struct{})}
	if a, ok := t.ns.Adapter().(Asker); ok {
		a.Ask(packet, options, poll.receivers, poll.answer)
	} else {
		t.ns.Adapter().BroadcastWithAck(packet, options, poll.receivers, poll.answerValues)
	}
	poll.servers(t.ns.Adapter().ServerCount(), t.local)
	select {
	case <-poll.complete:
		return poll.result()
	case <-ctx.Done():
		answers, _ := poll.result()
		return answers, context.Cause(ctx)
	}
}

// A poll counts the answers to one CallAll. Each instance tells how many receivers it has, each receiver answers once; both come on many
// goroutines, in any order, and before it is known how many instances there are.
type poll struct {
	complete chan struct{} // closed when all have answered

	mu        sync.Mutex
	instances int64 // that there are; 0: not known yet
	told      int64 // of them, those that have told their receivers
	expected  uint64
	answers   []Payload
	err       error
	done      bool
}

func (p *poll) servers(n int64, local bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.instances = max(n, 1)
	if local {
		p.instances = 1
	}
	p.checkLocked()
}

func (p *poll) receivers(n uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told++
	p.expected += n
	p.checkLocked()
}

func (p *poll) answer(list []Payload) {
	first := Payload{JSON: null}
	if len(list) > 0 {
		first = list[0]
	}
	p.add(first, nil)
}

// answerValues is answer for an adapter that decodes, or failed to.
func (p *poll) answerValues(args []any, err error) {
	if len(args) > 1 {
		args = args[:1]
	}
	answer, encodeErr := encodeArgs(args)
	p.add(answer, errors.Join(err, encodeErr))
}

func (p *poll) add(answer Payload, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	p.err = errors.Join(p.err, err)
	p.answers = append(p.answers, answer)
	p.checkLocked()
}

func (p *poll) checkLocked() {
	if !p.done && p.instances > 0 && p.told >= p.instances && uint64(len(p.answers)) >= p.expected {
		p.done = true
		close(p.complete)
	}
}

// result ends the poll.
func (p *poll) result() ([]Payload, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
	return p.answers, p.err
}
