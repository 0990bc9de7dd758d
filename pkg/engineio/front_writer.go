package engineio

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// A frontWriter is the http.ResponseWriter of a request that FrontOptions.Handler
// serves. A short answer leaves in one piece when the handler has returned; of a longer
// one the head leaves before, and the body follows as it is written, in chunks if its
// length was not announced (RFC 9112, 7.1).
type frontWriter struct {
	conn    *frontConn
	body    *frontBody // of the request; nil without one
	bare    bool       // a HEAD: the answer has no body
	header  http.Header
	status  int    // 0 before WriteHeader
	pending []byte // of the body, not written yet
	sent    int    // bytes of the body that were written or are pending
	begun   bool   // the head has left
	chunked bool
	timed   bool   // the handler has set a deadline for writing
	last    bool   // the connection ends with this answer
	err     error  // of writing; nothing more is written
	gone    bool   // the connection belongs to a WebSocket, or to a handler that has hijacked it
	then    func() // the WebSocket's reader
}

// pendingBody is how much of a body waits for the handler to return.
const pendingBody = 8 << 10

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

// Header is as http.ResponseWriter has it.
func (w *frontWriter) Header() http.Header { return w.header }

// WriteHeader is as http.ResponseWriter has it; informational answers are left out.
func (w *frontWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

// Write is as http.ResponseWriter has it. It waits for the peer once the answer is
// longer than pendingBody.
func (w *frontWriter) Write(b []byte) (int, error) {
	if w.gone {
		return 0, http.ErrHijacked
	}
	w.WriteHeader(http.StatusOK)
	if !bodyAllowed(w.status) {
		return 0, http.ErrBodyNotAllowed
	}
	w.sent += len(b)
	if announced, ok := w.announced(); ok && w.sent > announced {
		return 0, http.ErrContentLength
	}
	if !w.begun && len(w.pending)+len(b) <= pendingBody {
		w.pending = append(w.pending, b...)
		return len(b), nil
	}
	return w.stream(b), w.err
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// FlushError writes what is pending; see http.ResponseController.
func (w *frontWriter) FlushError() error {
	if w.gone {
		return http.ErrHijacked
	}
	w.WriteHeader(http.StatusOK)
	w.stream(nil)
	return w.err
}

// Flush is FlushError for handlers that expect an http.Flusher.
func (w *frontWriter) Flush() { _ = w.FlushError() } // the next Write returns the error

// stream writes the head, if it has not left, what is pending, and b. It returns how much of b
// was written, or is left out because the answer has no body.
func (w *frontWriter) stream(b []byte) (written int) {
	var out []byte
	if !w.begun {
		w.mayBeSlow()
		w.chunked = w.header.Get("Content-Length") == "" && bodyAllowed(w.status) && !w.bare
		out = w.appendHead(nil, noLength)
		w.begun = true
	}
	n := len(w.pending) + len(b)
	if w.chunked && n > 0 {
		out = append(strconv.AppendInt(out, int64(n), 16), "\r\n"...)
	}
	if w.bare {
		written, w.pending, b = len(b), nil, nil
	}
	out = append(out, w.pending...)
	w.pending = nil
	w.send(out)
	written += w.send(b)
	if w.chunked && n > 0 {
		w.send([]byte("\r\n"))
	}
	return written
}

// mayBeSlow notes that from here on the client may hold the connection by not reading. A session bounds
// its own answers.
func (w *frontWriter) mayBeSlow() {
	if r := w.conn.serving.Load(); r != nil && !r.engine {
		w.conn.front.unread.Begin(&r.answer, w.conn.cutOff)
	}
}

// send writes and waits for the peer. It returns how much of data was written.
func (w *frontWriter) send(data []byte) (n int) {
	if w.err == nil {
		n, w.err = writeWaiting(w.conn.nc, data, w)
	}
	return n
}

// extend gives the peer WriteTimeout for each piece, unless the handler has set a time of its own or the answer was cut off.
func (w *frontWriter) extend() (goesOn bool) {
	r := w.conn.serving.Load()
	switch {
	case w.timed:
	case r == nil:
		w.conn.extend()
	default:
		w.conn.front.unread.Unless(&r.answer, func() { w.conn.extend() })
	}
	return false
}

// appendHead appends the head of the answer, with the length of the body unless that is
// noLength or the handler has set one.
func (w *frontWriter) appendHead(dst []byte, length int) []byte {
	h := w.header
	if bodyAllowed(w.status) {
		if h.Get("Content-Type") == "" && len(w.pending) > 0 && h.Get("Content-Encoding") == "" {
			h.Set("Content-Type", http.DetectContentType(w.pending))
		}
	} else {
		length = noLength
	}
	if h.Get("Content-Length") != "" || w.bare && length == 0 {
		length = noLength
	}
	if h.Get("Date") == "" {
		h.Set("Date", w.conn.front.date.text())
	}
	if w.body.left() > 0 {
		h.Set("Connection", "close")
	}
	if w.chunked {
		h.Set("Transfer-Encoding", "chunked")
	}
	w.last = hasToken(h["Connection"], "close")
	return endHead(appendFields(beginHead(dst, w.status), h), length)
}

// finish ends the answer as net/http would, and reports whether the caller goes on with
// the connection.
func (w *frontWriter) finish() bool {
	w.WriteHeader(http.StatusOK)
	if !w.begun {
		text := w.appendHead(nil, len(w.pending))
		if w.last = w.last || w.short(); !w.bare {
			text = append(text, w.pending...)
		}
		if !w.conn.write(text, nil, pollReceipt{}, w.last) {
			return false
		}
		return w.keep()
	}
	if w.chunked {
		w.send([]byte("0\r\n\r\n"))
	}
	if w.err != nil || w.short() {
		w.conn.close() // the client notices that something is missing
		return false
	}
	return w.keep()
}

// short tells that the body has fewer bytes than were announced.
func (w *frontWriter) short() bool {
	announced, ok := w.announced()
	return ok && announced != w.sent && !w.bare && bodyAllowed(w.status)
}

// announced is the length of the body that the handler has set.
func (w *frontWriter) announced() (n int, ok bool) {
	text := w.header.Get("Content-Length")
	if text == "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// keep readies the connection for its next request, or ends it.
func (w *frontWriter) keep() bool {
	fc := w.conn
	switch {
	case w.body.left() > 0:
		fc.lingerClose()
		return false
	case w.last:
		fc.close()
		return false
	}
	if w.begun || w.timed {
		_ = fc.nc.SetWriteDeadline(time.Time{}) // the next answer has a time of its own
	}
	if w.body != nil {
		_ = fc.nc.SetReadDeadline(time.Time{})
	}
	return true
}

// SetReadDeadline bounds reading the body; without one it does nothing.
func (w *frontWriter) SetReadDeadline(t time.Time) error {
	if w.body == nil {
		return nil
	}
	return w.conn.nc.SetReadDeadline(t)
}

// SetWriteDeadline bounds writing an answer that is longer than pendingBody.
func (w *frontWriter) SetWriteDeadline(t time.Time) error {
	w.timed = true
	return w.conn.nc.SetWriteDeadline(t)
}

// Hijack is for handlers that know nothing of the front.
func (w *frontWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.gone || w.status != 0 {
		return nil, nil, errors.New("the connection is gone or the answer has begun")
	}
	w.gone = true
	nc := w.conn.release()
	return nc, bufio.NewReadWriter(bufio.NewReader(nc), bufio.NewWriter(nc)), nil
}

// webSocket makes a WebSocket of the connection. Its answer leaves with the
// first frame.
func (w *frontWriter) webSocket() *wsTransport {
	fc := w.conn
	w.gone = true
	fc.parking.Handle(nil)
	return &wsTransport{nc: fc.nc, raw: fc.raw, fd: fc.fd, running: &fc.front.server.running, parking: fc.parking}
}

// A frontBody is the body of a request, of which a part has come with the head.
type frontBody struct {
	conn    *frontConn
	early   []byte
	missing int // bytes that are still to come
}

// Read returns what has come, and then what comes. It ends with io.EOF behind the body.
func (b *frontBody) Read(p []byte) (n int, err error) {
	switch {
	case len(b.early) > 0:
		n = copy(p, b.early)
		b.early = b.early[n:]
		return n, nil
	case b.missing == 0:
		return 0, io.EOF
	}
	n, err = b.conn.nc.Read(p[:min(len(p), b.missing)])
	b.missing -= n
	if errors.Is(err, io.EOF) && b.missing > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err //nolint:wrapcheck // as the connection says it
}

// Close does nothing: what is left of the body ends the connection.
func (b *frontBody) Close() error { return nil }

// left is how much of the body is still to come; nothing of none.
func (b *frontBody) left() int {
	if b == nil {
		return 0
	}
	return b.missing
}
