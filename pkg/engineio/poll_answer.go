package engineio

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/payload"
)

// How a poll is answered, whether the front or net/http serves its request:
//
//	takePollLocked ─► pollAnswer ─► answerPoll: encode ─► pollSink: write, with a deadline
//	                                                         │
//	session ◄─ pollReceipt.done(err) ◄───────────────────────┘
//
// The packets of an answer count in Conn.queued until it has been written, so that
// Options.QueueBytes bounds them too. An answer that cannot be written ends its
// session: the packets exist nowhere else.

// A pollAnswer is what a poll is answered with.
type pollAnswer struct {
	out     outbox      // the queued packets,
	last    packet.Type // then last, if last is a close packet or the queue was empty
	gone    bool        // instead of all that: as for an unknown session, so that the client connects again
	closing bool        // the session ends with this answer
}

// A pollSink writes answers to polls. It waits for a peer only as long as that takes
// some of the answer every Options.WriteTimeout (see slowAnswer), and calls done once,
// perhaps after it has returned. body is the caller's again when it has returned, unless
// it is larger than maxPooledBody.
type pollSink interface {
	writeAnswer(status int, contentType string, body []byte, r pollReceipt)
	// waits tells whether writeAnswer waits for the peer before it returns.
	waits() bool
}

// A pollReceipt tells a session what became of an answer.
type pollReceipt struct {
	c       *Conn
	size    int64 // of the frames in it
	closing bool
}

// done is to be called once. Without a session it does nothing.
func (r pollReceipt) done(err error) {
	c := r.c
	if c == nil {
		return
	}
	c.mu.Lock()
	c.dequeuedLocked(r.size)
	c.mu.Unlock()
	switch {
	case err == nil && r.closing:
		c.finishClose()
	case err == nil:
	case isTimeout(err):
		c.shutdown(SlowClient, err)
	default:
		c.shutdown(TransportClose, err)
	}
}

// takePollLocked ends the pending poll and returns its answer.
func (c *Conn) takePollLocked() (a pollAnswer) {
	a.out = c.sender.takePoll()
	// A client that leaves is told by the poll after that: it shall have its packets
	// first.
	a.closing = c.life.closing() && c.sender.ws == nil && c.sender.queue.empty() && (!c.life.leaving || a.out.empty())
	over := a.closing || c.life.over() && !c.life.lost
	a.gone = over && c.life.leaving
	a.last = packet.Noop
	if over {
		a.last = packet.Close
	}
	return a
}

// answerPoll writes a to the sink. callback is as in query.
func (c *Conn) answerPoll(to pollSink, callback *string, a pollAnswer) {
	r := pollReceipt{c, a.out.bytes(), a.closing}
	if a.gone {
		to.writeAnswer(http.StatusBadRequest, jsonType, codeUnknownSID.body(""), r)
		return
	}
	b := pollBuffers.Get().(*pollBuffer)
	defer b.release()
	slot := heavy(r.size)
	if slot {
		c.server.heavyWork <- struct{}{}
	}
	body, contentType := c.encodeAnswer(b, callback, a.out, a.last)
	if slot && to.waits() {
		<-c.server.heavyWork
		slot = false
	}
	to.writeAnswer(http.StatusOK, contentType, body, r)
	if slot {
		<-c.server.heavyWork
	}
}

// lightWork is how many bytes of packets are encoded and written on a goroutine that
// others wait for: the poller's and the flusher's.
const lightWork = 4 << 10

// heavy tells that to encode so many bytes takes time: that has to be done on a
// goroutine of its own, of which heavyWork lets few run at a time, or they would
// together keep everybody else from the processors. The front keeps its slot until the
// socket has been offered the answer: so its answers to clients that read do not pile up
// encoded. net/http's writer waits for its peer, so those go on without.
func heavy(bytes int64) bool { return bytes > lightWork }

// encodeAnswer puts the body of an answer together: the packets of out; then last, if
// that is a close packet or there are none.
func (c *Conn) encodeAnswer(b *pollBuffer, callback *string, out outbox, last packet.Type) (body []byte, contentType string) {
	var single [1]*Frame
	for _, f := range out.list(&single) {
		b.packets = append(b.packets, f.packet())
	}
	if last == packet.Close || len(b.packets) == 0 {
		b.packets = append(b.packets, packet.Packet{Type: last})
	}
	contentType = plainText
	if c.Protocol() == 4 {
		b.body = payload.AppendV4(b.body, b.packets)
	} else {
		var octets bool
		b.body, octets = payload.AppendResponseV3(b.body, b.packets, c.sender.b64 || callback != nil, c.textRule())
		if octets {
			contentType = octetStream // and nothing more: the clients compare it
		}
	}
	body = b.body
	if callback != nil {
		b.jsonp = payload.AppendJSONP(b.jsonp, *callback, b.body)
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
	packets     []packet.Packet
	body, jsonp []byte
	response    []byte // the front's: head, or head and body
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

// A slowAnswer is an answer that waits for its peer. Its session knows it, to bound it
// when it ends: see cutAnswersLocked.
type slowAnswer struct {
	c    *Conn
	conn interface{ SetWriteDeadline(time.Time) error }
	next *slowAnswer // of the session
}

// beginSlowAnswer makes an answer on a connection known to the session.
func (c *Conn) beginSlowAnswer(conn interface{ SetWriteDeadline(time.Time) error }) *slowAnswer {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &slowAnswer{c: c, conn: conn, next: c.sender.slow}
	c.sender.slow = a
	if c.life.over() {
		_ = conn.SetWriteDeadline(time.Now().Add(answerLinger))
	}
	return a
}

// extend gives the peer another Options.WriteTimeout to take something, unless the
// session has ended: then its own bound stands. Where there are no deadlines, as in
// tests without a network, it does nothing.
func (a *slowAnswer) extend() (goesOn bool) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	if a.c.life.over() {
		return false
	}
	_ = a.conn.SetWriteDeadline(time.Now().Add(a.c.server.opts.WriteTimeout))
	return true
}

// end forgets the answer.
func (a *slowAnswer) end() {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	for p := &a.c.sender.slow; *p != nil; p = &(*p).next {
		if *p == a {
			*p = a.next
			break
		}
	}
	_ = a.conn.SetWriteDeadline(time.Time{}) // the next answer has a time of its own
}

// answerLinger is how long the rest of an answer may take once its session has ended.
const answerLinger = time.Second

// cutAnswersLocked bounds the answers that still wait for their peers.
func (c *Conn) cutAnswersLocked() {
	for a := c.sender.slow; a != nil; a = a.next {
		_ = a.conn.SetWriteDeadline(time.Now().Add(answerLinger)) // fails on a closed connection only
	}
}

// An httpSink answers polls that net/http serves.
type httpSink struct{ w http.ResponseWriter }

func (httpSink) waits() bool { return true }

func (s httpSink) writeAnswer(status int, contentType string, body []byte, r pollReceipt) {
	h := s.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	rc := http.NewResponseController(s.w)
	a := r.c.beginSlowAnswer(rc)
	s.w.WriteHeader(status)
	_, err := writeWaiting(s.w, body, a)
	if err == nil {
		a.extend()
		if err = rc.Flush(); errors.Is(err, errors.ErrUnsupported) { // net/http's own writer always can
			err = nil
		}
	}
	a.end()
	r.done(err)
}
