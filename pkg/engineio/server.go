package engineio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/payload"
)

// A Server holds the sessions and serves the requests that belong to them. It
// is an http.Handler for whatever path it is mounted at.
type Server struct {
	opts    Options
	flusher *flusher
	poller  *netpoll.Poller
	stats   Stats
	slow    goneSlow

	deadlines *deadlines

	heavyWork chan struct{} // holds as many as encode long answers; see heavy

	hurried atomic.Bool // clients that leave get hurriedLinger

	running running // connections until Receiver.Closed returned, and all goroutines

	mu     sync.RWMutex // guards the rest
	conns  map[string]*Conn
	closed bool
	fronts []*front
}

// NewServer returns a server. It panics without Options.OnConnect, which is a
// mistake of the program and of no input.
func NewServer(opts Options) *Server {
	if opts.OnConnect == nil {
		panic("engineio: Options.OnConnect is nil")
	}
	s := &Server{
		opts:  opts.withDefaults(),
		conns: make(map[string]*Conn),

		heavyWork: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	s.flusher = newFlusher(&s.running, !s.opts.NoIOUring)
	s.deadlines = newDeadlines(&s.opts, &s.running)
	s.poller = netpoll.New(s.running.start, s.flusher.ring)
	return s
}

// Len is the number of open connections.
func (s *Server) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.conns)
}

// NewBatch returns an empty Batch for connections of this server.
func (s *Server) NewBatch() *Batch { return &Batch{flusher: s.flusher} }

// Close refuses new connections, ends those there are as Conn.Leave does but
// receives nothing more, and waits until all of it is over. When ctx ends first, what is left is
// discarded and the error of ctx returned. Close may be called again.
func (s *Server) Close(ctx context.Context) error {
	s.refuse()
	s.each((*Conn).leaveUnheard)
	if err := s.running.wait(ctx); err != nil {
		s.each((*Conn).Discard)
		go func() { // ends within closeLinger of the last receiver
			_ = s.running.wait(context.Background())
			s.stopFronts(context.Background())
		}()
		return fmt.Errorf("close the connections: %w", err)
	}
	s.stopFronts(ctx)
	return nil
}

// stopFronts leaves all connections to net/http from now on, and ends the poller.
func (s *Server) stopFronts(ctx context.Context) {
	s.mu.Lock()
	fronts := s.fronts
	s.fronts = nil
	s.mu.Unlock()
	for _, f := range fronts {
		f.stop()
	}
	_ = s.running.wait(ctx) // for the requests that came meanwhile
	s.poller.Close()
	_ = s.running.wait(ctx) // for what that has started at last
	s.deadlines.close()
	s.flusher.ring.Close()
}

func (s *Server) each(f func(*Conn)) {
	for _, c := range s.snapshot() {
		f(c)
	}
}

func (s *Server) snapshot() []*Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	conns := make([]*Conn, 0, len(s.conns))
	for _, c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// lookup returns the session of an id that came from outside.
func (s *Server) lookup(id string) (*Conn, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.conns[id]
	return c, ok
}

func (s *Server) forget(c *Conn, reason CloseReason, err error) {
	s.mu.Lock()
	delete(s.conns, c.id)
	s.mu.Unlock()
	s.stats.closed(reason, err)
	if s.debugs() {
		s.opts.Logger.Debug("connection closed", slog.String("sid", c.id), slog.String("reason", string(reason)))
	}
}

// register makes a session of the request r, with its open packet queued. It
// returns nil when the server is closed, or NewID gave an id that is in use.
func (s *Server) register(r *http.Request, q *query, t *wsTransport) *Conn {
	c := &Conn{
		server: s,
		id:     s.opts.NewID(),
		sender: sender{ws: t, protocol: uint8(q.protocol()), b64: q.b64 != ""},
		handshake: &Handshake{
			Header: r.Header, Host: r.Host, RequestURI: r.RequestURI, rawQuery: rawQuery(r),
			RemoteAddr: r.RemoteAddr, TLS: r.TLS != nil, Time: time.Now(),
		},
	}
	c.sender.text.Store(uint32(payload.TextRuleOf(q.eio, q.t)))
	c.intake.mu.Lock() // nothing is received, nor Closed called, before the receiver is there
	defer c.intake.mu.Unlock()
	first := []*Frame{s.openFrame(c)}
	if s.opts.InitialPacket != nil {
		first = append(first, s.opts.InitialPacket)
		c.sender.greeted = true // both go into the first answer
	}
	_, schedule := c.enqueue(first)
	if !s.admit(c) {
		return nil
	}
	s.stats.opened.Add(1)
	if s.debugs() {
		s.opts.Logger.Debug("connection opened", slog.String("sid", c.id), slog.Int("protocol", c.Protocol()),
			slog.String("transport", c.Transport()), slog.String("remote", r.RemoteAddr), requestID(r))
	}
	c.intake.receiver = noReceiver{}
	c.guard(func() { c.intake.receiver = s.opts.OnConnect(c) })
	if schedule { // what OnConnect sent leaves with the open packet
		s.flusher.flushHere(c)
	}
	return c
}

// admit makes a new connection known and starts its heartbeat. It reports
// false when the server is closed or the id is in use.
func (s *Server) admit(c *Conn) bool {
	c.mu.Lock() // Server.Close finds a connection only with its deadline
	defer c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.conns[c.id]; taken || s.closed {
		return false
	}
	s.conns[c.id] = c
	s.running.add()
	c.startHeartbeatLocked()
	return true
}

// openFrame is the open packet, its keys in the order of Node's engine.
func (s *Server) openFrame(c *Conn) *Frame {
	upgrades := ""
	if c.sender.ws == nil && !s.opts.NoUpgrades && s.opts.allowsTransport(WebSocket) {
		upgrades = `"websocket"`
	}
	var room [192]byte
	b := append(append(room[:0], `{"sid":"`...), c.id...)
	b = append(append(b, `","upgrades":[`...), upgrades...)
	b = strconv.AppendInt(append(b, `],"pingInterval":`...), s.opts.PingInterval.Milliseconds(), 10)
	b = strconv.AppendInt(append(b, `,"pingTimeout":`...), s.opts.PingTimeout.Milliseconds(), 10)
	b = strconv.AppendInt(append(b, `,"maxPayload":`...), s.opts.MaxPayload, 10)
	return newTextFrame(packet.Open, append(b, '}'))
}

func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		hasToken(r.Header.Values("Connection"), "upgrade")
}

func hasToken(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
