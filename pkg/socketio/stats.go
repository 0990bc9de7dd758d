package socketio

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/jsonscan"
)

// Bounds of what Stats tells apart. Names of events come from clients and from Redis, names of
// namespaces may: what is beyond the bounds is counted together, as Other.
const (
	maxCountedEvents     = 64 // of a namespace and direction
	maxCountedNamespaces = 64
	maxCountedName       = 100 // bytes of an event's name
)

// Other is the name under which Stats counts events and namespaces that it has no room for, and the
// events of clients that nothing in the program listens to.
const Other = "other"

// Stats counts what happened since the server was made.
type Stats struct {
	Namespaces []NamespaceStats // in the order in which they were made; the last may be Other
	Invalid    uint64           // connections closed because what the client sent made no sense
}

// NamespaceStats counts what happened in one namespace.
type NamespaceStats struct {
	Name         string
	Connected    uint64 // sockets that joined
	Disconnected uint64 // of these, those that left
	Broadcasts   uint64 // broadcasts to sockets here, whatever instance they come from
	Errors       uint64 // events whose handler failed or panicked; not those that were refused with an [Exception]
	// Sent and Received are by event. One that is sent to several sockets is counted for each.
	Sent, Received map[string]EventStats
}

// EventStats counts one event. Acknowledgements are no events.
type EventStats struct {
	Events uint64
	Bytes  uint64 // of packets and attachments, without the framing of the transport
}

// traffic is the counting part of a Namespace. Its methods may be called on nil.
type traffic struct {
	connected, disconnected, broadcasts, errors atomic.Uint64
	sent, received                              eventTable
}

// An eventTable counts events by name. Names are added, up to a bound, and never removed; counting
// one that is known takes no lock.
type eventTable struct {
	known atomic.Pointer[map[string]*eventCount]
	other eventCount
	mu    sync.Mutex // serialises add
}

type eventCount struct{ events, bytes atomic.Uint64 }

func (c *eventCount) add(events, bytes uint64) {
	c.events.Add(events)
	c.bytes.Add(bytes)
}

// of returns the count of an event; may tells whether a name that is not known yet may be added.
func (t *eventTable) of(name []byte, may bool) *eventCount {
	if m := t.known.Load(); m != nil {
		if c := (*m)[string(name)]; c != nil {
			return c
		}
	}
	if !may || len(name) > maxCountedName {
		return &t.other
	}
	return t.add(string(name))
}

func (t *eventTable) add(name string) *eventCount {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := map[string]*eventCount{}
	if old := t.known.Load(); old != nil {
		m = maps.Clone(*old)
	}
	if c := m[name]; c != nil {
		return c
	}
	if len(m) >= maxCountedEvents || name == Other {
		return &t.other
	}
	c := new(eventCount)
	m[name] = c
	t.known.Store(&m)
	return c
}

func (t *eventTable) snapshot() map[string]EventStats {
	list := map[string]EventStats{Other: {t.other.events.Load(), t.other.bytes.Load()}}
	if m := t.known.Load(); m != nil {
		for name, c := range *m {
			list[name] = EventStats{c.events.Load(), c.bytes.Load()}
		}
	}
	return list
}

// receivedEvent counts an event of a client. Its name is told apart if the program listens to it.
func (t *traffic) receivedEvent(p *Packet, listened bool) {
	name, plain := p.plainEvent()
	if !plain {
		name = []byte(p.Event())
	}
	t.received.of(name, listened).add(1, uint64(p.size))
}

// broadcast counts a packet that was sent to n sockets at once.
func (t *traffic) broadcast(frames []*engineio.Frame, nsp string, n int) {
	if t != nil {
		t.broadcasts.Add(1)
		t.sentFrames(frames, nsp, n)
	}
}

// sentFrames counts a packet that was sent to n sockets, if it is an event.
func (t *traffic) sentFrames(frames []*engineio.Frame, nsp string, n int) {
	if t == nil || len(frames) == 0 {
		return
	}
	name, ok := eventOf(frames[0].Text(), nsp)
	if !ok {
		return
	}
	var bytes int64
	for _, f := range frames {
		bytes += f.Size()
	}
	t.sent.of(name, name != nil).add(uint64(n), uint64(bytes)*uint64(n))
}

// eventOf finds the name of an event in the text of its packet, nil if there are escapes in it. It
// reports false for other packets. The grammar is that of appendHeader:
//
//	text = type [ attachments "-" ] [ nsp "," ] [ id ] "[" name …
func eventOf(text []byte, nsp string) (name []byte, ok bool) {
	digits := func() {
		for len(text) > 0 && '0' <= text[0] && text[0] <= '9' {
			text = text[1:]
		}
	}
	if len(text) == 0 {
		return nil, false
	}
	typ := PacketType(text[0] - '0')
	text = text[1:]
	switch typ {
	case Event:
	case BinaryEvent:
		digits()
		if len(text) > 0 {
			text = text[1:]
		}
	default:
		return nil, false
	}
	if nsp != "/" && nsp != "" {
		if len(text) <= len(nsp) {
			return nil, false
		}
		text = text[len(nsp)+1:]
	}
	digits()
	if len(text) < 2 || text[0] != '[' || text[1] != '"' {
		return nil, false
	}
	end, err := jsonscan.Value(text, 1)
	if err != nil {
		return nil, false
	}
	name, _ = jsonscan.Plain(text[1:end])
	return name, true
}

func (t *traffic) stats(name string) NamespaceStats {
	s := NamespaceStats{
		Name:       name,
		Broadcasts: t.broadcasts.Load(),
		Errors:     t.errors.Load(),
		Sent:       t.sent.snapshot(),
		Received:   t.received.snapshot(),
	}
	s.Disconnected = t.disconnected.Load() // first: never more of them than of the others
	s.Connected = t.connected.Load()
	return s
}

// Stats returns what was counted so far.
func (s *Server) Stats() Stats {
	s.mu.RLock()
	list := slices.Collect(maps.Values(s.namespaces))
	past := s.past
	s.mu.RUnlock()
	slices.SortFunc(list, func(a, b *Namespace) int { return a.number - b.number })
	all := Stats{Invalid: s.invalid.Load()}
	for i, ns := range list {
		name := ns.Name()
		if i >= maxCountedNamespaces {
			name = Other
		}
		n := ns.traffic.stats(name)
		if i == maxCountedNamespaces {
			n.Sent, n.Received = together(n.Sent), together(n.Received)
		}
		if i > maxCountedNamespaces {
			all.Namespaces[maxCountedNamespaces].merge(n)
			continue
		}
		all.Namespaces = append(all.Namespaces, n)
	}
	switch {
	case past.Connected == 0:
	case len(all.Namespaces) > maxCountedNamespaces:
		all.Namespaces[maxCountedNamespaces].merge(past)
	default:
		all.Namespaces = append(all.Namespaces, past)
	}
	return all
}

// merge adds another namespace to Other. Their events are not told apart.
func (n *NamespaceStats) merge(other NamespaceStats) {
	n.Connected += other.Connected
	n.Disconnected += other.Disconnected
	n.Broadcasts += other.Broadcasts
	n.Errors += other.Errors
	n.Sent = together(n.Sent, other.Sent)
	n.Received = together(n.Received, other.Received)
}

func together(lists ...map[string]EventStats) map[string]EventStats {
	var sum EventStats
	for _, list := range lists {
		for _, e := range list {
			sum.Events += e.Events
			sum.Bytes += e.Bytes
		}
	}
	return map[string]EventStats{Other: sum}
}
