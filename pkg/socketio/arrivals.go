package socketio

import (
	"strconv"
	"sync"

	"github.com/zishang520/socket.io/v2/socket"
)

// arrivals are the CONNECTs that name a session, on their way through the library. It hands to
// RestoreSession what the client said in two strings, and no socket. So the offset is replaced by a
// ticket, which names the link, until attach puts it back:
//
//	client's {pid, offset} ─► link.arrive ─► library ─► RestoreSession(pid, ticket) ─► library ─► attach: link.arrived
type arrivals struct {
	mu       sync.Mutex
	last     uint64
	byTicket map[string]arrival
}

type arrival struct {
	link   *link
	offset string
}

func (t *arrivals) add(a arrival) (ticket string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	ticket = strconv.FormatUint(t.last, 36)
	if t.byTicket == nil {
		t.byTicket = map[string]arrival{}
	}
	t.byTicket[ticket] = a
	return ticket
}

func (t *arrivals) find(ticket string) (arrival, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.byTicket[ticket]
	return a, ok
}

func (t *arrivals) remove(ticket string) (arrival, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.byTicket[ticket]
	delete(t.byTicket, ticket)
	return a, ok
}

// arrive puts a ticket into the auth object of a CONNECT that names a session. A client that never got
// an event says pid alone.
func (l *link) arrive(auth map[string]any) {
	r := l.conn.server.recovery
	if _, ok := auth["pid"].(string); !ok || r == nil {
		return
	}
	offset, ok := auth["offset"].(string)
	if !ok {
		if auth["offset"] != nil {
			return
		}
		offset = noOffset
	}
	ticket := r.arrivals.add(arrival{l, offset})
	auth["offset"] = ticket
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	if l.backlog != nil { // it is nil if the connection has ended just now
		l.backlog.ticket = ticket
		return
	}
	r.arrivals.remove(ticket)
}

// arrived returns the offset that the client named, and puts it back into the auth object.
func (l *link) arrived(h *socket.Handshake) (offset string) {
	auth, ok := h.Auth.(map[string]any)
	if !ok {
		return noOffset
	}
	l.conn.mu.Lock()
	ticket := l.takeTicketLocked()
	l.conn.mu.Unlock()
	from, ok := l.conn.server.dropTicket(ticket)
	switch {
	case !ok:
		if offset, ok = auth["offset"].(string); !ok {
			return noOffset
		}
		return offset
	case from.offset == noOffset:
		delete(auth, "offset")
	default:
		auth["offset"] = from.offset
	}
	return from.offset
}

// takeTicketLocked takes the ticket of a link that has one still; otherwise it returns "".
func (l *link) takeTicketLocked() (ticket string) {
	if l.backlog != nil {
		ticket, l.backlog.ticket = l.backlog.ticket, ""
	}
	return ticket
}

// dropTicket makes a ticket invalid, and returns what it stood for. There may be none.
func (s *Server) dropTicket(ticket string) (arrival, bool) {
	if ticket == "" {
		return arrival{}, false
	}
	return s.recovery.arrivals.remove(ticket)
}
