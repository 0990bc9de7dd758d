package sockettest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// pipe returns the client's end of a connection whose other end net/http serves with the handler.
func pipe(tb testing.TB, handler http.Handler) net.Conn {
	client, server := net.Pipe()
	listener := &once{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	listener.conn <- server
	serve := &http.Server{Handler: handler} //nolint:gosec // the peer is the test itself
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := serve.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			tb.Errorf("serving a pipe: %v", err)
		}
	}()
	tb.Cleanup(func() {
		_ = serve.Close()
		<-ended
	})
	return client
}

// once is a listener that accepts one connection.
type once struct {
	conn   chan net.Conn
	close  sync.Once
	closed chan struct{}
}

func (l *once) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *once) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

func (l *once) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// withEarly reads first what came together with the answer to the handshake.
func withEarly(conn net.Conn, early *bufio.Reader) io.Reader {
	if early == nil {
		return conn
	}
	return io.MultiReader(io.LimitReader(early, int64(early.Buffered())), conn)
}
