package engineio

import (
	"syscall"

	"socketio-chat/pkg/engineio/internal/netpoll"
)

// What the front learns of a client that waits for an answer.

// Signaled is called by the poller when more came, or the client may have gone.
func (fc *frontConn) Signaled(ending bool) {
	if r := fc.serving.Load(); r != nil {
		fc.tell(r, ending)
	} else if ending {
		fc.ended()
	} else {
		fc.followed()
	}
}

// missed acts on what the poller told before anybody waited for it here.
func (fc *frontConn) missed() {
	if fc.parking.Ending() {
		fc.Signaled(true)
	}
	if fc.parking.Signaled() {
		fc.Signaled(false)
	}
}

// tell lets the handler of a request know that its client may have gone, or that another
// request may be behind it.
func (fc *frontConn) tell(r *servedRequest, ending bool) {
	fc.front.server.running.start(func() {
		switch {
		case ending && peerGone(fc.raw):
			r.end()
		case !r.body && moreComes(fc.raw):
			r.follow()
		}
	})
}

// Orphaned is called when the poller has failed, for a connection that rested.
func (fc *frontConn) Orphaned() {
	fc.list.remove(fc)
	fc.close()
}

// ended is called when the client may have gone. If a poll waits for packets it
// looks, and ends the session if that is so: what net/http would tell by the
// request's context.
func (fc *frontConn) ended() {
	if fc.session.Load() == nil {
		return
	}
	fc.front.server.running.start(func() {
		c := fc.session.Load()
		if c == nil || !peerGone(fc.raw) {
			return
		}
		c.mu.Lock()
		mine := c.sender.poll == &fc.pending
		if mine {
			c.sender.poll = nil
			fc.session.Store(nil)
		}
		c.mu.Unlock()
		if mine {
			c.shutdown(TransportError, errPollCut)
			fc.answerCut()
		}
	})
}

// followed is called when more has come. If a poll waits for packets, it is answered
// with nothing: the client goes on with what it has sent, which may be what the poll
// waits for.
func (fc *frontConn) followed() {
	if fc.session.Load() == nil {
		return
	}
	fc.front.server.running.start(func() {
		c := fc.session.Load()
		if c == nil || !moreComes(fc.raw) {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.sender.poll == &fc.pending {
			c.sender.poll.noop = true
			c.wakePollLocked()
		}
	})
}

// moreComes tells whether a request can be read. It takes nothing, as peerGone.
func moreComes(raw syscall.RawConn) bool {
	var b [maxBlank + 1]byte
	n, again, err := netpoll.Peek(raw, b[:])
	return !again && err == nil && !blank(b[:n])
}

// peerGone tells whether the peer has ended the connection and left nothing to read. It
// takes nothing, and may be called by a goroutine that does not own the connection.
func peerGone(raw syscall.RawConn) bool {
	var b [1]byte
	n, again, err := netpoll.Peek(raw, b[:])
	return !again && (n == 0 || err != nil)
}
