package engineio

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/unread"
)

// The front stands between a listener and net/http. It answers polls and POSTs of
// sessions itself, and lets FrontOptions.Handler answer all other plain requests. A
// connection has exactly one owner at any time, which alone reads, writes and closes it:
//
//	                accept
//	                  │
//	             ┌────▼────┐ bytes  ┌─────────┐ poll, nothing to say  ┌─────────┐
//	             │ resting ├───────►│ worker  ├──────────────────────►│ session │
//	             └──┬───▲──┘        └┬──┬───┬─┘                       └────┬────┘
//	 too long, or   │   │  answered  │  │   │ not plain                    │ packets
//	 server closed  │   └────────────┘  │   └──────────► net/http     ┌────▼────┐
//	                ▼   ▲               └─ 101 ────────► wsTransport  │ flusher │
//	             closed └─────────────────────────────────────────────┤ answers │
//	                                                                  └─────────┘
//
// parse decides what is plain, on the bytes of one read that hold a whole head and at
// most one request. All other bytes go to net/http as they came, and the connection with
// them, for good: so the front reads no heads in pieces, and needs no timeouts but for
// connections that rest and bodies that are still to come.

// FrontOptions configures Server.Front.
type FrontOptions struct {
	// Path is where the server is mounted, "/socket.io/".
	Path string
	// Handler serves all requests but polls and POSTs of sessions that exist, for
	// whatever path. It must lead those for Path to Server.ServeHTTP; it may refuse
	// them before. Its ResponseWriter buffers 8 KB and can be flushed and hijacked.
	Handler http.Handler
	// HeaderTimeout is how long a new connection may send nothing; 0 means 60 s.
	HeaderTimeout time.Duration
	// IdleTimeout is how long a connection may rest between requests; 0 means 75 s.
	IdleTimeout time.Duration
}

// Lean returns a listener for [Server.Front], in place of one of package net for TCP: it accepts at less cost, and
// its connections inherit the options of its socket, such as how often a silent peer is asked whether it is there. It is
// the one to close: l alone would leave the port open. Any other listener, and on other systems than Linux each, is
// returned as it is.
func Lean(l net.Listener) net.Listener { return netpoll.Listen(l) }

// Front returns a listener for an http.Server, which then gets the connections of
// l that the front has no use for: see front. Without it, and on systems without
// epoll, all is served by net/http, with the same answers. Closing the listener
// closes l and the connections that rest; Accept then waits for requests of Handler, 4 s
// at most.
func (s *Server) Front(l net.Listener, o FrontOptions) net.Listener {
	if o.HeaderTimeout <= 0 {
		o.HeaderTimeout = 60 * time.Second
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 75 * time.Second
	}
	f := &front{
		Listener: l, server: s, opts: o,
		handed: make(chan net.Conn), failed: make(chan error), closed: make(chan struct{}),
		served: make(map[*servedRequest]struct{}),
	}
	f.fresh.timeout, f.idle.timeout = o.HeaderTimeout, o.IdleTimeout
	s.mu.Lock()
	s.fronts = append(s.fronts, f)
	s.mu.Unlock()
	return f
}

// A front is the net.Listener that Server.Front returns.
type front struct {
	net.Listener
	server *Server
	opts   FrontOptions

	start   sync.Once
	handed  chan net.Conn // for net/http
	failed  chan error    // of accepting
	closing sync.Once
	closed  chan struct{}
	stopped atomic.Bool // nothing may rest any more

	fresh, idle restList
	unread      unread.Answers
	date        dateCache
	requests    running // goroutines that serve requests of other kinds than sessions'

	mu     sync.Mutex
	served map[*servedRequest]struct{} // by the handler, now
}

// Accept returns a connection for net/http. Once the listener is closed it waits for the
// requests that the handler serves: an http.Server that shuts down waits for Accept, and
// holds its lock only while it closes its listeners.
func (f *front) Accept() (net.Conn, error) {
	f.start.Do(func() { go f.accept() })
	select {
	case nc := <-f.handed:
		return nc, nil
	case err := <-f.failed:
		if errors.Is(err, net.ErrClosed) {
			f.finish()
		}
		return nil, err
	case <-f.closed:
		f.finish()
		return nil, net.ErrClosed
	}
}

// accept ends when the listener is closed.
func (f *front) accept() {
	for {
		nc, err := f.Listener.Accept()
		if err == nil {
			f.take(nc)
			continue
		}
		select {
		case f.failed <- err: // net/http decides whether to wait and go on
		case <-f.closed:
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// take lets a new connection rest until its first request, if it can.
func (f *front) take(nc net.Conn) {
	if lean, ok := netpoll.Slim(nc); ok {
		nc = lean
	}
	raw, fd := netpoll.Socket(nc)
	if raw == nil {
		f.hand(nc)
		return
	}
	fc := &frontConn{front: f, nc: nc, raw: raw, fd: fd, remote: remoteAddr(nc), parking: new(netpoll.Parking)}
	if f.stopped.Load() {
		f.hand(fc.release())
		return
	}
	fc.list = &f.fresh
	fc.handler = fc
	fc.parking.Handle(&fc.handler)
	if !f.server.poller.Add(fc.parking, fc.raw) {
		f.hand(fc.release())
		return
	}
	fc.goOn(&f.fresh)
}

// hand gives a connection to net/http.
func (f *front) hand(nc net.Conn) {
	select {
	case f.handed <- nc:
	case <-f.closed:
		_ = nc.Close() // nothing was answered
	}
}

// Close ends Accept and the connections that rest. Polls that wait are answered still.
func (f *front) Close() error {
	err := f.Listener.Close()
	f.closing.Do(func() { close(f.closed) })
	f.stop()
	return err
}

// stop lets no connection rest any more.
func (f *front) stop() {
	f.stopped.Store(true)
	for _, l := range []*restList{&f.fresh, &f.idle} {
		for _, fc := range l.all() {
			fc.evict()
		}
	}
}

// remember and forget keep the requests that the handler serves.
func (f *front) remember(r *servedRequest) {
	f.mu.Lock()
	f.served[r] = struct{}{}
	f.mu.Unlock()
}

func (f *front) forget(r *servedRequest) {
	f.mu.Lock()
	delete(f.served, r)
	f.mu.Unlock()
}

// The requests that the handler serves have this long to end by themselves, and then as
// long again when their contexts have: what passes to another instance is answered by it,
// and the engine's own end must not cut that.
const finishTime = 2 * time.Second

// finish waits for the requests that the handler serves. Those that do not end are told
// that their client has gone, and at last left alone: every write has a deadline.
func (f *front) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), finishTime)
	defer cancel()
	if f.requests.wait(ctx) != nil {
		f.mu.Lock()
		for r := range f.served {
			r.end()
		}
		f.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), finishTime)
		defer cancel()
		_ = f.requests.wait(ctx)
	}
}
