package socketio

import (
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// Broadcast sends packet to the local sockets opts selects. packet.Data must be what EncodeData
// takes; if it cannot be encoded nothing is sent and the server's log says so.
func (a *LocalAdapter) Broadcast(packet *parser.Packet, opts *socket.BroadcastOptions) {
	packet.Nsp = a.name
	var watching []*socket.Socket
	if a.journal != nil && packet.Type == parser.EVENT && packet.Id == nil && !isVolatile(opts) {
		data, ok := a.encodeData(packet)
		if !ok {
			return
		}
		watching = a.deliverKept(data, opts, nil, nil)
	} else {
		frames, packed, ok := a.encode(packet)
		if !ok {
			return
		}
		_, watching = a.deliver(frames, packed, opts, nil)
	}
	for _, s := range watching {
		s.NotifyOutgoingListeners()(packet)
	}
}

// encode goes through the server's encoder, which logs what it cannot encode.
func (a *LocalAdapter) encode(packet *parser.Packet) (frames []*engineio.Frame, packed []byte, ok bool) {
	if p, ok := a.nsp.Server().Encoder().(libraryParser); ok {
		return p.frames(packet)
	}
	return nil, nil, false
}

// encodeData is encode for an event that is kept.
func (a *LocalAdapter) encodeData(packet *parser.Packet) (Payload, bool) {
	p, ok := a.nsp.Server().Encoder().(libraryParser)
	if !ok {
		return Payload{}, false
	}
	data, err := encodePacketData(Event, packet.Data)
	if err != nil {
		p.dropped(packet, err)
		return Payload{}, false
	}
	return data, true
}

// BroadcastEncoded sends an event that is encoded already (by another instance, say) to the local
// sockets opts selects. ev.Data must be a valid JSON array with the event's name first. ev.Nsp is
// ignored: the adapter's namespace counts.
func (a *LocalAdapter) BroadcastEncoded(ev Encoded, opts *socket.BroadcastOptions) {
	var watching []*socket.Socket
	if a.keeps(ev, opts) {
		watching = a.deliverKept(ev.Data, opts, nil, nil)
	} else {
		_, watching = a.deliver(newFrames(Event, a.name, ev.ID, ev.Data), ev.Data.Packed, opts, nil)
	}
	a.notifyEncoded(ev, watching)
}

func (a *LocalAdapter) notifyEncoded(ev Encoded, watching []*socket.Socket) {
	if len(watching) == 0 {
		return
	}
	list, err := ev.Data.Elements()
	if err != nil {
		return
	}
	data, err := values(list)
	if err != nil {
		return
	}
	packet := &parser.Packet{Type: parser.EVENT, Nsp: a.name, Data: data, Id: ev.ID}
	for _, s := range watching {
		s.NotifyOutgoingListeners()(packet)
	}
}

// deliver queues frames on every socket that opts selects and lets them leave. It calls prepare, if
// given, for each before that, with the lock held, and returns how many there are and those that
// have listeners for what is sent to them. packed is the data as MessagePack, where it came so.
func (a *LocalAdapter) deliver(frames []*engineio.Frame, packed []byte, opts *socket.BroadcastOptions, prepare func(*link)) (count uint64, watching []*socket.Socket) {
	volatile, recovery := isVolatile(opts), a.journal != nil
	a.mu.Lock()
	if a.batches == nil {
		a.mu.Unlock()
		return 0, nil
	}
	pool, sent := a.batches, 0
	b := pool.Get().(batch)
	forms := packedForms{frames: frames, packed: packed}
	a.selectLocked(opts, func(l *link) {
		count++
		if l.outgoing.Len() > 0 {
			watching = append(watching, l.sock)
		}
		if prepare != nil {
			prepare(l)
		}
		if volatile && !l.eio.Writable() {
			return
		}
		if recovery && l.member.replay != nil {
			r := l.member.replay
			r.extra = append(r.extra, frames...)
			return
		}
		if b.Send(l.eio, a.formLocked(l, &forms)...) {
			sent++
		}
	})
	a.mu.Unlock()
	b.Flush()
	pool.Put(b)
	a.traffic.broadcast(frames, a.name, sent)
	return count, watching
}

func isVolatile(opts *socket.BroadcastOptions) bool {
	return opts != nil && opts.Flags != nil && opts.Flags.Volatile
}

// selectLocked calls f for each joined socket that opts selects: those in any of opts.Rooms (all of
// the namespace if there are none) without those in any of opts.Except. Each is visited once: what
// is done with, or excepted, carries the mark of this selection.
func (a *LocalAdapter) selectLocked(opts *socket.BroadcastOptions, f func(*link)) {
	rooms, except := roomSets(opts)
	if horizon := a.horizons[opts]; horizon != 0 {
		all := f
		f = func(l *link) {
			if l.member.joined <= horizon {
				all(l)
			}
		}
	}
	a.mark++
	for _, room := range except {
		a.eachInRoomLocked(room, func(l *link) { l.marked = a.mark })
	}
	if len(rooms) == 0 {
		for _, l := range a.members {
			if l.marked != a.mark {
				f(l)
			}
		}
		return
	}
	for _, room := range rooms {
		a.eachInRoomLocked(room, func(l *link) {
			if l.marked != a.mark && l.member.index >= 0 {
				l.marked = a.mark
				f(l)
			}
		})
	}
}

func roomSets(opts *socket.BroadcastOptions) (rooms, except []socket.Room) {
	if opts == nil {
		return nil, nil
	}
	return setKeys(opts.Rooms), setKeys(opts.Except)
}

func setKeys(s *types.Set[socket.Room]) []socket.Room {
	if s == nil || s.Len() == 0 {
		return nil
	}
	return s.Keys()
}

func (a *LocalAdapter) eachInRoomLocked(room socket.Room, f func(*link)) {
	for l := range a.rooms[room] {
		f(l)
	}
	if l := a.byID[socket.SocketId(room)]; l != nil && l.member.own {
		f(l)
	}
}
