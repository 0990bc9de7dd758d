package engineio

import (
	"io"
	"slices"
	"sync"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/engineio/internal/wsframe"
)

// How a wsReader gets bytes off its transport, waits for them, and ceases to.

const readBuffer = netpoll.BufferSize

var readBuffers = sync.Pool{New: func() any { return new([readBuffer]byte) }}

// readOnce reads without waiting, to target or behind the unread bytes. again
// tells that nothing is there yet.
func (r *wsReader) readOnce() (again bool) {
	dst := r.target
	if dst == nil {
		dst = r.takeBuffer()
	}
	r.n, again, r.err = r.in.Receive(r.t.fd, dst)
	// A short read took all there was, unless the peer's end came with it:
	// then there is nothing to be woken by.
	r.drained = again || 0 < r.n && r.n < len(dst) && !r.t.parking.Ending()
	if again && r.target == nil {
		r.releaseBuffer() // wait without one
	}
	return again
}

// takeBuffer returns the room to read into, behind the unread bytes.
func (r *wsReader) takeBuffer() []byte {
	if r.start == r.end && len(r.buf) < readBuffer { // none, or that of the early bytes
		r.start, r.end = 0, 0
		r.buf = readBuffers.Get().(*[readBuffer]byte)[:]
	}
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.end -= r.start
		r.start = 0
	}
	if r.end == len(r.buf) { // early bytes fill a buffer of their own exactly
		r.buf = slices.Grow(r.buf, readBuffer)[:len(r.buf)+readBuffer]
	}
	return r.buf[r.end:]
}

func (r *wsReader) releaseBuffer() {
	if r.buf != nil && r.start == r.end {
		if len(r.buf) == readBuffer {
			readBuffers.Put((*[readBuffer]byte)(r.buf))
		}
		r.buf, r.start, r.end = nil, 0, 0
	}
}

// readSome waits for bytes and reads some, into target or behind the unread.
func (r *wsReader) readSome(target []byte) (int, error) {
	n, err := r.waitAndRead(target)
	if r.conn != nil {
		r.conn.intake.took(n)
	}
	return n, err
}

func (r *wsReader) waitAndRead(target []byte) (int, error) {
	if r.t.raw == nil {
		if target == nil {
			target = r.takeBuffer()
		}
		return r.t.nc.Read(target)
	}
	r.target, r.n, r.err = target, 0, nil
	err := r.t.raw.Read(r.call)
	r.target = nil
	switch {
	case err != nil:
		return 0, err
	case r.err != nil:
		return 0, r.err
	case r.n == 0:
		return 0, io.EOF
	}
	return r.n, nil
}

// fill reads at least one byte behind the unread ones.
func (r *wsReader) fill() error {
	n, err := r.readSome(nil)
	if r.lingers > 0 && !r.mayLinger(n) {
		return errLingers
	}
	if n > 0 {
		r.end += n
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// quiet reports whether the reader is between two messages with nothing left
// to read: the moment to park. An error is left for the next read to meet.
func (r *wsReader) quiet() bool {
	if r.t.raw == nil || r.start < r.end || r.opcode != 0 {
		return false
	}
	if !r.drained {
		if r.readOnce(); r.err != nil || !r.drained && r.n == 0 {
			return false
		}
		r.end += r.n
	}
	if r.start < r.end {
		return false
	}
	r.releaseBuffer()
	return true
}

// parks reports whether the reader has parked: then r is somebody else's.
func (r *wsReader) parks() bool {
	for r.quiet() {
		r.drained = false // there may be more by the time it goes on
		parked, again := r.t.park(r.conn.server.poller)
		if parked {
			r.release()
			return true
		}
		if !again {
			break
		}
	}
	return false
}

// heartbeat tells whether what has been read is one heartbeat and nothing else.
func (r *wsReader) heartbeat() bool {
	b := r.buf[r.start:r.end]
	h, n := wsframe.ParseHeader(b)
	if n == 0 || n+1 != len(b) || h.Length != 1 || h.OpCode != ws.OpText || !h.Fin || wsframe.Check(h, false) != nil {
		return false
	}
	typ := b[n] ^ h.Mask[0]
	return typ == '2' || typ == '3'
}

// park reports parked if the reader may return; see netpoll.Parking. Otherwise again
// tells whether it should look again before it waits.
func (t *wsTransport) park(p *netpoll.Poller) (parked, again bool) {
	k := t.parking
	if k.Orphaned() || !k.Added() && !p.Add(k, t.raw) {
		return false, false
	}
	if !k.Park() {
		return false, true
	}
	// close unparks after it has marked the transport; whichever of the
	// two comes second sees the other.
	return !t.isClosing() || !k.Claim(), false
}
