package engineio

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// A pipeClient is a WebSocket client without a network, for tests under
// synctest: their clock stands still while anything happens, so that they can
// tell when it happened to the nanosecond.
type pipeClient struct {
	nc     net.Conn
	frames chan ws.Frame // what came; closed at the end
	idle   chan struct{} // closed when the reading has stopped
}

// newPipeServer returns a server without an address.
func newPipeServer(opts Options) *testServer { return newTestServer(opts) }

// dialPipe opens a session whose WebSocket is a pipe. Its client reads all the
// time; with deaf it reads nothing.
func dialPipe(t testing.TB, s *testServer, protocol int, deaf bool) (*pipeClient, *peer) {
	t.Helper()
	client, server := net.Pipe()
	return dialConn(t, s, protocol, deaf, client, server)
}

// dialHalfClosing is dialPipe with a connection whose directions end one by one.
func dialHalfClosing(t testing.TB, s *testServer, protocol int) (*pipeClient, *peer) {
	t.Helper()
	down, downEnd := net.Pipe()
	upEnd, up := net.Pipe()
	client, server := &twoPipes{Conn: downEnd, up: up}, &twoPipes{Conn: upEnd, up: down}
	return dialConn(t, s, protocol, false, client, server)
}

// A twoPipes reads from one pipe and writes to another.
type twoPipes struct {
	net.Conn
	up net.Conn
}

func (c *twoPipes) Write(b []byte) (int, error) { return c.up.Write(b) }
func (c *twoPipes) CloseWrite() error           { return c.up.Close() }
func (c *twoPipes) Close() error                { return errors.Join(c.Conn.Close(), c.up.Close()) }

func (c *twoPipes) SetDeadline(at time.Time) error {
	return errors.Join(c.Conn.SetDeadline(at), c.up.SetDeadline(at))
}
func (c *twoPipes) SetWriteDeadline(at time.Time) error { return c.up.SetWriteDeadline(at) }

func dialConn(t testing.TB, s *testServer, protocol int, deaf bool, client, server net.Conn) (*pipeClient, *peer) {
	t.Helper()
	q := &query{eio: strconv.Itoa(protocol), transport: WebSocket}
	tr := newWSTransport(server, &s.running)
	r := newWSReader(tr, s.opts.MaxPayload, nil)
	c := s.register(httptest.NewRequest(http.MethodGet, "/", nil), q, tr)
	s.running.start(func() { c.readWebSocket(r) })
	p := &pipeClient{nc: client}
	t.Cleanup(func() { _ = client.Close() })
	if !deaf {
		p.start()
		if f := <-p.frames; len(f.Payload) == 0 || f.Payload[0] != '0' {
			t.Fatalf("got %q, want the open packet", f.Payload)
		}
	}
	return p, <-s.peers
}

// start makes the client read all that comes.
func (p *pipeClient) start() {
	frames, idle := make(chan ws.Frame, 1000), make(chan struct{})
	p.frames, p.idle = frames, idle
	go func() {
		defer close(idle)
		defer close(frames)
		for {
			f, err := ws.ReadFrame(p.nc) //nolint:staticcheck // the server under test sends no frame too large
			if err != nil {
				return
			}
			frames <- f
		}
	}()
}

// stop makes the client read nothing more, until start.
func (p *pipeClient) stop(t testing.TB) {
	t.Helper()
	_ = p.nc.SetReadDeadline(time.Unix(1, 0))
	<-p.idle
	_ = p.nc.SetReadDeadline(time.Time{})
}

// wantText expects the next frame.
func (p *pipeClient) wantText(t testing.TB, want string) {
	t.Helper()
	f, ok := <-p.frames
	if !ok || f.Header.OpCode != ws.OpText || string(f.Payload) != want {
		t.Fatalf("got %v %q (connected: %v), want %q", f.Header.OpCode, f.Payload, ok, want)
	}
}

// wantClose expects a close frame next.
func (p *pipeClient) wantClose(t testing.TB, payload string) {
	t.Helper()
	f, ok := <-p.frames
	if !ok || f.Header.OpCode != ws.OpClose || string(f.Payload) != payload {
		t.Fatalf("got %v %q (connected: %v), want a close frame %q", f.Header.OpCode, f.Payload, ok, payload)
	}
}

// wantEOF expects the end of the connection next.
func (p *pipeClient) wantEOF(t testing.TB) {
	t.Helper()
	if f, ok := <-p.frames; ok {
		t.Fatalf("got %v %q, want the end", f.Header.OpCode, f.Payload)
	}
}

// answerClose sends an empty close frame.
func (p *pipeClient) answerClose(t testing.TB) {
	t.Helper()
	if _, err := p.nc.Write(masked(0x88, nil)); err != nil {
		t.Fatal(err)
	}
}

func (p *pipeClient) send(t testing.TB, packet string) {
	t.Helper()
	p.write(t, text(packet))
}

// write sends bytes as they are.
func (p *pipeClient) write(t testing.TB, raw []byte) {
	t.Helper()
	if _, err := p.nc.Write(raw); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(err)
	}
}

// A request served without a network.
func (s *testServer) request(method, query string, body io.Reader) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, "/engine.io/?"+query, body))
	return w
}
