package engineio

import (
	"errors"
	"io"
	"net/http"
	"time"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/payload"
	"socketio-chat/pkg/engineio/internal/utf"
)

// How a POST is taken, whether the front or net/http serves its request:
//
//	takePost: one at a time ─► read the body ─► onPayload ─► postResult: the answer
//
// The front has the body already; net/http reads it, with a deadline.

// A postResult is what a POST is answered with. Only StatusOK has a body: "ok".
type postResult struct {
	status int
	last   bool // the connection ends with this answer: the rest of the body is not waited for
}

// takePost takes the packets of one POST, whose body read returns. What is wrong with
// it ends the session, as in Node.
func (c *Conn) takePost(octets, jsonp bool, read func() ([]byte, error)) postResult {
	if !c.intake.posting.CompareAndSwap(false, true) {
		c.shutdown(TransportError, errPostOverlap)
		return postResult{status: http.StatusBadRequest}
	}
	defer c.intake.posting.Store(false)
	if octets && c.Protocol() == 4 {
		c.shutdown(TransportError, errContent)
		return postResult{status: http.StatusBadRequest}
	}
	body, err := read()
	if err != nil {
		return c.refusePost(err)
	}
	c.onPayload(body, octets, jsonp)
	return postResult{status: http.StatusOK}
}

// refusePost ends the session for a body that could not be read.
func (c *Conn) refusePost(err error) postResult {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		c.server.stats.payloadTooLarge.Add(1)
		c.shutdown(TransportError, errPostTooLarge)
		return postResult{http.StatusRequestEntityTooLarge, true}
	case isTimeout(err):
		c.shutdown(TransportError, errPostLate)
		return postResult{http.StatusRequestTimeout, true}
	default:
		c.shutdown(TransportError, errPostCut)
		return postResult{http.StatusBadRequest, true}
	}
}

// octetStream is the type of a body in protocol 3's binary form.
const octetStream = "application/octet-stream"

// postType is that of the answer: text/plain makes some old browsers offer a download.
const postType = "text/html"

// servePost answers a POST by way of an http.ResponseWriter.
func (s *Server) servePost(w http.ResponseWriter, r *http.Request, q *query, c *Conn) {
	var body []byte
	result := c.takePost(r.Header.Get("Content-Type") == octetStream, q.callback != nil, func() (_ []byte, err error) {
		body, err = c.readBody(w, r)
		return body, err
	})
	c.Hold(-int64(cap(body)))
	h := w.Header()
	if result.last {
		h.Set("Connection", "close")
	}
	if result.status != http.StatusOK {
		w.WriteHeader(result.status)
		return
	}
	h.Set("Content-Type", postType)
	h.Set("Content-Length", "2")
	h.Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok") // the client may be gone
}

// readBody reads a POST body of at most MaxPayload bytes, for at most
// BodyTimeout, and no longer than the session lives.
func (c *Conn) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	o := &c.server.opts
	most := o.MaxPayload
	if r.ContentLength > most {
		return nil, &http.MaxBytesError{Limit: most}
	}
	if r.ContentLength >= 0 {
		most = r.ContentLength
	}
	rc := http.NewResponseController(w) // deadlines are net/http's; others may not have them
	_ = rc.SetReadDeadline(time.Now().Add(o.BodyTimeout))
	wanted := c.whileOpen(func() { _ = rc.SetReadDeadline(time.Unix(1, 0)) })
	body, err := c.readAll(http.MaxBytesReader(w, r.Body, o.MaxPayload), int(most))
	wanted()
	if err == nil { // otherwise net/http must not wait for the rest either
		_ = rc.SetReadDeadline(time.Time{})
	}
	return body, err
}

// whileOpen calls abandon if the session ends before the function that it returns is called, which waits for that.
func (c *Conn) whileOpen(abandon func()) (over func()) {
	read, watched := make(chan struct{}), make(chan struct{})
	c.server.running.start(func() {
		defer close(watched)
		select {
		case <-c.Done():
			abandon()
		case <-read:
		}
	})
	return func() {
		close(read)
		<-watched
	}
}

// readAll reads from to its end; most is how many bytes that can be. What it returns, with an error too, the
// connection holds until the caller says otherwise.
func (c *Conn) readAll(from io.Reader, most int) (data []byte, err error) {
	for err == nil {
		had := cap(data)
		data = c.server.grow(data, max(1, most+1-len(data))) // a read that finds the end needs room, too
		c.Hold(int64(cap(data) - had))
		var n int
		n, err = from.Read(data[len(data):cap(data)])
		c.intake.took(n)
		data = data[:len(data)+n]
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return data, err
}

// onPayload acts on the packets of a POST. Those before an offence count, then
// the session ends, and the POST is answered all the same: so does Node.
func (c *Conn) onPayload(body []byte, octets, jsonp bool) {
	var (
		ps  []packet.Packet
		err error
	)
	if jsonp {
		if body, err = payload.DecodeJSONP(body); err != nil {
			return // no data: Node takes it for an empty form
		}
	}
	switch {
	case c.Protocol() == 4:
		ps, err = payload.DecodeV4(body)
	case octets:
		ps, err = payload.DecodeV3Binary(body)
	default:
		ps, err = payload.DecodeV3(body)
	}
	for _, p := range ps {
		// The rule can change from one packet to the next: a connect packet tells it.
		if c.Protocol() == 3 && !octets && !p.Binary && c.textRule() == payload.TextTwice {
			p.Data, _ = utf.Undouble(p.Data)
		}
		if !c.onPacket(p) {
			return
		}
	}
	if err != nil {
		c.shutdown(ParseError, err)
	}
}
