package engineio

import (
	"errors"
	"math"
	"net"
	"time"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/engineio/internal/wsframe"
)

// The end of a WebSocket (RFC 6455, 7). The goroutine that ends the session
// calls closeWith; the reader, which may be the same one, goes on to linger:
//
//	closing side                                reader
//	closeWith: close frame ──► peer
//	           (behind what is being written)
//	                           peer ── close frame, or its end ──► linger
//	                                            endRead: end of the TCP connection

// A session that ends because its server does has no close frame: see sever.

// closeWith sends a close frame behind what is being written, and bounds the
// rest of the transport's life. It does not block. When the peer has answered or
// the time is over, the reader ends and with it the TCP connection.
func (t *wsTransport) closeWith(code ws.StatusCode, reason ...string) {
	text := ""
	if len(reason) > 0 {
		text = reason[0]
	}
	t.close(wsframe.Close(code, text), closeLinger)
}

// sever ends the server's direction of the TCP connection behind what is being
// written, without a close frame, as the system does for a server process that
// ends. The peer's direction stays open until the peer has answered with its own
// end, linger at most. It does not block.
//
// A close frame would be the orderly way, but OkHttp, below the Java clients, reads
// nothing more after one: those clients would notice by a ping timeout only. The
// end of the TCP connection is noticed at once by all.
func (t *wsTransport) sever(linger time.Duration) {
	if !canHalfClose(t.nc) {
		t.closeWith(ws.StatusGoingAway, goingAway)
		return
	}
	t.close(nil, linger)
}

// close makes the transport a closing one: it takes nothing more but frame or, if that is
// nil, its end. The writer sees to that in endWrite, and close itself if there is none.
func (t *wsTransport) close(frame []byte, linger time.Duration) {
	t.mu.Lock()
	if t.closing != nil {
		t.mu.Unlock()
		return
	}
	t.closing, t.severed = append([]byte{}, frame...), frame == nil
	_ = t.nc.SetDeadline(time.Now().Add(linger)) // fails on a closed connection only
	t.parking.Unpark()                           // the reader sees to the rest; it takes no lock
	busy := t.writing || t.read
	if !busy {
		t.writing = true
	}
	t.mu.Unlock()
	if !busy {
		_ = t.endWrite(nil) // the peer may be gone
	}
}

// abandon lets the reader go on to linger at once if it has a message in hand: nobody wants the rest of it, and it would stay in
// memory for as long as the peer may take over its close frame.
func (t *wsTransport) abandon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.abandoned = true; t.inHand {
		_ = t.nc.SetReadDeadline(time.Unix(1, 0)) // fails on a closed connection only
	}
}

// holds tells whether the reader has a message in hand.
func (t *wsTransport) holds(inHand bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inHand = inHand
	switch {
	case !t.abandoned:
	case inHand:
		_ = t.nc.SetReadDeadline(time.Unix(1, 0)) // as above
	default:
		_ = t.nc.SetReadDeadline(time.Now().Add(closeLinger))
	}
}

// A halfCloser can end its own direction of a connection.
type halfCloser interface{ CloseWrite() error }

func canHalfClose(nc net.Conn) bool {
	_, ok := nc.(halfCloser)
	return ok
}

// endRead closes the TCP connection, unless frames are being written: then
// endWrite does, so that the peer can read them. Closing bounds that.
func (t *wsTransport) endRead() {
	t.parking.Leave()
	t.mu.Lock()
	t.read = true
	over := !t.writing
	t.mu.Unlock()
	if over {
		_ = t.nc.Close() // as above
	}
}

// closeCode is what the close frame says for a reason.
func closeCode(reason CloseReason, err error) (ws.StatusCode, string) {
	var ce wsframe.Error
	switch {
	case errors.As(err, &ce):
		return ce.Code, ce.Text
	case errors.As(err, new(panicError)):
		return ws.StatusInternalServerError, ""
	case reason == SlowClient:
		return ws.StatusPolicyViolation, string(SlowClient)
	default:
		return wsframe.NoCode, ""
	}
}

// What is read of a peer that has been sent a close frame and goes on. In all it is what the largest message
// may have, so that the sender of one too large hears why. Most of that comes from those that flood, and to
// throw it away must cost the others less than a flood that is obeyed: behind the first part it is read
// with pauses, for some seconds instead of a fraction of one.
const (
	lingerBytes  = 16 << 20
	lingerAtOnce = 1 << 20               // without a pause
	lingerStep   = 64 << 10              // then one after each
	lingerPause  = 10 * time.Millisecond // of this length
)

var errLingers = errors.New("the peer sends on after its close frame")

// linger closes the TCP connection once both sides have sent their close
// frames, the peer has gone, or the transport's deadline is over. Until then it
// reads on: bytes left unread would make the peer's system throw away our close
// frame. It is the reader's last use.
func (r *wsReader) linger() {
	r.holds(0)
	r.pong, r.conn, r.message, r.opcode = nil, nil, nil, 0
	r.lingers = lingerBytes
	for more := !r.closed; more; {
		if r.lost {
			more = r.skip(math.MaxInt64)
			continue
		}
		more = r.skip(r.unread)
		r.unread = 0
		if !more {
			break
		}
		h, err := r.readHeader()
		switch {
		case err != nil:
			more = false
		case !r.lost:
			more = h.OpCode != ws.OpClose
			r.unread = h.Length
		}
	}
	r.t.endRead()
	r.release()
}

// mayLinger counts n bytes that were read behind the close frame. It reports false when that is enough.
func (r *wsReader) mayLinger(n int) bool {
	left := r.lingers - n
	if left < lingerBytes-lingerAtOnce && left/lingerStep < r.lingers/lingerStep {
		time.Sleep(lingerPause)
	}
	r.lingers = left
	return left > 0
}

func (r *wsReader) skip(n int64) bool {
	for n > 0 {
		if r.start == r.end {
			r.start, r.end = 0, 0
			if r.fill() != nil {
				return false
			}
		}
		have := min(n, int64(r.end-r.start))
		r.start += int(have)
		n -= have
	}
	return true
}
