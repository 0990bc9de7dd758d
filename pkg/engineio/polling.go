package engineio

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"socketio-chat/pkg/blankline"
	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/payload"
	"socketio-chat/pkg/engineio/internal/utf"
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

	c.answerPoll(httpSink{w}, q, a)
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
		ps  []packet.Packet
		err error
	)
	if jsonp {
		if body, err = payload.DecodeJSONP(body); err != nil {
			return // no data: Node takes it for an empty form
		}
	}
	switch {
	case c.protocol == 4:
		ps, err = payload.DecodeV4(body)
	case octets:
		ps, err = payload.DecodeV3Binary(body)
	default:
		ps, err = payload.DecodeV3(body)
	}
	for _, p := range ps {
		// The rule can change from one packet to the next: a connect packet tells it.
		if c.protocol == 3 && !octets && !p.Binary && c.textRule() == payload.TextTwice {
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
