package engineio

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/uring"
)

// A wsTransport is one WebSocket. Frames are written by one goroutine at a
// time (see writerState), read by the goroutine that runs its wsReader. The last
// of the two closes it.
type wsTransport struct {
	// What a write touches, on one cache line; see Conn.
	mu      sync.Mutex // guards closing and what is before fd
	writing bool       // frames are being written, the close frame among them
	taken   bool       // somebody writes the close frame or has
	severed bool       // closing by the end of the server's direction of TCP, without a close frame
	read    bool       // the reader has ended: the writer closes the TCP connection
	fd      netpoll.FD // descriptor of raw; not closed between beginWrite and endWrite, nor before endRead
	closing []byte     // the close frame, empty if severed; nil before beginClose
	head    []byte     // the answer to the handshake, if it leaves with the first frame; owned by the writer

	nc      net.Conn
	raw     syscall.RawConn  // nil if nc is no plain socket
	running *running         // of the server
	parking *netpoll.Parking // of the reader

	_ [16]byte // makes its class of sizes one of whole lines
}

func newWSTransport(nc net.Conn, r *running) *wsTransport {
	raw, fd := netpoll.Socket(nc)
	return &wsTransport{nc: nc, raw: raw, fd: fd, running: r, parking: new(netpoll.Parking)}
}

var errTransportClosing = errors.New("the WebSocket is closing")

func (t *wsTransport) beginWrite() bool {
	t.mu.Lock()
	may := t.closing == nil && !t.read
	if may { // otherwise somebody may be writing the close frame
		t.writing = true
	}
	t.mu.Unlock()
	return may
}

// endWrite ends what beginWrite began, unless it returns the close frame: then
// the caller has to write that, and to call it again.
func (t *wsTransport) endWrite() []byte {
	t.mu.Lock()
	if t.closing != nil && !t.taken {
		t.taken = true
		if !t.severed {
			defer t.mu.Unlock()
			return t.closing
		}
	}
	t.writing = false
	over, severed := t.read, t.severed
	t.mu.Unlock()
	switch {
	case over:
		_ = t.nc.Close() // nothing is left to lose
	case severed:
		_ = t.nc.(halfCloser).CloseWrite() // fails on a connection that has ended
	}
	return nil
}

// writeProbe writes a frame of the upgrade, while no outbox leads to t. It
// waits for the peer within the transport's deadline.
func (t *wsTransport) writeProbe(f *Frame) error {
	if !t.beginWrite() {
		return errTransportClosing
	}
	_, err := t.nc.Write(f.wire)
	if frame := t.endWrite(); frame != nil {
		if err == nil {
			_, err = t.nc.Write(frame)
		}
		t.endWrite()
	}
	return err
}

// A remainder is what a write that would have blocked left over.
type remainder struct {
	buf  []byte // first: bytes of a frame that was begun, and whole frames behind it
	next int    // then: frames[next:]
	some bool
}

func (r remainder) empty() bool { return !r.some }

// A writer gathers small frames so that one system call takes many, and the turns of
// many connections so that one takes them all.
type writer struct {
	buf    []byte    // frames of one connection
	single [1]*Frame // see outbox.list
	sent   Sent      // not yet in flusher.sent
	shared gathered  // turns that leave together

	taken [uring.Batch]*Conn // by a worker from the line
	again []*Conn            // of them, those that have more to write
}

// writeChunk is how much is gathered for one system call. A frame that does
// not fit is written from where it is.
const writeChunk = 64 << 10

var writers = sync.Pool{New: func() any { return &writer{buf: make([]byte, 0, writeChunk)} }}

// writeFrames writes frames as far as the socket takes them now. The transport has begun to write.
func (w *writer) writeFrames(t *wsTransport, frames []*Frame, protocol int) (remainder, error) {
	w.buf = append(w.buf[:0], t.head...)
	t.head = nil
	for i, f := range frames {
		b := f.webSocket(protocol)
		if len(w.buf) > 0 && len(w.buf)+len(b) > cap(w.buf) {
			n, err := t.fd.Send(w.buf)
			if err != nil || n < len(w.buf) {
				return remainder{buf: append([]byte(nil), w.buf[n:]...), next: i, some: true}, err
			}
			w.buf = w.buf[:0]
		}
		if len(b) > cap(w.buf) {
			n, err := t.fd.Send(b)
			if err != nil || n < len(b) {
				return remainder{buf: b[n:], next: i + 1, some: true}, err
			}
			continue
		}
		w.buf = append(w.buf, b...)
	}
	if len(w.buf) == 0 {
		return remainder{}, nil
	}
	n, err := t.fd.Send(w.buf)
	if err != nil || n < len(w.buf) {
		return remainder{buf: append([]byte(nil), w.buf[n:]...), next: len(frames), some: true}, err
	}
	return remainder{}, nil
}

// writeSlowly writes the remainder of frames, waiting for the peer as long as
// it takes something at least every timeout. When the transport is closing it
// stops at a frame's end and sends the close frame.
func (t *wsTransport) writeSlowly(rest remainder, frames []*Frame, protocol int, timeout time.Duration) error {
	if !rest.some && !t.beginWrite() { // with a remainder the write has begun already
		return errTransportClosing
	}
	if rest.some && t.raw == nil && !t.beginWrite() {
		return errTransportClosing
	}
	if t.head != nil { // a connection without a descriptor: nothing was written yet
		rest.buf, t.head = t.head, nil
	}
	err := t.writeWaiting(rest.buf, timeout)
	for i := rest.next; err == nil && i < len(frames); i++ {
		if t.isClosing() {
			break
		}
		err = t.writeWaiting(frames[i].webSocket(protocol), timeout)
	}
	if frame := t.endWrite(); frame != nil {
		if err == nil {
			_ = t.writeWaiting(frame, 0)
			err = errTransportClosing
		}
		t.endWrite()
	}
	return err
}

func (t *wsTransport) isClosing() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closing != nil
}

// writeWaiting writes all of data, as long as the peer takes some of it in
// every timeout. Once the transport is closing its own deadline stands.
func (t *wsTransport) writeWaiting(data []byte, timeout time.Duration) error {
	for len(data) > 0 {
		t.mu.Lock()
		if t.closing == nil {
			_ = t.nc.SetWriteDeadline(time.Now().Add(timeout))
		}
		t.mu.Unlock()
		n, err := t.nc.Write(data[:min(len(data), writeChunk)])
		data = data[n:]
		if err != nil && !(n > 0 && isTimeout(err) && t.raw != nil && !t.isClosing()) {
			return err
		}
	}
	return nil
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
