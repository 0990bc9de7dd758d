package socketio

import (
	"log/slog"
	"sync"
	"time"

	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"
)

// ackTimeout is how long acknowledgements of a broadcast are awaited if nobody says how long.
const ackTimeout = time.Minute

// An Asker is an Adapter that asks for acknowledgements without the library's BroadcastOperator in mind: Ask is its BroadcastWithAck, but
// clientCount and answer may be called at any time, from any goroutine, several at once, and answers are raw, with all their arguments. [CallAll]
// uses it where there is one.
type Asker interface {
	Ask(packet *parser.Packet, opts *socket.BroadcastOptions, clientCount func(uint64), answer func([]Payload))
}

// BroadcastWithAck sends packet as Broadcast does and asks each receiver for an acknowledgement.
// clientCount is called once, with the number of receivers; ack once for
// each receiver that answers within the time of opts (a minute, if opts names none), see Answers. Nothing
// is kept after that.
func (a *LocalAdapter) BroadcastWithAck(packet *parser.Packet, opts *socket.BroadcastOptions, clientCount func(uint64), ack socket.Ack) {
	count, answer := a.Answers(opts, clientCount, ack)
	a.Ask(packet, opts, count, answer)
}

// Ask implements [Asker], for the sockets of this instance.
func (a *LocalAdapter) Ask(packet *parser.Packet, opts *socket.BroadcastOptions, clientCount func(uint64), answer func([]Payload)) {
	packet.Nsp = a.name
	id := a.nsp.Ids()
	packet.Id = &id
	frames, packed, ok := a.encode(packet)
	if !ok {
		clientCount(0)
		return
	}
	q := &question{id: id, answered: answer}
	count, watching := a.deliver(frames, packed, opts, q.ask)
	q.forgetAfter(timeoutOf(opts))
	for _, s := range watching {
		s.NotifyOutgoingListeners()(packet)
	}
	clientCount(count)
}

// BroadcastEncodedWithAck is Ask for an encoded event. ev.ID is ignored, a new one is taken.
func (a *LocalAdapter) BroadcastEncodedWithAck(ev Encoded, opts *socket.BroadcastOptions, clientCount func(uint64), ack func([]Payload)) {
	q := &question{id: a.nsp.Ids(), answered: ack}
	count, watching := a.deliver(newFrames(Event, a.name, &q.id, ev.Data), ev.Data.Packed, opts, q.ask)
	q.forgetAfter(timeoutOf(opts))
	a.notifyEncoded(ev, watching)
	clientCount(count)
}

func timeoutOf(opts *socket.BroadcastOptions) time.Duration {
	if opts != nil && opts.Flags != nil && opts.Flags.Timeout != nil {
		return *opts.Flags.Timeout
	}
	return ackTimeout
}

// A question is a broadcast whose receivers are asked for acknowledgements.
type question struct {
	id       uint64
	answered func([]Payload)
	asked    []*link // complete when deliver has returned
}

// ask registers for the answer of one receiver. The adapter's lock is held.
func (q *question) ask(l *link) {
	l.expectRaw(q.id, q.answered)
	q.asked = append(q.asked, l)
}

// forgetAfter makes answers that come later mean nothing, and what waits for them go.
func (q *question) forgetAfter(d time.Duration) {
	if len(q.asked) == 0 {
		return
	}
	time.AfterFunc(d, func() {
		for _, l := range q.asked {
			l.takeRaw(q.id)
		}
	})
}

// answers hands acknowledgements to the library's BroadcastOperator, which compares counts without a
// lock and would call back twice, or panic, if several came at once or while its Emit is still busy.
type answers struct {
	log         *slog.Logger
	single      bool
	clientCount func(uint64)
	ack         socket.Ack

	mu    sync.Mutex // held while the two are called
	ready bool       // Emit must have returned
	early []func()   // what came before
	found bool       // an instance with a receiver has reported
	empty int        // reports of instances without one, before that
}

// settle is how long the first answer waits for the library's Emit to return, which cannot be asked.
const settle = 20 * time.Millisecond

// Answers wraps the functions that an Adapter's BroadcastWithAck gets, for an adapter to call from any
// goroutine: they are called one at a time, and ack with one element for each client, the first argument
// of its acknowledgement or nil, as in Node. With opts.Flags.ExpectSingleResponse, of RemoteSocket.Emit,
// that element is the list of all arguments, which the library demands; and instances without the socket
// are not reported before the one that has it, so that an unknown socket is a time-out and no panic.
// No answer is reported for the first milliseconds. Emit writes what it compares counts with when it has asked, without a lock: an instance that
// reports its receivers within that moment races with it. [CallAll] does not.
func (a *LocalAdapter) Answers(opts *socket.BroadcastOptions, clientCount func(uint64), ack socket.Ack) (func(uint64), func([]Payload)) {
	r := &answers{log: a.log, clientCount: clientCount, ack: ack}
	r.single = opts != nil && opts.Flags != nil && opts.Flags.ExpectSingleResponse
	time.AfterFunc(settle, r.settled)
	return r.count, r.answer
}

// count is called on Emit's own goroutine for this instance, first of all. The library compares it there, and only what it compares orders its
// reads after its writes: so it must not wait.
func (r *answers) count(n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.single && !r.found {
		if n == 0 {
			r.empty++
			return
		}
		r.found = true
	}
	r.clientCount(n)
	for ; r.empty > 0; r.empty-- {
		r.clientCount(0)
	}
}

func (r *answers) answer(list []Payload) {
	args, err := values(list)
	switch {
	case err != nil:
		args = []any{nil} // valid JSON always decodes
	case r.single:
		args = []any{args}
	case len(args) == 0:
		args = []any{nil}
	default:
		args = args[:1:1]
	}
	r.report(func() { r.ack(args, nil) })
}

// report calls f when Emit has returned.
func (r *answers) report(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		r.early = append(r.early, f)
		return
	}
	guard(r.log, "ack", f)
}

// settled passes on what came early.
func (r *answers) settled() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = true
	for _, f := range r.early {
		guard(r.log, "ack", f)
	}
	r.early = nil
}
