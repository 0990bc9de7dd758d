package socketio

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/ratelog"
)

// Limits bounds what one client may do. A zero field means no bound, but for Attachments.
type Limits struct {
	// MessagesPerSecond is how many messages of a client are handled in a second, over any length
	// of time; MessageBurst how many more at once, 0 meaning as many. A client that sends more is
	// read more slowly: nothing is lost, the client's own line fills up. Once in a while it is told
	// so by an "exception" event. One that goes on until its answers to heartbeats are stuck behind
	// its messages is gone with "ping timeout", as always.
	MessagesPerSecond, MessageBurst int
	// Attachments is how many binary parts a packet may have, 0 meaning DefaultAttachments. A
	// client that announces more is closed, as by socket.io 4.8.
	Attachments int
	// Namespaces is how many a connection may be in at the same time, "/" included. The CONNECT for
	// one more is refused.
	Namespaces int
	// Rooms is how many a socket may be in in a namespace, besides that of its own name. It stays
	// out of what is more; since only the application lets it in, the log says so.
	Rooms int
}

// DefaultAttachments is that of socket.io-parser 4.2.4 and later.
const DefaultAttachments = 10

// A Gate decides about connections when they have opened. Its calls come from many goroutines, and
// must not block.
type Gate interface {
	// Enter is called once for each connection before its first packet, with the address of the
	// TCP peer and the headers of the handshake. With an error the connection is closed at once.
	Enter(remote string, header http.Header) error
	// Leave is called once for each connection that was let in, when it has ended.
	Leave(remote string, header http.Header)
}

// LimitStats counts what Limits prevented since the server was made.
type LimitStats struct {
	SlowedMessages    uint64        // messages that had to wait for MessagesPerSecond
	SlowedTime        time.Duration // how long they waited, together
	RefusedPackets    uint64        // packets with too many attachments; the client was closed
	RefusedNamespaces uint64        // CONNECTs refused
	RefusedRooms      uint64        // rooms not joined
}

// limits is what a Server knows of its Limits.
type limits struct {
	Limits
	start    time.Time
	interval time.Duration // between two messages at MessagesPerSecond; 0: no bound
	window   time.Duration // how far ahead of that a client may be
	log      ratelog.Log

	slowedMessages, refusedPackets, refusedNamespaces, refusedRooms atomic.Uint64
	slowedTime                                                      atomic.Int64
}

func (l *limits) init(o Limits, log *slog.Logger) {
	if o.Attachments <= 0 {
		o.Attachments = DefaultAttachments
	}
	l.Limits, l.start, l.log.Logger = o, time.Now(), log
	if o.MessagesPerSecond > 0 {
		burst := o.MessageBurst
		if burst <= 0 {
			burst = o.MessagesPerSecond
		}
		l.interval = max(time.Second/time.Duration(o.MessagesPerSecond), 1)
		l.window = time.Duration(burst) * l.interval
	}
}

// LimitStats returns the counters.
func (s *Server) LimitStats() LimitStats {
	l := &s.limits
	return LimitStats{
		SlowedMessages:    l.slowedMessages.Load(),
		SlowedTime:        time.Duration(l.slowedTime.Load()),
		RefusedPackets:    l.refusedPackets.Load(),
		RefusedNamespaces: l.refusedNamespaces.Load(),
		RefusedRooms:      l.refusedRooms.Load(),
	}
}

// A pace is the token bucket of a connection: the moment, counted from the server's start, at which
// its bucket will be full again (the generic cell rate algorithm). The reader owns it.
type pace struct {
	full time.Duration
	told time.Duration // when the client was told last that it is slowed; 0: never
}

// tellAfter is the least time between two such messages.
const tellAfter = 10 * time.Second

// keepPace takes a token for one message, and waits for it if there is none. It reports false when
// the connection has ended meanwhile.
func (c *conn) keepPace() bool {
	l := &c.server.limits
	if l.interval == 0 {
		return true
	}
	now := time.Since(l.start)
	if wait := c.pace.take(l, now); wait > 0 {
		return c.slowDown(wait, now)
	}
	return true
}

// take takes a token, and returns how long to wait for it.
func (p *pace) take(l *limits, now time.Duration) time.Duration {
	p.full = max(p.full, now) + l.interval
	return max(p.full-now-l.window, 0)
}

func (c *conn) slowDown(wait, now time.Duration) bool {
	l := &c.server.limits
	l.slowedMessages.Add(1)
	l.slowedTime.Add(int64(wait))
	if c.pace.told == 0 || now-c.pace.told > tellAfter {
		l.log.Warn("messages", "a client sends too many messages and is read more slowly",
			slog.String("remote", c.RemoteAddress()), slog.Int("messages_per_second", l.MessagesPerSecond))
		if c.tell(fmt.Sprintf("too many messages: more than %d a second are handled with delay", l.MessagesPerSecond)) {
			c.pace.told = now
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.eio.Done():
		return false
	}
}

// tell sends an exception to the client, on each namespace it is in. While it is about to join one it
// does nothing, and reports false.
func (c *conn) tell(message string) bool {
	c.mu.Lock()
	var names []string
	for _, l := range c.links {
		switch {
		case !l.listening:
			c.mu.Unlock()
			return false
		case l.state <= linkOpen:
			names = append(names, l.name)
		}
	}
	c.mu.Unlock()
	data, err := EncodeData([]any{"exception", exception{Status: "error", Message: message}})
	for _, name := range names {
		if err == nil { // two strings always encode
			c.eio.Send(newFrames(Event, name, nil, data)...)
		}
	}
	return len(names) > 0
}

// mayJoinLocked tells whether the connection may be in one more namespace, those that it has left not
// counted.
func (c *conn) mayJoinLocked() bool {
	most := c.server.limits.Namespaces
	if most <= 0 || len(c.links) < most {
		return true
	}
	in := 0
	for _, l := range c.links {
		if !l.leavingLocked() {
			in++
		}
	}
	return in < most
}

// leavingLocked tells whether a link ends as soon as what waits for it is done.
func (l *link) leavingLocked() bool {
	b := l.backlog
	return l.state >= linkLeaving || b != nil && len(b.queue) > 0 && b.queue[len(b.queue)-1].Type == Disconnect
}

// refuseNamespace answers a CONNECT for one namespace too many.
func (c *conn) refuseNamespace(name string) {
	l := &c.server.limits
	l.refusedNamespaces.Add(1)
	l.log.Warn("namespaces", "a client was refused a namespace: it is in too many",
		slog.String("remote", c.RemoteAddress()), slog.Int("namespaces", l.Namespaces))
	data := `{"message":"too many namespaces"}`
	if c.Protocol() == 3 {
		data = `"too many namespaces"`
	}
	c.eio.Send(newFrames(ConnectError, name, nil, Payload{JSON: []byte(data)})...)
}

// refusedAttachments counts, and tells the log of, a packet that announced too many.
func (c *conn) refusedAttachments() {
	l := &c.server.limits
	l.refusedPackets.Add(1)
	l.log.Warn("attachments", "a client was closed: its packet has too many attachments",
		slog.String("remote", c.RemoteAddress()), slog.Int("attachments", l.Attachments))
}

// mayEnterLocked tells whether a socket may be in a room, besides those it is in. The adapter's lock is
// held.
func (a *LocalAdapter) mayEnterLocked(l *link, room socket.Room) bool {
	_, there := a.rooms[room][l]
	if there || string(room) == string(l.member.id) || l.conn == nil || l.conn.server == nil {
		return true
	}
	most := l.conn.server.limits.Rooms
	return most <= 0 || len(l.member.rooms) < most
}

// refusedRooms is called outside the adapter's lock.
func (l *link) refusedRooms(n int) {
	if n == 0 {
		return
	}
	limits := &l.conn.server.limits
	limits.refusedRooms.Add(uint64(n))
	limits.log.Warn("rooms", "a socket was kept out of rooms: it is in too many",
		slog.String("namespace", l.name), slog.Int("rooms", limits.Rooms))
}

// enter asks the gate about a connection that has opened.
func (s *Server) enter(e *engineio.Conn) bool {
	if s.opts.Gate == nil {
		return true
	}
	h := e.Handshake()
	return s.opts.Gate.Enter(h.RemoteAddr, h.Header) == nil
}

// leave tells the gate that it has ended.
func (s *Server) leave(e *engineio.Conn) {
	if s.opts.Gate != nil {
		h := e.Handshake()
		s.opts.Gate.Leave(h.RemoteAddr, h.Header)
	}
}

// refusedReceiver receives for a connection that the gate did not let in.
type refusedReceiver struct{}

func (refusedReceiver) Receive([]byte, bool)               {}
func (refusedReceiver) Closed(engineio.CloseReason, error) {}
