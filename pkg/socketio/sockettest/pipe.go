package sockettest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"socketio-chat/pkg/e2e/simulation/line"
)

// pipe returns the client's end of a connection whose other end net/http serves with the handler.
func pipe(tb testing.TB, handler http.Handler) net.Conn {
	client, server := net.Pipe()
	listener := line.Listen("pipe")
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
	if err := listener.Serve(server); err != nil {
		tb.Errorf("serving a pipe: %v", err)
	}
	return client
}

// withEarly reads first what came together with the answer to the handshake.
func withEarly(conn net.Conn, early *bufio.Reader) io.Reader {
	if early == nil {
		return conn
	}
	return io.MultiReader(io.LimitReader(early, int64(early.Buffered())), conn)
}
