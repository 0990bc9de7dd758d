package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"socketio-chat/pkg/logs/logtest"
)

// patience is how long a test waits for what must come. It decides only how soon a failure shows.
const patience = 10 * time.Second

// testServer is a Server behind a listener of its own.
type testServer struct {
	*Server
	tb   testing.TB
	http *httptest.Server
	log  *logtest.Buffer
}

func newTestServer(tb testing.TB, opts Options) *testServer {
	tb.Helper()
	s := &testServer{tb: tb, log: new(logtest.Buffer)}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	s.Server = NewServer(opts)
	s.http = httptest.NewServer(s.Server)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			tb.Errorf("close the server: %v", err)
		}
		s.http.Close()
	})
	return s
}

// testClient is an Engine.IO client over WebSocket that shows every message as it is.
type testClient struct {
	tb       testing.TB
	conn     net.Conn
	protocol int
	sid      string // of Engine.IO
}

// dial opens a session; query is added to the address.
func (s *testServer) dial(tb testing.TB, protocol int, query string) *testClient {
	tb.Helper()
	url := fmt.Sprintf("ws%s/socket.io/?EIO=%d&transport=websocket&%s", strings.TrimPrefix(s.http.URL, "http"), protocol, query)
	conn, br, _, err := ws.Dial(context.Background(), url)
	if err != nil {
		tb.Fatalf("dial: %v", err)
	}
	c := &testClient{tb: tb, conn: conn, protocol: protocol}
	if br != nil { // the open packet came with the response
		c.conn = &bufferedConn{conn, io.MultiReader(io.LimitReader(br, int64(br.Buffered())), conn)}
	}
	tb.Cleanup(func() { conn.Close() })
	var open struct{ Sid string }
	m := c.read()
	if m[0] != '0' || json.Unmarshal([]byte(m[1:]), &open) != nil {
		tb.Fatalf("first message %q is no open packet", m)
	}
	c.sid = open.Sid
	return c
}

type bufferedConn struct {
	net.Conn
	r io.Reader
}

func (c *bufferedConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// read returns the next Engine.IO packet but heartbeats, a binary message with "b:" before it.
func (c *testClient) read() string {
	c.tb.Helper()
	m, err := c.tryRead()
	if err != nil {
		c.tb.Fatalf("read: %v", err)
	}
	return m
}

func (c *testClient) tryRead() (string, error) {
	for {
		if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return "", err
		}
		b, op, err := wsutil.ReadServerData(c.conn)
		switch {
		case err != nil:
			return "", err
		case op == ws.OpBinary:
			return "b:" + string(b), nil
		case string(b) == "2" && c.protocol == 4:
			c.write("3")
		default:
			return string(b), nil
		}
	}
}

func (c *testClient) write(packet string) {
	c.tb.Helper()
	if err := wsutil.WriteClientText(c.conn, []byte(packet)); err != nil {
		c.tb.Logf("write %.60q: %v", packet, err) // the server may have closed; what follows tells
	}
}

// send sends a Socket.IO packet.
func (c *testClient) send(packet string) {
	c.tb.Helper()
	c.write("4" + packet)
}

// sendBinary sends an attachment.
func (c *testClient) sendBinary(b string) {
	c.tb.Helper()
	if c.protocol == 3 {
		b = "\x04" + b
	}
	if err := wsutil.WriteClientBinary(c.conn, []byte(b)); err != nil {
		c.tb.Logf("write: %v", err)
	}
}

// next returns the next Socket.IO packet, or an attachment as "b:…".
func (c *testClient) next() string {
	c.tb.Helper()
	m := c.read()
	if b, ok := strings.CutPrefix(m, "b:"); ok {
		if c.protocol == 3 {
			b = strings.TrimPrefix(b, "\x04")
		}
		return "b:" + b
	}
	if m[0] != '4' {
		c.tb.Fatalf("got the packet %q, want a message", m)
	}
	return m[1:]
}

// want fails unless exactly these packets come next.
func (c *testClient) want(packets ...string) {
	c.tb.Helper()
	for _, want := range packets {
		if got := c.next(); got != want {
			c.tb.Fatalf("got  %q\nwant %q", got, want)
		}
	}
}

// wantClosed fails unless the server closes the connection, with nothing more sent.
func (c *testClient) wantClosed() {
	c.tb.Helper()
	m, err := c.tryRead()
	if err == nil {
		c.tb.Fatalf("got %q, want the connection closed", m)
	}
	var closed wsutil.ClosedError
	if !errors.As(err, &closed) && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset by peer") {
		c.tb.Fatalf("got %v, want the connection closed", err)
	}
}

// join joins a namespace and returns the socket's id.
func (c *testClient) join(nsp string) string {
	c.tb.Helper()
	if c.protocol == 3 {
		if nsp != "/" {
			c.send("0" + nsp + ",")
		}
		c.want("0" + strings.TrimPrefix(nsp+",", "/,"))
		return strings.TrimPrefix(nsp, "/") + c.sid
	}
	prefix := "0"
	if nsp != "/" {
		prefix += nsp + ","
	}
	c.send(prefix)
	m := c.next()
	var connect struct{ Sid string }
	rest, ok := strings.CutPrefix(m, prefix)
	if !ok || json.Unmarshal([]byte(rest), &connect) != nil {
		c.tb.Fatalf("got %q, want the answer to %q", m, prefix)
	}
	return connect.Sid
}

// dialChat opens a session that has joined nsp.
func (s *testServer) dialJoined(tb testing.TB, protocol int, nsp string) *testClient {
	tb.Helper()
	c := s.dial(tb, protocol, "")
	if protocol == 3 && nsp != "/" {
		c.want("0")
	}
	c.join(nsp)
	return c
}

// receive waits for a value that another goroutine sends.
func receive[T any](tb testing.TB, ch <-chan T) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		tb.Fatalf("nothing came within %v", patience)
		panic("unreachable")
	}
}

// eventually waits for a condition that nothing announces.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("still not so after %v: %s", patience, what)
		}
	}
}
