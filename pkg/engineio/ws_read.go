package engineio

import (
	"io"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/engineio/internal/utf"
	"socketio-chat/pkg/engineio/internal/wsframe"
)

// A wsReader takes WebSocket messages off one transport. It holds a buffer
// only while bytes are in it, and a connection that waits for its peer between
// two messages has no reader either.
type wsReader struct {
	t          *wsTransport
	maxPayload int64
	// pong is called with the frame that answers a ping; conn sends it if that is nil. conn counts what is
	// read, too; only linger has none.
	pong func(*Frame)
	conn *Conn

	in         netpoll.Arrival // read first
	buf        []byte          // pooled; nil when empty
	start, end int             // buf[start:end] is unread

	message []byte    // fragments so far
	inHand  int       // of what conn holds: the message that was begun, or returned last
	checked int       // bytes of them that are whole characters; of text
	opcode  ws.OpCode // of the message in fragments, 0 without one

	// What linger has to know.
	unread int64 // payload bytes of a frame that broke a rule
	lost   bool  // it is unknown where the next frame begins
	closed bool  // the peer's close frame came: nothing follows
	// lingers is how much more may be read, of a peer that was sent a close frame.
	lingers int

	target  []byte // where readOnce reads to instead of buf
	n       int    // its results
	err     error
	call    func(fd uintptr) bool // readOnce, for waitAndRead
	drained bool                  // the last read took all there was
}

var wsReaders = sync.Pool{New: func() any {
	r := new(wsReader)
	r.call = func(uintptr) bool { return !r.readOnce() }
	return r
}}

// newWSReader returns a reader, which ends with release.
func newWSReader(t *wsTransport, maxPayload int64, early []byte) *wsReader {
	r := wsReaders.Get().(*wsReader)
	r.t, r.maxPayload = t, maxPayload
	if len(early) > 0 { // bytes that arrived behind the HTTP request
		r.buf, r.end = slices.Clone(early), len(early)
	}
	return r
}

// release gives the reader to another transport. Nothing may be unread, or nobody
// will read it.
func (r *wsReader) release() {
	r.holds(0)
	r.start = r.end
	r.releaseBuffer()
	*r = wsReader{call: r.call}
	wsReaders.Put(r)
}

// readHeader reads the next frame's header.
func (r *wsReader) readHeader() (ws.Header, error) {
	for {
		h, n := wsframe.ParseHeader(r.buf[r.start:r.end])
		if n > 0 {
			r.start += n
			r.lost = wsframe.Endless(h)
			return h, nil
		}
		if err := r.fill(); err != nil {
			return h, err
		}
	}
}

// server is where memory is counted; nil for a reader without a connection.
func (r *wsReader) server() *Server {
	if r.conn == nil {
		return nil
	}
	return r.conn.server
}

// readPayload appends n bytes to dst, growing it as they come: a header that
// promises much and delivers nothing costs nothing.
func (r *wsReader) readPayload(dst []byte, n int) ([]byte, error) {
	if have := min(n, r.end-r.start); have > 0 {
		dst = append(dst, r.buf[r.start:r.start+have]...)
		r.start += have
		n -= have
	}
	for n > 0 {
		if n < readBuffer {
			if err := r.fill(); err != nil {
				return dst, err
			}
			have := min(n, r.end-r.start)
			dst = append(dst, r.buf[r.start:r.start+have]...)
			r.start += have
			n -= have
			continue
		}
		dst = r.server().grow(dst, n)
		r.holds(cap(dst))
		room := dst[len(dst):min(cap(dst), len(dst)+n)]
		got, err := r.readSome(room)
		dst, n = dst[:len(dst)+got], n-got
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// next returns the next whole text or binary message, which the caller owns,
// and answers control frames in between. It ends with io.EOF when the peer
// closes, and with a wsframe.Error for a breach of RFC 6455.
func (r *wsReader) next() (data []byte, isBinary bool, err error) {
	r.holds(0) // what was returned last has been dealt with
	for {
		h, err := r.nextHeader()
		if err != nil {
			return nil, false, err
		}
		if r.counts(h) && !r.conn.mayControl() {
			r.unread = h.Length
			return nil, false, errControlFrames
		}
		if h.OpCode.IsControl() {
			if err := r.control(h); err != nil {
				return nil, false, err
			}
			continue
		}
		if h.OpCode != ws.OpContinuation {
			r.opcode = h.OpCode
		}
		if h.Length > r.maxPayload-int64(len(r.message)) {
			r.unread = h.Length
			return nil, false, wsframe.Error{Code: ws.StatusMessageTooBig, Text: "max payload size exceeded"}
		}
		at := len(r.message)
		if r.message, err = r.readPayload(r.message, int(h.Length)); err != nil {
			r.unread = h.Length - int64(len(r.message)-at)
			return nil, false, err
		}
		ws.Cipher(r.message[at:], h.Mask, 0)
		isBinary = r.opcode == ws.OpBinary
		if !isBinary && !r.checkText(h.Fin) {
			return nil, false, wsframe.Error{Code: ws.StatusInvalidFramePayloadData, Text: "invalid UTF-8 in a text message"}
		}
		if !h.Fin {
			r.holds(cap(r.message))
			continue
		}
		data = r.message
		r.message, r.opcode, r.checked = nil, 0, 0
		return data, isBinary, nil
	}
}

// holds notes how much memory the message in hand takes.
func (r *wsReader) holds(n int) {
	if r.conn == nil || n == r.inHand {
		return
	}
	r.conn.Hold(int64(n - r.inHand))
	if n == 0 || r.inHand == 0 {
		r.t.holds(n > 0)
	}
	r.inHand = n
}

// counts tells whether a frame is bounded by Options.ControlFrames. A close frame is the last.
func (r *wsReader) counts(h ws.Header) bool {
	return r.conn != nil && h.OpCode != ws.OpClose && (h.OpCode.IsControl() || !h.Fin && h.Length < shortFragment)
}

// checkText tells whether the message so far can become, or if it is whole is, UTF-8. Text
// that cannot ends the connection at once (RFC 6455, 8.1), at the end of a fragment.
func (r *wsReader) checkText(whole bool) bool {
	text := r.message[r.checked:]
	if !whole {
		text = text[:len(text)-utf.Incomplete(text)]
		r.checked += len(text)
	}
	return utf8.Valid(text)
}

// nextHeader reads and checks the next frame's header.
func (r *wsReader) nextHeader() (ws.Header, error) {
	h, err := r.readHeader()
	if err != nil {
		return h, err
	}
	if err := wsframe.Check(h, r.opcode != 0); err != nil {
		r.unread = max(0, h.Length)
		return h, err //nolint:wrapcheck // a wsframe.Error, whose text goes over the wire
	}
	return h, nil
}

func (r *wsReader) control(h ws.Header) error {
	payload, err := r.readPayload(make([]byte, 0, h.Length), int(h.Length))
	if err != nil {
		return err
	}
	ws.Cipher(payload, h.Mask, 0)
	switch h.OpCode {
	case ws.OpPing:
		pong := &Frame{wire: append(wsframe.AppendHeader(nil, ws.OpPong, len(payload)), payload...), own: pongCost}
		switch {
		case r.pong != nil:
			r.pong(pong)
		case r.conn != nil:
			r.conn.Send(pong)
		}
	case ws.OpClose:
		code, err := wsframe.ParseClose(payload)
		if err != nil {
			return err
		}
		r.t.closeWith(code)
		r.closed = true
		return io.EOF
	}
	return nil
}
