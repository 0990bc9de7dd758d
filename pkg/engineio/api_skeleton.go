package engineio

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Options configures a Server. Zero values mean the defaults of engine.io 6.6.
type Options struct {
	PingInterval, PingTimeout, UpgradeTimeout time.Duration // 25 s, 20 s, 10 s
	MaxPayload                                int64         // bytes, 1e6
	Transports                                []string      // {"polling","websocket"}
	Origins                                   []string      // exact origins; empty: any
	QueueBytes                                int64         // outbox bound of one connection, 1 MiB
	Logger                                    *slog.Logger  // nil: discard
	// OnConnect is called once for each new connection, before its first packet.
	OnConnect func(*Conn) Receiver
}

// Receiver gets what one connection receives. Calls never overlap.
type Receiver interface {
	// Receive gets one message. data belongs to the receiver. binary tells a binary message from a text.
	Receive(data []byte, binary bool)
	// Closed is the last call.
	Closed(reason CloseReason, err error)
}

type CloseReason string

const (
	TransportClose CloseReason = "transport close"
	TransportError CloseReason = "transport error"
	PingTimeout    CloseReason = "ping timeout"
	ParseError     CloseReason = "parse error"
	ForcedClose    CloseReason = "forced close"
	SlowClient     CloseReason = "slow client" // outbox over QueueBytes
)

type Server struct{}

func NewServer(Options) *Server                                  { return nil }
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}
func (s *Server) Len() int                                        { return 0 } // open connections
func (s *Server) Close(ctx context.Context) error                 { return nil }
func (s *Server) NewBatch() *Batch                                { return nil }

// Handshake is what is kept of the request that opened a connection.
type Handshake struct {
	Header     http.Header
	Host       string
	RequestURI string
	Query      url.Values
	RemoteAddr string
	TLS        bool
	Time       time.Time
}

type Conn struct{}

func (c *Conn) ID() string            { return "" }
func (c *Conn) Protocol() int         { return 0 } // 3 or 4
func (c *Conn) Transport() string     { return "" } // "polling" or "websocket", now
func (c *Conn) Handshake() *Handshake { return nil }
func (c *Conn) Open() bool            { return false }
func (c *Conn) Writable() bool        { return false } // for volatile: nothing queued, transport ready

// Send queues frames, all or none, with no other frame between them, and lets them leave at once. Never blocks. False: connection is closed or closing.
func (c *Conn) Send(frames ...*Frame) bool { return false }

// Close flushes what is queued, then closes. Discard closes at once. Neither blocks; Receiver.Closed follows from the connection's own goroutine.
func (c *Conn) Close()   {}
func (c *Conn) Discard() {}

// Frame is one Engine.IO message, encoded once and shared by every connection it goes to. Immutable.
type Frame struct{}

func NewTextFrame(parts ...[]byte) *Frame { return nil } // parts are concatenated (copied)
func NewBinaryFrame(data []byte) *Frame   { return nil } // data is copied

// Batch queues one broadcast on many connections and then lets all of them leave. Not for concurrent use; reusable after Flush.
type Batch struct{}

func (b *Batch) Send(c *Conn, frames ...*Frame) bool { return false }
func (b *Batch) Flush()                              {}
