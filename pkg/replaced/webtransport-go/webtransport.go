// Package webtransport stands in for github.com/zishang520/webtransport-go, which this server does not need: see
// ../README.md.
package webtransport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// ErrNotLinked is what Server and Session return.
var ErrNotLinked = errors.New("WebTransport is not linked into this program: see pkg/replaced")

// Server serves nothing.
type Server struct {
	H3          http3.Server
	CheckOrigin func(*http.Request) bool
}

// ListenAndServeTLS returns ErrNotLinked.
func (*Server) ListenAndServeTLS(certFile, keyFile string) error { return ErrNotLinked }

// Upgrade returns ErrNotLinked: there is never a Session.
func (*Server) Upgrade(http.ResponseWriter, *http.Request) (*Session, error) {
	return nil, ErrNotLinked
}

// Close has nothing to close.
func (*Server) Close() error { return nil }

// SessionErrorCode is the type of a session's reason to end.
type SessionErrorCode uint32

// Session never exists.
type Session struct{}

// AcceptStream returns ErrNotLinked.
func (*Session) AcceptStream(context.Context) (Stream, error) { return nil, ErrNotLinked }

// CloseWithError returns ErrNotLinked.
func (*Session) CloseWithError(SessionErrorCode, string) error { return ErrNotLinked }

// LocalAddr returns nil.
func (*Session) LocalAddr() net.Addr { return nil }

// RemoteAddr returns nil.
func (*Session) RemoteAddr() net.Addr { return nil }

// Stream is what the libraries expect of a stream.
type Stream interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}
