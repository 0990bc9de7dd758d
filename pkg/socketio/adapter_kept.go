package socketio

import (
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// BroadcastPublished is BroadcastEncoded for an event that the adapter publishes to other instances.
// With recovery on, and unless the event is volatile, it gets a number: the place in the sequence of
// what this instance publishes, from 1. publish is called with it, under the adapter's lock, so that
// events are published in the order of their numbers; it must not block. Otherwise publish is called
// with 0, without the lock.
func (a *LocalAdapter) BroadcastPublished(ev Encoded, opts *socket.BroadcastOptions, publish func(number uint64)) {
	if !a.keeps(ev, opts) {
		publish(0)
		a.BroadcastEncoded(ev, opts)
		return
	}
	a.notifyEncoded(ev, a.deliverKept(ev.Data, opts, nil, publish))
}

// BroadcastReceived is BroadcastEncoded for an event of another instance: the one with this number
// (0: it has none) in the sequence that origin published.
func (a *LocalAdapter) BroadcastReceived(ev Encoded, opts *socket.BroadcastOptions, origin string, number uint64) {
	a.heard(ev, opts)
	if !a.keeps(ev, opts) {
		a.BroadcastEncoded(ev, opts)
		return
	}
	id := PacketID{N: number}
	if number != 0 {
		id.Origin = OriginOf(origin)
	}
	a.notifyEncoded(ev, a.deliverKept(ev.Data, opts, &id, nil))
}

// PublishAs sets the name under which BroadcastPublished's events go to other instances.
func (a *LocalAdapter) PublishAs(origin string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.journal != nil {
		a.journal.published.Origin = OriginOf(origin)
	}
}

// owner is how the private ids begin that this instance gives out.
func (a *LocalAdapter) owner() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return originText(a.journal.published.Origin)
}

// keeps tells whether an event is kept for clients that come back. As in Node, those that are volatile
// or ask for acknowledgements are not.
func (a *LocalAdapter) keeps(ev Encoded, opts *socket.BroadcastOptions) bool {
	return a.journal != nil && ev.ID == nil && !isVolatile(opts)
}

// deliverKept is deliver for an event that is kept. Clients of protocol 5 get it with its offset,
// those of protocol 4 as ever. from is its id if another instance sent it.
func (a *LocalAdapter) deliverKept(data Payload, opts *socket.BroadcastOptions, from *PacketID, publish func(uint64)) (watching []*socket.Socket) {
	a.mu.Lock()
	if a.batches == nil {
		a.mu.Unlock()
		return nil
	}
	pool := a.batches
	b := pool.Get().(batch)
	e := a.keepLocked(data, opts, from, publish)
	frames := e.frames
	forms, oldForms := packedForms{frames: frames, packed: packOffset(data.Packed, e.id)}, packedForms{packed: data.Packed}
	var old []*engineio.Frame
	sent, sentOld := 0, 0
	a.selectLocked(opts, func(l *link) {
		if l.outgoing.Len() > 0 {
			watching = append(watching, l.sock)
		}
		if l.eio.Protocol() == 3 {
			if old == nil {
				old = newFrames(Event, a.name, nil, data)
				oldForms.frames = old
			}
			if b.Send(l.eio, a.formLocked(l, &oldForms)...) {
				sentOld++
			}
			return
		}
		if l.member.replay != nil {
			return // it finds it in the journal
		}
		if s := l.member.session; s != nil && s.skips(e.id) {
			return // it got it from the instance that it came from
		}
		if b.Send(l.eio, a.formLocked(l, &forms)...) {
			sent++
		}
	})
	a.mu.Unlock()
	b.Flush()
	pool.Put(b)
	a.traffic.broadcast(frames, a.name, sent)
	a.traffic.sentFrames(old, a.name, sentOld)
	return watching
}

// endBehindLocked is called before the first event of an origin that came here. Sessions of other instances
// that had heard less of that origin than came before it miss the rest: it was published after they were
// left in Redis, say, and before this instance listened. Their clients begin anew.
func (a *LocalAdapter) endBehindLocked(first PacketID) {
	for _, s := range a.sessions.byPID {
		heard, ok := s.skip[first.Origin]
		if !ok || heard+1 >= first.N {
			continue
		}
		remote := ""
		if l := s.link; l != nil {
			remote = l.conn.RemoteAddress()
			l.conn.eio.Close()
		}
		a.journal.shared.refuse(a.name, RefusedCut, remote)
		a.refuseLocked(s, RefusedCut)
	}
}

// keepLocked adds an event to the journal.
func (a *LocalAdapter) keepLocked(data Payload, opts *socket.BroadcastOptions, from *PacketID, publish func(uint64)) *entry {
	j := a.journal
	var id PacketID
	switch {
	case from != nil && from.N != 0:
		id = *from
		if _, known := j.seen[id.Origin]; !known {
			a.endBehindLocked(id)
		}
		if j.receive(id) {
			// Something that came before it is lost: nobody who was away then can be told exactly what.
			j.cut()
		}
	case publish != nil:
		j.published.N++
		id = j.published
		j.receive(id)
		publish(id.N)
	default:
		j.local.N++
		id = j.local
	}
	e := j.add(id, a.name, data, opts)
	e.horizon = a.horizons[opts]
	if from != nil && from.N == 0 {
		e.foreign, j.foreign = true, e.at
	}
	a.tickLocked()
	return e
}
