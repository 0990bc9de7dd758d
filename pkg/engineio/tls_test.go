package engineio

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// serveTLS is serve over TLS, where the server has no plain socket to write to.
func serveTLS(t testing.TB, opts Options) (*testServer, *websocket.Dialer) {
	t.Helper()
	s := newTestServer(opts)
	s.http = httptest.NewTLSServer(s.Server)
	s.closeWith(t)
	return s, &websocket.Dialer{TLSClientConfig: s.http.Client().Transport.(*http.Transport).TLSClientConfig}
}

// Over TLS the same is promised as without.
func TestTLS(t *testing.T) {
	srv, dialer := serveTLS(t, Options{QueueBytes: 64 << 20})
	alice := dialWith(t, srv, "EIO=4&transport=websocket", dialer)
	alice.readOpen(t)
	server := srv.accept(t)
	if !server.Handshake().TLS {
		t.Error("the handshake does not know of TLS")
	}
	long := strings.Repeat("안녕", 100_000)
	alice.sendText(t, "4"+long)
	server.want(t, message(long))
	for i := range 20 {
		server.Send(NewBinaryFrame(pattern(i, 100_000)), NewTextFrame([]byte("end")))
	}
	for i := range 20 {
		alice.wantBinary(t, pattern(i, 100_000))
		alice.wantText(t, "4end")
	}
	for range 100 {
		alice.sendText(t, "4ping")
		server.want(t, "ping")
		server.sendText("pong")
		alice.wantText(t, "4pong")
	}
	server.sendText("last words")
	server.Close()
	alice.wantText(t, "4last words")
	alice.wantClose(t, 1005, "")
	server.wantClosed(t, ForcedClose)

	bob := dialWith(t, srv, "EIO=3&transport=websocket", dialer)
	bob.readOpen(t)
	server = srv.accept(t)
	bob.write(t, masked(0x88, []byte("\x03\xe8")))
	bob.wantCloseFrame(t, 1000, "")
	bob.wantEOF(t)
	server.wantClosed(t, TransportClose)

	carol := dialWith(t, srv, "EIO=4&transport=websocket", dialer)
	carol.readOpen(t)
	server = srv.accept(t)
	carol.write(t, masked(0xc1, []byte("4x")))
	carol.wantClose(t, 1002, "non-zero rsv bits with no extension negotiated")
	server.wantClosed(t, TransportError)
}
