package engineio

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"socketio-chat/pkg/engineio/internal/wsframe"
)

// handshake lets FrontOptions.Handler answer a request that opens a session or a
// WebSocket. It is a job.
func (fc *frontConn) handshake(r *http.Request) (mine bool, then func()) {
	w := &frontWriter{conn: fc, header: make(http.Header, 1)}
	if !fc.guard(func() { fc.front.opts.Handler.ServeHTTP(w, r) }) {
		if !w.gone {
			fc.close()
		}
		return false, nil
	}
	if w.gone {
		return false, w.then
	}
	return w.finish(), nil
}

// A frontWriter is the http.ResponseWriter of a handshake. It keeps the answer,
// which is short, and sends it in one piece when the handler has returned.
type frontWriter struct {
	conn   *frontConn
	header http.Header
	status int // 0 before WriteHeader
	body   []byte
	gone   bool   // the connection belongs to a WebSocket, or to who hijacked it
	then   func() // the WebSocket's reader
}

// frontOf finds the front's writer below those that a handler has put around it.
func frontOf(w http.ResponseWriter) *frontWriter {
	for {
		switch t := w.(type) {
		case *frontWriter:
			return t
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return nil
		}
	}
}

func (w *frontWriter) Header() http.Header { return w.header }

func (w *frontWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 { // what is only informative is left out
		w.status = status
	}
}

func (w *frontWriter) Write(b []byte) (int, error) {
	if w.gone {
		return 0, http.ErrHijacked
	}
	w.WriteHeader(http.StatusOK)
	if !bodyAllowed(w.status) {
		return 0, http.ErrBodyNotAllowed
	}
	w.body = append(w.body, b...)
	return len(b), nil
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// SetReadDeadline does nothing: all of the request has been read.
func (w *frontWriter) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: writing has a bound of its own.
func (w *frontWriter) SetWriteDeadline(time.Time) error { return nil }

// Hijack is for handlers that know nothing of the front.
func (w *frontWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.gone || w.status != 0 {
		return nil, nil, errors.New("the connection is gone or the answer has begun")
	}
	w.gone = true
	nc := w.conn.release()
	return nc, bufio.NewReadWriter(bufio.NewReader(nc), bufio.NewWriter(nc)), nil
}

// finish sends the answer as net/http would, and reports whether the caller goes
// on with the connection.
func (w *frontWriter) finish() bool {
	w.WriteHeader(http.StatusOK)
	h := w.header
	if bodyAllowed(w.status) {
		if h.Get("Content-Type") == "" && len(w.body) > 0 {
			h.Set("Content-Type", http.DetectContentType(w.body))
		}
		h.Set("Content-Length", strconv.Itoa(len(w.body)))
	}
	if h.Get("Date") == "" {
		h.Set("Date", w.conn.front.date.text())
	}
	last := hasToken(h["Connection"], "close")
	text := appendStatus(nil, w.status)
	text = appendFields(text, h)
	text = append(text, "\r\n"...)
	text = append(text, w.body...)
	if !w.conn.tryWrite(text) {
		return false
	}
	if last {
		w.conn.close()
	}
	return !last
}

// webSocket makes a WebSocket of the connection. Its answer leaves with the
// first frame.
func (w *frontWriter) webSocket(o wsOpening) *wsTransport {
	fc := w.conn
	w.gone = true
	fc.parking.Handle(nil)
	return &wsTransport{nc: fc.nc, raw: fc.raw, fd: fc.fd, running: &fc.front.server.running, parking: fc.parking, head: o.head(w.header)}
}

// appendSwitch appends the answer to a WebSocket handshake (RFC 6455, 4.2.2).
func appendSwitch(dst []byte, key string, h http.Header) []byte {
	const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	var text [24 + len(magic)]byte
	copy(text[:], key)
	copy(text[24:], magic)
	sum := sha1.Sum(text[:]) //nolint:gosec // as above
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	dst = base64.StdEncoding.AppendEncode(dst, sum[:])
	dst = append(dst, "\r\n"...)
	dst = appendFields(dst, h)
	return append(dst, "\r\n"...)
}

// serveFrontWebSocket is serveWebSocket for a request that plainRequest has
// checked.
func (s *Server) serveFrontWebSocket(w *frontWriter, r *http.Request, q url.Values, c *Conn, o wsOpening) {
	t := w.webSocket(o)
	reader := newWSReader(t, s.opts.MaxPayload, nil)
	reader.drained = !t.parking.Ending() // by the read that brought the request
	if c != nil {
		w.then = func() {
			if t.writeHead(s.opts.WriteTimeout) != nil {
				t.closeWith(wsframe.NoCode) // the client is gone
				reader.linger()
				return
			}
			c.runProbe(t, reader)
		}
		return
	}
	if c = s.register(r, q, t); c == nil {
		w.then = func() {
			t.sever(severLinger)
			reader.linger()
		}
		return
	}
	w.then = func() { c.readWebSocket(reader) }
}

// writeHead sends the answer by itself, while nobody else writes.
func (t *wsTransport) writeHead(timeout time.Duration) error {
	_ = t.nc.SetWriteDeadline(time.Now().Add(timeout)) // fails on a closed connection only
	_, err := t.nc.Write(t.head)
	t.head = nil
	if err == nil {
		err = t.nc.SetWriteDeadline(time.Time{})
	}
	return err
}
