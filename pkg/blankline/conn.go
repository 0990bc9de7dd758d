package blankline

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Listen returns l with connections that net/http is to read by way of this package.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http looks into it
	}
	return &conn{Conn: nc}, nil
}

// A conn is a connection of a Listener.
type conn struct {
	net.Conn
	scan scanner // owned by the goroutine that reads

	mu      sync.Mutex // guards the rest
	begun   int        // requests of which something has come
	handled int        // requests that the handler has been given
	behind  chan struct{}
	twice   bool // as of scanner
}

// Read reads what the client sent, without what stands between requests.
func (c *conn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		left := len(c.scan.scan(b[:n]))
		c.note(c.scan.begun, c.scan.twice)
		if left > 0 || err != nil || n == 0 {
			return left, err //nolint:wrapcheck // io.EOF has to stay
		}
	}
}

// note tells a handler that waits of another request.
func (c *conn) note(begun int, twice bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.twice = twice
	if begun == c.begun {
		return
	}
	c.begun = begun
	if c.behind != nil && c.begun > c.handled {
		close(c.behind)
		c.behind = nil
	}
}

// handle counts a request that the handler is given. It reports false if the request
// must not be served.
func (c *conn) handle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handled++
	c.behind = nil
	return !c.twice
}

// Behind returns a channel that is closed when a request has begun behind the last that
// the handler was given.
func (c *conn) Behind() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun > c.handled {
		return already
	}
	if c.behind == nil {
		c.behind = make(chan struct{})
	}
	return c.behind
}

// already is closed.
var already = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// SyscallConn is that of the connection below: nothing is kept here. A reader that
// uses it gets what comes as it comes.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := c.Conn.(syscall.Conn); ok {
		return sc.SyscallConn() //nolint:wrapcheck // this is the connection to its user
	}
	return nil, errors.ErrUnsupported
}

// Detach returns the connection below, for a user that has hijacked this one: nothing is
// kept here.
func (c *conn) Detach() (nc net.Conn, early []byte) { return c.Conn, nil }

// CloseWrite is what net/http ends a refused request with.
func (c *conn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite() //nolint:wrapcheck // as above
	}
	return errors.ErrUnsupported
}

type contextKey struct{}

// Context is an http.Server's ConnContext.
func Context(ctx context.Context, nc net.Conn) context.Context {
	if c, ok := nc.(*conn); ok {
		return context.WithValue(ctx, contextKey{}, c)
	}
	return ctx
}

// Handler has to see every request before Behind can tell of the next. It refuses one that has both a
// Content-Length and a Transfer-Encoding, as Node does: something on the way may have taken the one
// that net/http does not (RFC 9112, 6.3), and see other requests here than were meant.
func Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(contextKey{}).(*conn); ok {
			if !c.handle() {
				w.Header().Set("Connection", "close")
				// What the body is cannot be known: net/http must not wait for the rest of it.
				_ = http.NewResponseController(w).SetReadDeadline(time.Now())
				http.Error(w, "a request with two lengths", http.StatusBadRequest)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// Behind returns a channel that is closed when another request has begun to come on
// the connection of the request whose context is ctx. It is nil, which never happens, where
// nobody follows the connection.
func Behind(ctx context.Context) <-chan struct{} {
	f, ok := ctx.Value(contextKey{}).(Follower)
	if !ok {
		return nil
	}
	return f.Behind()
}

// A Follower follows the connection of a request in place of this package.
type Follower interface {
	// Behind returns a channel that is closed when another request has begun to come.
	Behind() <-chan struct{}
}

// With returns a context for a request whose connection f follows.
func With(ctx context.Context, f Follower) context.Context {
	return context.WithValue(ctx, contextKey{}, f)
}
