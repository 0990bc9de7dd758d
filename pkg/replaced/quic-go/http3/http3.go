// Package http3 stands in for github.com/quic-go/quic-go/http3, which this server does not need: see ../../README.md.
package http3

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"

	"github.com/quic-go/quic-go"
)

// ErrNotLinked is what every Server returns.
var ErrNotLinked = errors.New("HTTP/3 is not linked into this program: see pkg/replaced")

// Server serves nothing.
type Server struct {
	Addr       string
	Handler    http.Handler
	TLSConfig  *tls.Config
	QUICConfig *quic.Config
}

// Serve returns ErrNotLinked.
func (*Server) Serve(net.PacketConn) error { return ErrNotLinked }

// SetQUICHeaders returns ErrNotLinked: nothing is there to announce.
func (*Server) SetQUICHeaders(http.Header) error { return ErrNotLinked }

// Close has nothing to close.
func (*Server) Close() error { return nil }
