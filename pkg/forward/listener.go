package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What a front tells the owner about the client beside its own headers. Clients
// cannot: the public port does not know these names, and they are removed from
// what is forwarded.
const (
	headerAddr = "Chat-Client-Addr" // host:port of the TCP peer
	headerTLS  = "Chat-Client-Tls"  // "1" if it came over TLS
)

// Bounds of the internal listener. Fronts give an idle connection up long
// before the owner does, or a request could meet a connection that just closes.
const (
	maxNewcomers     = 256 // connections that have not proved themselves yet
	ownerIdleTimeout = 2 * time.Minute
	ownerHeaderTime  = 10 * time.Second
	ownerHeaderBytes = 64 << 10 // twice what the public port takes
)

// keepAlive finds out within some ten seconds that the other host is gone.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}

// A gate is a listener that lets in those who prove themselves.
type gate struct {
	net.Listener
	secrets  *secrets
	tag      string
	counters *counters

	proven chan net.Conn
	done   chan struct{}
	once   sync.Once
	guards sync.WaitGroup

	mu        sync.Mutex
	newcomers map[net.Conn]struct{} // being examined; nil once closed
}

// newGate starts to accept. Close ends it.
func newGate(l net.Listener, s *secrets, tag string, c *counters) *gate {
	g := &gate{
		Listener: l, secrets: s, tag: tag, counters: c,
		proven: make(chan net.Conn), done: make(chan struct{}), newcomers: make(map[net.Conn]struct{}),
	}
	g.guards.Go(g.admit)
	return g
}

// Accept returns the next connection that has proved itself. It is the plain
// TCP connection: the engine has short cuts for those.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case nc := <-g.proven:
		return nc, nil
	case <-g.done:
		return nil, net.ErrClosed
	}
}

// Close closes the listener and waits for the goroutines.
func (g *gate) Close() error {
	var err error
	g.once.Do(func() {
		close(g.done)
		err = g.Listener.Close()
		g.mu.Lock()
		for nc := range g.newcomers {
			nc.Close()
		}
		g.newcomers = nil
		g.mu.Unlock()
	})
	g.guards.Wait()
	return err
}

func (g *gate) admit() {
	slots := make(chan struct{}, maxNewcomers)
	for {
		nc, err := g.Listener.Accept()
		if err != nil {
			select {
			case <-g.done:
				return
			case <-time.After(50 * time.Millisecond): // out of descriptors, say
				continue
			}
		}
		select {
		case slots <- struct{}{}:
			g.guards.Go(func() {
				defer func() { <-slots }()
				g.examine(nc)
			})
		case <-g.done:
			nc.Close()
			return
		}
	}
}

// examine lets nc in, or closes it.
func (g *gate) examine(nc net.Conn) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetKeepAliveConfig(keepAlive) // it serves without, too
	}
	if !g.enter(nc) {
		nc.Close()
		return
	}
	_ = nc.SetDeadline(time.Now().Add(proveTimeout)) // fails on a closed connection only
	err := g.secrets.check(nc, g.tag)
	g.leave(nc)
	if err != nil {
		g.counters.intruders.Add(1)
		nc.Close()
		return
	}
	_ = nc.SetDeadline(time.Time{})
	select {
	case g.proven <- nc:
	case <-g.done:
		nc.Close()
	}
}

// enter reports false when the gate is closed already.
func (g *gate) enter(nc net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.newcomers == nil {
		return false
	}
	g.newcomers[nc] = struct{}{}
	return true
}

func (g *gate) leave(nc net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.newcomers, nc)
}

// peerKey marks the context of a request that another instance has forwarded.
type peerKey struct{}

// FromPeer tells whether a request was forwarded by another instance. Its
// address and headers are those of the client all the same.
func FromPeer(ctx context.Context) bool { return ctx.Value(peerKey{}) != nil }

// newOwnerServer serves what comes through the gate.
func newOwnerServer(h http.Handler, sessions Sessions, c *counters, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if command := r.Header.Get(headerCommand); command != "" {
				serveCommand(w, command, r.URL.Query().Get("sid"), sessions)
				return
			}
			r.RemoteAddr = r.Header.Get(headerAddr)
			if r.Header.Get(headerTLS) != "" {
				r.TLS = &tls.ConnectionState{}
			}
			delete(r.Header, headerAddr)
			delete(r.Header, headerTLS)
			c.served.Add(1)
			h.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: ownerHeaderTime,
		IdleTimeout:       ownerIdleTimeout,
		MaxHeaderBytes:    ownerHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), peerKey{}, true)
		},
	}
}

// defaultPort is the internal listener's, if it is free.
const defaultPort = "9465"

// listen opens the internal listener. Without an address of the operator's it
// is where the others will look for it, at the usual port or, if another
// instance of this host has that, at a free one. Only when the others know this
// host by an address that it does not have itself, it is on all interfaces.
func listen(configured, host string) (net.Listener, error) {
	if configured != "" {
		return net.Listen("tcp", configured)
	}
	here, elsewhere := net.JoinHostPort(host, defaultPort), ":"+defaultPort
	if _, err := netip.ParseAddr(host); err != nil {
		here = elsewhere // a name
	}
	l, err := net.Listen("tcp", here)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		here = elsewhere
		l, err = net.Listen("tcp", here)
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		l, err = net.Listen("tcp", strings.TrimSuffix(here, defaultPort)+"0")
	}
	return l, err
}
