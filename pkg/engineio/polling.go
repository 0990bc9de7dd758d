package engineio

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"socketio-chat/pkg/blankline"
)

// A pendingPoll is a GET that waits for packets: a handler of net/http, which
// waits where it is, or a connection of the front, which the flusher answers.
type pendingPoll struct {
	wake  chan struct{} // capacity 1; nil for one of the front
	front *frontConn
	noop  bool // answer at once: an upgrade waits for this poll to end; guarded by Conn.mu
}

// wakePollLocked lets a waiting poll look again.
func (c *Conn) wakePollLocked() {
	switch {
	case c.poll == nil:
	case c.poll.front != nil:
		if c.schedulePollLocked() {
			c.server.flusher.schedule(c)
		}
	default:
		select {
		case c.poll.wake <- struct{}{}:
		default: // woken already
		}
	}
}

// schedulePollLocked reports whether the caller must give the connection to the
// flusher, so that it looks at the poll that waits at the front.
func (c *Conn) schedulePollLocked() bool {
	if c.poll == nil || c.poll.front == nil || c.writer != writerIdle {
		return false
	}
	c.writer = writerScheduled
	return true
}

// dueLocked tells whether there is something to answer p with: packets, the end
// of the session, or an upgrade.
func (c *Conn) dueLocked(p *pendingPoll) bool {
	return !c.out.empty() || c.state != stateOpen || c.ws != nil || p.noop
}

// upgradeCheck is how often a poll that waits during an upgrade is released,
// as in Node: the client pauses polling and needs the pending one to end.
const upgradeCheck = 100 * time.Millisecond

func (s *Server) servePollingHandshake(w http.ResponseWriter, r *http.Request, q url.Values) {
	c := s.register(r, q, nil)
	if c == nil {
		refuseHandshake(w)
		return
	}
	s.setCookie(w.Header(), c)
	s.servePoll(w, r, q, c)
}

func (s *Server) servePolling(w http.ResponseWriter, r *http.Request, q url.Values, c *Conn) {
	switch r.Method {
	case http.MethodGet:
		s.servePoll(w, r, q, c)
	case http.MethodPost:
		s.servePost(w, r, q, c)
	default:
		w.WriteHeader(http.StatusInternalServerError) // so does Node
	}
}

// servePoll answers a GET with the packets that are queued, or waits for some.
func (s *Server) servePoll(w http.ResponseWriter, r *http.Request, q url.Values, c *Conn) {
	p := &pendingPoll{wake: make(chan struct{}, 1)}
	c.mu.Lock()
	if c.poll != nil {
		c.mu.Unlock()
		c.shutdown(TransportError, errPollOverlap)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.poll = p
	if !c.waitPollLocked(r, p) {
		c.poll = nil
		c.mu.Unlock()
		c.shutdown(TransportError, errPollCut)
		return
	}
	a := c.takePollLocked()
	c.mu.Unlock()

	c.respond(w, q, a)
	if a.closing {
		c.finishClose()
	}
}

// A pollAnswer is what a poll is answered with.
type pollAnswer struct {
	out     outbox     // the queued packets,
	last    packetType // then this one, if it is a close packet or nothing was queued
	gone    bool       // instead of all that: as for an unknown session, so that the client connects again
	closing bool       // finishClose has to follow
}

// takePollLocked ends the pending poll and returns its answer.
func (c *Conn) takePollLocked() (a pollAnswer) {
	c.poll = nil
	switch {
	case c.ws != nil: // after an upgrade the outbox belongs to the WebSocket
	case c.greeted:
		a.out = c.out.take()
	default:
		a.out = c.out.cutFirst()
	}
	c.dequeuedLocked(a.out.bytes())
	c.greeted = true
	// A client that leaves is told by the poll after that: it shall have its packets
	// first.
	a.closing = c.state == stateClosing && c.ws == nil && c.out.empty() && (!c.leaving || a.out.empty())
	over := a.closing || c.state == stateClosed && c.reason != TransportClose
	a.gone = over && c.leaving
	a.last = packetNoop
	if over {
		a.last = packetClose
	}
	return a
}

// waitPollLocked waits until an answer to p is due. It reports false when the
// client went away.
func (c *Conn) waitPollLocked(r *http.Request, p *pendingPoll) bool {
	var check <-chan time.Time
	var behind <-chan struct{}
	for !c.dueLocked(p) {
		if c.probe != nil && check == nil {
			t := time.NewTimer(upgradeCheck)
			defer t.Stop()
			check = t.C
		}
		if behind == nil {
			behind = blankline.Behind(r.Context())
		}
		c.mu.Unlock()
		gone := false
		select {
		case <-p.wake:
			c.mu.Lock()
		case <-behind: // what is in that request may be what the poll waits for
			c.mu.Lock()
			p.noop = true
		case <-check:
			c.mu.Lock()
			p.noop = true
		case <-r.Context().Done():
			gone = true
			c.mu.Lock()
		}
		if gone {
			return c.state != stateOpen || c.ws != nil // its end is known already
		}
	}
	return true
}

// respond writes the answer to a poll.
func (c *Conn) respond(w http.ResponseWriter, q url.Values, a pollAnswer) {
	if a.gone {
		w.Header().Set("Cache-Control", "no-store")
		refuse(w, false, codeUnknownSID, nil, "")
		return
	}
	b := pollBuffers.Get().(*pollBuffer)
	defer b.release()
	body, contentType := c.answer(b, q, a.out, a.last)
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // a client that is gone is noticed by its next heartbeat
}

// answer puts the body of respond together. q is nil for a client that cannot
// want JSONP.
func (c *Conn) answer(b *pollBuffer, q url.Values, out outbox, last packetType) (body []byte, contentType string) {
	var single [1]*Frame
	for _, f := range out.list(&single) {
		b.packets = append(b.packets, f.packet())
	}
	if last == packetClose || len(b.packets) == 0 {
		b.packets = append(b.packets, packet{typ: last})
	}
	contentType = plainText
	if c.protocol == 4 {
		b.body = appendPayloadV4(b.body, b.packets)
	} else {
		var octets bool
		b.body, octets = appendResponseV3(b.body, b.packets, c.b64 || q.Has("j"), c.textRule())
		if octets {
			contentType = "application/octet-stream" // and nothing more: the clients compare it
		}
	}
	body = b.body
	if q.Has("j") {
		b.jsonp = appendJSONP(b.jsonp, q.Get("j"), b.body)
		body = b.jsonp
		contentType = "text/javascript; charset=UTF-8"
	}
	if !out.empty() {
		c.server.stats.polled.add(out.len(), int64(len(body)))
		out.release()
	}
	return body, contentType
}

const plainText = "text/plain; charset=UTF-8"

// A pollBuffer is what one answer is put together in.
type pollBuffer struct {
	packets     []packet
	body, jsonp []byte
	response    []byte // the front's: head and body
}

var pollBuffers = sync.Pool{New: func() any { return new(pollBuffer) }}

const maxPooledBody = 256 << 10

func (b *pollBuffer) release() {
	if cap(b.body) > maxPooledBody || cap(b.jsonp) > maxPooledBody || cap(b.response) > maxPooledBody {
		return
	}
	clear(b.packets)
	b.packets, b.body, b.jsonp, b.response = b.packets[:0], b.body[:0], b.jsonp[:0], b.response[:0]
	pollBuffers.Put(b)
}

// servePost takes the packets of a POST body.
func (s *Server) servePost(w http.ResponseWriter, r *http.Request, q url.Values, c *Conn) {
	c.mu.Lock()
	overlap := c.post
	c.post = true
	c.mu.Unlock()
	if overlap {
		c.shutdown(TransportError, errPostOverlap)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	defer func() {
		c.mu.Lock()
		c.post = false
		c.mu.Unlock()
	}()

	octets := r.Header.Get("Content-Type") == "application/octet-stream"
	if octets && c.protocol == 4 {
		c.shutdown(TransportError, errContent)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.Body = tookReader{r.Body, c}
	body, err := s.readBody(w, r)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		s.stats.payloadTooLarge.Add(1)
		c.shutdown(TransportError, errPostTooLarge)
		w.Header().Set("Connection", "close") // the rest is not waited for
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	} else if err != nil {
		status := http.StatusBadRequest
		if isTimeout(err) {
			status, err = http.StatusRequestTimeout, errPostLate
		} else {
			err = errPostCut
		}
		c.shutdown(TransportError, err)
		w.Header().Set("Connection", "close")
		w.WriteHeader(status)
		return
	}
	c.onPayload(body, octets, q.Has("j"))

	h := w.Header()
	h.Set("Content-Type", "text/html") // text/plain makes some old browsers offer a download
	h.Set("Content-Length", "2")
	h.Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok")
}

// readBody reads a POST body of at most MaxPayload bytes, for at most
// BodyTimeout.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > s.opts.MaxPayload {
		return nil, &http.MaxBytesError{Limit: s.opts.MaxPayload}
	}
	rc := http.NewResponseController(w) // deadlines are net/http's; others may not have them
	_ = rc.SetReadDeadline(time.Now().Add(s.opts.BodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.opts.MaxPayload))
	if err == nil { // otherwise net/http must not wait for the rest either
		_ = rc.SetReadDeadline(time.Time{})
	}
	return body, err
}

// onPayload acts on the packets of a POST. Those before an offence count, then
// the session ends, and the POST is answered all the same: so does Node.
func (c *Conn) onPayload(body []byte, octets, jsonp bool) {
	var (
		ps  []packet
		err error
	)
	if jsonp {
		if body, err = decodeJSONP(body); err != nil {
			return // no data: Node takes it for an empty form
		}
	}
	switch {
	case c.protocol == 4:
		ps, err = decodePayloadV4(body)
	case octets:
		ps, err = decodePayloadV3Binary(body)
	default:
		ps, err = decodePayloadV3(body)
	}
	for _, p := range ps {
		// The rule can change from one packet to the next: a connect packet tells it.
		if c.protocol == 3 && !octets && !p.binary && c.textRule() == textTwice {
			p.data, _ = undoubleUTF8(p.data)
		}
		if !c.onPacket(p) {
			return
		}
	}
	if err != nil {
		c.shutdown(ParseError, err)
	}
}
