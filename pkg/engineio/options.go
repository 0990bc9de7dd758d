package engineio

import (
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// The transports a client can name in the "transport" query parameter.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// Defaults of engine.io 6.6, which socket.io 4.8 leaves as they are.
const (
	DefaultPingInterval   = 25 * time.Second
	DefaultPingTimeout    = 20 * time.Second
	DefaultUpgradeTimeout = 10 * time.Second
	DefaultMaxPayload     = 1_000_000
)

// Bounds of our own; Node's engine has neither.
const (
	DefaultQueueBytes   = 1 << 20
	DefaultWriteTimeout = 20 * time.Second
)

// Options configures a Server. A zero field means its default.
type Options struct {
	// PingInterval is the time between two heartbeats: the server pings in
	// protocol 4, the client in protocol 3. Clients are told it in milliseconds. Up to a
	// twentieth of it, half a second at most, a ping may be late: those of many leave together.
	PingInterval time.Duration
	// PingTimeout is how long the answer to a heartbeat may take. A client that is late ends
	// with CloseReason PingTimeout.
	PingTimeout time.Duration
	// UpgradeTimeout bounds the time from a WebSocket that names a session to
	// its upgrade packet, the answer to its request included. The session goes on polling.
	UpgradeTimeout time.Duration
	// WriteTimeout bounds how long a peer may take nothing of what is written
	// to it; of a WebSocket over TLS and of an answer by net/http, how long it may take over
	// 64 KB. It ends with SlowClient.
	WriteTimeout time.Duration
	// BodyTimeout bounds how long the body of a POST may take to arrive; 0 means
	// PingInterval and PingTimeout together, which the session would not survive.
	BodyTimeout time.Duration
	// MaxPayload is the most bytes of one WebSocket message or one POST body. A client that
	// sends more ends with TransportError: close code 1009, or status 413.
	MaxPayload int64
	// HeadBytes bounds the request that opens a session, its target and fields
	// together: the session keeps them. More is answered with 431.
	HeadBytes int
	// Parameters bounds the parameters in the query of that request. More are answered
	// with 400.
	Parameters int
	// QueueBytes bounds what waits for one connection, each frame counted with 16
	// bytes more than it has. A connection that exceeds it is closed with
	// SlowClient; one frame larger than the bound is let through when nothing else
	// waits.
	QueueBytes int64
	// ControlFrames is how many frames and packets without a message a client may send in
	// a second: WebSocket pings and pongs, fragments below 128 bytes, heartbeats, probes and
	// all else that is none of its messages; ten times as many may come at once. Below 0
	// there is no bound. A client that sends more is closed with TransportError, and code
	// 1008 on a WebSocket; an upgrade that does ends alone.
	ControlFrames int
	// Transports lists what may be used, of Polling and WebSocket; nil means both.
	Transports []string
	// Protocols lists what is spoken, of 3 and 4; nil means both. A client of another is
	// told code 5.
	Protocols []int
	// NoUpgrades tells clients that poll not to try a WebSocket. One that tries is
	// served, as with Node.
	NoUpgrades bool
	// InitialPacket, if set, is a message that each new client gets right behind the open packet,
	// in the same answer if it polls. It is not counted as sent by the Conn's owner.
	InitialPacket *Frame
	// Headers, if set, may add fields to the answers that let a client in or belong to its session;
	// initial tells those of handshakes. It must not keep h. With it polls and POSTs are
	// served by net/http, at its cost.
	Headers func(h http.Header, r *http.Request, initial bool)
	// OnRefused, if set, is told of each request that is refused. It must not block.
	OnRefused func(Refused)
	// Origins lists the exact values of the Origin header that may connect,
	// over HTTP and WebSocket alike; nil lets any origin in. A request without
	// an Origin header, and a page of this very host, may always connect.
	Origins []string
	// Cookie, if set, tells clients their session id in a cookie too.
	Cookie *SessionCookie
	// Allow, if set, decides on each handshake, on the goroutine of its request. The text of its error is sent
	// to the client with code 4, Forbidden; a method HTTPStatus() int of it
	// says with which status, such as 429 or 503, in place of 403.
	Allow func(*http.Request) error
	// Forward, if set, is called with each request that names a session which
	// is not here. It answers the request and returns true when another server
	// has that session; otherwise it leaves w alone, returns false, and the
	// client is told code 1. The header of w holds what this server has set for
	// the origin; the answer of the other server replaces it.
	Forward func(w http.ResponseWriter, r *http.Request, sid string) bool
	// NoIOUring lets each delivery be a system call of its own, also where Linux' io_uring(7)
	// would let many share one. Server.IOUring tells what is in use.
	NoIOUring bool
	// Room, if set, is asked before n bytes of a large message or body are read.
	// While it says false they stay where they are, for two seconds at most: so a
	// process that is short of memory can let a flood wait.
	Room func(n int) bool
	// NewID makes session ids; nil means 20 random base64url characters. Ids must be hard to
	// guess. A handshake whose id is in use is refused. It does not get the request, as Node's
	// generateId does: an id that names its owner would name it to everybody on the way.
	NewID func() string
	// OnConnect is called once for each new connection before its first
	// packet and returns the receiver of what it sends. Required. It must not
	// block; it may call Send.
	OnConnect func(*Conn) Receiver
	// Logger gets one debug record for each connection's start and end; nil
	// discards them.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	orDuration := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	orDuration(&o.PingInterval, DefaultPingInterval)
	orDuration(&o.PingTimeout, DefaultPingTimeout)
	orDuration(&o.UpgradeTimeout, DefaultUpgradeTimeout)
	orDuration(&o.WriteTimeout, DefaultWriteTimeout)
	orDuration(&o.BodyTimeout, o.PingInterval+o.PingTimeout)
	if o.MaxPayload <= 0 {
		o.MaxPayload = DefaultMaxPayload
	}
	if o.HeadBytes <= 0 {
		o.HeadBytes = DefaultHeadBytes
	}
	if o.Parameters <= 0 {
		o.Parameters = DefaultParameters
	}
	if o.ControlFrames == 0 {
		o.ControlFrames = DefaultControlFrames
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = DefaultQueueBytes
	}
	if len(o.Transports) == 0 {
		o.Transports = []string{Polling, WebSocket}
	}
	if o.Cookie != nil {
		o.Cookie = o.Cookie.withDefaults()
	}
	if o.NewID == nil {
		o.NewID = newID
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o *Options) allowsTransport(name string) bool { return slices.Contains(o.Transports, name) }
