package socketio

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/jsonscan"
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
	// BytesPerSecond is the same for the bytes of a client's messages, attachments included; ByteBurst
	// is never less than one message may have.
	BytesPerSecond, ByteBurst int
	// DeliveriesPerSecond bounds, in the same way, the bytes that [Namespace.BroadcastFrom] sends to
	// receivers here for one client, each of them counted with 64 bytes more; what comes in a second may
	// come at once.
	DeliveriesPerSecond int
	// Attachments is how many binary parts a packet may have, 0 meaning DefaultAttachments, at most
	// [jsonscan.MaxAttachments]. A client that announces more is closed, as by socket.io 4.8. All parts
	// of a packet together may be as large as one message.
	Attachments int
	// AttachmentTimeout is how long a client may take for the next of the parts that it announced, 0
	// meaning DefaultAttachmentTimeout. A client that takes longer is closed.
	AttachmentTimeout time.Duration
	// Arguments is how many arguments an event or acknowledgement may have, 0 meaning
	// DefaultArguments. A client that sends more is closed.
	Arguments int
	// AuthBytes is how large the JSON of a CONNECT may be, 0 meaning DefaultAuthBytes. A larger one is
	// refused.
	AuthBytes int
	// Namespaces is how many a connection may be in at the same time, "/" included. The CONNECT for
	// one more is refused.
	Namespaces int
	// Rooms is how many a socket may be in in a namespace, besides that of its own name. It stays
	// out of what is more; since only the application lets it in, the log says so.
	Rooms int
}

// The defaults of Limits.
const (
	DefaultAttachments       = 10               // that of socket.io-parser 4.2.6 and later
	DefaultAttachmentTimeout = 60 * time.Second // longer than a session lasts without a pong: a slow line is no fault
	DefaultArguments         = 1000
	DefaultAuthBytes         = 32 << 10
)

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
	SlowedMessages    uint64        // messages that had to wait for one of the rates
	SlowedTime        time.Duration // how long they waited, together
	RefusedPackets    uint64        // packets with too many attachments or arguments, too large, or late; the client was closed
	RefusedAuths      uint64        // CONNECTs with too large an auth
	RefusedNamespaces uint64        // CONNECTs refused
	RefusedRooms      uint64        // rooms not joined
}

// limits is what a Server knows of its Limits.
type limits struct {
	Limits
	start                       time.Time
	messages, bytes, deliveries rate
	decoder                     decoderBounds
	log                         ratelog.Log

	slowedMessages, refusedPackets, refusedAuths, refusedNamespaces, refusedRooms atomic.Uint64
	slowedTime                                                                    atomic.Int64
}

func (l *limits) init(o Limits, maxMessage int, log *slog.Logger) {
	o.Attachments = min(cmp.Or(o.Attachments, DefaultAttachments), jsonscan.MaxAttachments)
	o.AttachmentTimeout = cmp.Or(o.AttachmentTimeout, DefaultAttachmentTimeout)
	o.Arguments = cmp.Or(o.Arguments, DefaultArguments)
	o.AuthBytes = cmp.Or(o.AuthBytes, DefaultAuthBytes)
	l.Limits, l.start, l.log.Logger = o, time.Now(), log
	l.messages = newRate(o.MessagesPerSecond, o.MessageBurst)
	l.bytes = newRate(o.BytesPerSecond, max(o.ByteBurst, maxMessage))
	l.deliveries = newRate(o.DeliveriesPerSecond, 0)
	l.decoder = decoderBounds{o.Attachments, o.Arguments, maxMessage}
}

// LimitStats returns the counters.
func (s *Server) LimitStats() LimitStats {
	l := &s.limits
	return LimitStats{
		SlowedMessages:    l.slowedMessages.Load(),
		SlowedTime:        time.Duration(l.slowedTime.Load()),
		RefusedPackets:    l.refusedPackets.Load(),
		RefusedAuths:      l.refusedAuths.Load(),
		RefusedNamespaces: l.refusedNamespaces.Load(),
		RefusedRooms:      l.refusedRooms.Load(),
	}
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
	c.refuseConnect(name, "too many namespaces")
}

// refuseConnect answers a CONNECT with a text that needs no escaping, in the form of the client's protocol.
func (c *conn) refuseConnect(name, text string) {
	data := `"` + text + `"`
	if c.Protocol() != 3 {
		data = `{"message":` + data + `}`
	}
	c.send(newFrames(ConnectError, name, nil, Payload{JSON: []byte(data)}), nil)
}

// refuseAuth answers a CONNECT whose auth is too large to be kept until the middlewares have read it.
func (c *conn) refuseAuth(name string, size int) {
	l := &c.server.limits
	l.refusedAuths.Add(1)
	l.log.Warn("auth", "a client was refused: the auth of its CONNECT is too large",
		slog.String("remote", c.RemoteAddress()), slog.Int("bytes", size), slog.Int("auth_bytes", l.AuthBytes))
	c.refuseConnect(name, fmt.Sprintf("auth is too large: at most %d bytes", l.AuthBytes))
}

// refusedPacket counts, and tells the log of, a packet that is out of bounds.
func (c *conn) refusedPacket(why error) {
	l := &c.server.limits
	l.refusedPackets.Add(1)
	l.log.Warn(why.Error(), "a client was closed: its packet is out of bounds",
		slog.String("remote", c.RemoteAddress()), slog.String("reason", why.Error()), slog.Int("attachments", l.Attachments),
		slog.Int("arguments", l.Arguments), slog.Duration("attachment_timeout", l.AttachmentTimeout))
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
