package engineio

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// A wsClient is a client on a WebSocket. Its reading side is another
// implementation of RFC 6455 than ours; its writing side sends what it is told,
// right or wrong.
type wsClient struct {
	ws   *websocket.Conn
	open string // the data of the open packet

	writing sync.Mutex
}

// dialWebSocket opens a session over WebSocket.
func dialWebSocket(t testing.TB, s *testServer, protocol int) *wsClient {
	t.Helper()
	c := dialPlain(t, s, fmt.Sprintf("EIO=%d&transport=websocket", protocol))
	c.readOpen(t)
	return c
}

// dialSlow is dialWebSocket with a receive buffer of a few kilobytes.
func dialSlow(t testing.TB, s *testServer, protocol int) *wsClient {
	t.Helper()
	c := dialWith(t, s, fmt.Sprintf("EIO=%d&transport=websocket", protocol), smallReader)
	c.readOpen(t)
	return c
}

// smallReader dials with a receive buffer of a few kilobytes.
var smallReader = &websocket.Dialer{
	NetDial: func(network, addr string) (net.Conn, error) {
		nc, err := net.Dial(network, addr)
		if err == nil {
			err = nc.(*net.TCPConn).SetReadBuffer(16 << 10)
		}
		return nc, err
	},
}

// dialPlain opens a WebSocket and reads nothing.
func dialPlain(t testing.TB, s *testServer, query string) *wsClient {
	t.Helper()
	return dialWith(t, s, query, websocket.DefaultDialer)
}

func dialWith(t testing.TB, s *testServer, query string, d *websocket.Dialer) *wsClient {
	t.Helper()
	ws, res, err := d.Dial(s.url("ws", query), http.Header{})
	if err != nil {
		t.Fatalf("dial: %v, %v", err, res)
	}
	c := &wsClient{ws: ws}
	ws.SetCloseHandler(func(int, string) error { return nil }) // tests answer themselves
	t.Cleanup(c.cut)
	return c
}

func (c *wsClient) readOpen(t testing.TB) {
	t.Helper()
	text, binary := c.read(t)
	if binary || !strings.HasPrefix(text, "0{") {
		t.Fatalf("got %q, want an open packet", text)
	}
	c.open = text[1:]
}

// cut ends the TCP connection without a word.
func (c *wsClient) cut() { _ = c.ws.NetConn().Close() }

func (c *wsClient) tcp() *net.TCPConn { return c.ws.NetConn().(*net.TCPConn) }

// write sends raw bytes.
func (c *wsClient) write(t testing.TB, raw []byte) {
	t.Helper()
	if err := c.tryWrite(raw); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func (c *wsClient) tryWrite(raw []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	nc := c.ws.NetConn()
	_ = nc.SetWriteDeadline(time.Now().Add(patience))
	_, err := nc.Write(raw)
	return err
}

// sendText sends a text frame.
func (c *wsClient) sendText(t testing.TB, text string) {
	t.Helper()
	c.write(t, masked(0x81, []byte(text)))
}

// sendBinary sends a binary frame.
func (c *wsClient) sendBinary(t testing.TB, data []byte) {
	t.Helper()
	c.write(t, masked(0x82, data))
}

// read returns the next message.
func (c *wsClient) read(t testing.TB) (data string, binary bool) {
	t.Helper()
	typ, b, err := c.tryRead()
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return string(b), typ == websocket.BinaryMessage
}

func (c *wsClient) tryRead() (int, []byte, error) {
	_ = c.ws.SetReadDeadline(time.Now().Add(patience))
	return c.ws.ReadMessage()
}

// wantText expects the next messages to be these text packets.
func (c *wsClient) wantText(t testing.TB, want ...string) {
	t.Helper()
	for i, w := range want {
		got, binary := c.read(t)
		if binary || got != w {
			t.Fatalf("message %d: got %.200q (binary %v), want %.200q", i, got, binary, w)
		}
	}
}

// wantBinary expects the next message to be this binary one.
func (c *wsClient) wantBinary(t testing.TB, want []byte) {
	t.Helper()
	got, binary := c.read(t)
	if !binary || got != string(want) {
		t.Fatalf("got %.200q (binary %v), want binary %.200q", got, binary, want)
	}
}

// wantClose expects a close frame with the status code, 1005 for none, and that
// the server ends the TCP connection once it is answered.
func (c *wsClient) wantClose(t testing.TB, code int, reason string) {
	t.Helper()
	c.wantCloseFrame(t, code, reason)
	c.answerClose()
	c.wantEOF(t)
}

func (c *wsClient) wantCloseFrame(t testing.TB, code int, reason string) {
	t.Helper()
	_, data, err := c.tryRead()
	if ce := (*websocket.CloseError)(nil); !errors.As(err, &ce) || ce.Code != code || ce.Text != reason {
		t.Fatalf("got %.200q, %v; want a close frame %d %q", data, err, code, reason)
	}
}

// wantCut expects that the server ends its direction of the TCP connection without a
// close frame.
func (c *wsClient) wantCut(t testing.TB) {
	t.Helper()
	if _, data, err := c.tryRead(); !websocket.IsCloseError(err, websocket.CloseAbnormalClosure) {
		t.Fatalf("got %.200q, %v; want the end of the connection", data, err)
	}
}

// answerClose sends an empty close frame; the server may be gone.
func (c *wsClient) answerClose() { _ = c.tryWrite(masked(0x88, nil)) }

// wantEOF expects that the server has ended the TCP connection in order.
func (c *wsClient) wantEOF(t testing.TB) {
	t.Helper()
	nc := c.ws.NetConn()
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	var b [512]byte
	if n, err := nc.Read(b[:]); n > 0 || !errors.Is(err, io.EOF) {
		t.Fatalf("got %x, %v; want the end of the connection", b[:n], err)
	}
}

// sid returns the session id of an open packet's data.
func sid(open string) string {
	_, rest, _ := strings.Cut(open, `"sid":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// mask is the masking key of all test frames.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// masked returns a frame with the given first byte (FIN, reserved bits, opcode).
func masked(first byte, payload []byte) []byte {
	b := header(first, len(payload))
	for i, x := range payload {
		b = append(b, x^mask[i%4])
	}
	return b
}

// header returns the head of a masked frame whose payload has n bytes.
func header(first byte, n int) []byte {
	b := []byte{first}
	switch {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	default:
		b = append(b, 0x80|127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, mask[:]...)
}

// numbered returns the packet "4prefix<i>".
func numbered(prefix string, i int) string { return "4" + prefix + strconv.Itoa(i) }
