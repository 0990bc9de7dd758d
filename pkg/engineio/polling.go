package engineio

import (
	"net/http"
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
	if c.sender.schedulePoll() {
		c.server.flusher.schedule(c)
	}
	c.sender.wakeHandler()
}

// upgradeCheck is how often a poll that waits during an upgrade is released,
// as in Node: the client pauses polling and needs the pending one to end.
const upgradeCheck = 100 * time.Millisecond

func (s *Server) servePollingHandshake(w http.ResponseWriter, r *http.Request, q *query) {
	c := s.register(r, q, nil)
	if c == nil {
		refuseHandshake(w)
		return
	}
	s.setCookie(w.Header(), c)
	s.servePoll(w, r, q, c)
}

func (s *Server) servePolling(w http.ResponseWriter, r *http.Request, q *query, c *Conn) {
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
func (s *Server) servePoll(w http.ResponseWriter, r *http.Request, q *query, c *Conn) {
	if !c.dropBody(w, r) {
		c.shutdown(TransportError, errPollCut)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p := &pendingPoll{wake: make(chan struct{}, 1)}
	c.mu.Lock()
	if c.sender.poll != nil {
		c.mu.Unlock()
		c.shutdown(TransportError, errPollOverlap)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.sender.poll = p
	if !c.waitPollLocked(r, p) {
		c.sender.poll = nil
		c.mu.Unlock()
		c.shutdown(TransportError, errPollCut)
		w.WriteHeader(http.StatusBadRequest) // the client may have closed one half only
		return
	}
	a := c.takePollLocked()
	c.mu.Unlock()

	c.answerPoll(httpSink{w}, q.callback, a)
}

// dropBody takes the body of a poll, which says nothing: net/http notices that a client has gone only when
// the whole request has come. It reports false when it does not come.
func (c *Conn) dropBody(w http.ResponseWriter, r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody {
		return true
	}
	body, err := c.readBody(w, r)
	c.Hold(-int64(cap(body)))
	return err == nil
}

// waitPollLocked waits until an answer to p is due. It reports false when the
// client went away.
func (c *Conn) waitPollLocked(r *http.Request, p *pendingPoll) bool {
	var check <-chan time.Time
	var behind <-chan struct{}
	for !c.sender.due(p, c.life.open()) {
		if c.sender.probe != nil && check == nil {
			t := time.NewTimer(upgradeCheck)
			defer t.Stop()
			check = t.C
		}
		if behind == nil {
			behind = blankline.Behind(r.Context())
		}
		c.mu.Unlock()
		noop, gone := false, false
		select {
		case <-p.wake:
		case <-behind: // what is in that request may be what the poll waits for
			noop = true
		case <-check:
			noop = true
		case <-r.Context().Done():
			gone = true
		}
		c.mu.Lock()
		if gone {
			return !c.life.open() || c.sender.ws != nil // its end is known already
		}
		p.noop = p.noop || noop
	}
	return true
}
