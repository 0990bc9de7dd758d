package engineio

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/uring"
)

// How a WebSocket is written, whatever is written:
//
//	turn (messages, heartbeats) ─┐              ┌─ send, or the ring: what the socket takes at once ─┐
//	write (handshake, probe) ────┼─ beginWrite ─┤                                                    ├─ endWrite
//	close (close frame, sever) ──┘  one at a    └─ sendWaiting: all, as the peer takes it ───────────┘  the close frame,
//	                                time                                                                the end of TCP
//
// Only send and sendWaiting write, and io_uring for the turns of a writer (see gathered).

// A wsTransport is one WebSocket. Frames are written by one goroutine at a
// time (see writerState), read by the goroutine that runs its wsReader. The last
// of the two closes it.
type wsTransport struct {
	// What a write touches, on one cache line; see Conn.
	mu      sync.Mutex // guards closing and what is before fd
	writing bool       // frames are being written, the close frame among them
	severed bool       // closing by the end of the server's direction of TCP, without a close frame
	read    bool       // the reader has ended: the writer closes the TCP connection
	fd      netpoll.FD // descriptor of raw; not closed between beginWrite and endWrite, nor before endRead
	closing []byte     // the close frame, empty if severed; nil before close
	head    []byte     // the answer to the handshake, if it leaves with the first frame; owned by the writer

	nc      net.Conn
	raw     syscall.RawConn  // nil if nc is no plain socket
	running *running         // of the server
	parking *netpoll.Parking // of the reader

	// Guarded by mu; see abandon.
	inHand    bool // the reader has a message that is not dealt with
	abandoned bool // nobody wants it

	_ [14]byte // makes its class of sizes one of whole lines
}

func newWSTransport(nc net.Conn, r *running) *wsTransport {
	raw, fd := netpoll.Socket(nc)
	return &wsTransport{nc: nc, raw: raw, fd: fd, running: r, parking: new(netpoll.Parking)}
}

var errTransportClosing = errors.New("the WebSocket is closing")

// beginWrite makes the caller the one that writes, until it calls endWrite. It reports false
// on a transport that is closing.
func (t *wsTransport) beginWrite() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing != nil || t.read {
		return false
	}
	t.writing = true
	return true
}

// endWrite ends what beginWrite began, with what came of it. If the transport has begun to
// close meanwhile, the close frame follows what was written. It does not wait.
func (t *wsTransport) endWrite(err error) error {
	t.mu.Lock()
	if err == nil && t.closing != nil {
		if last := append(t.takeHead(), t.closing...); len(last) > 0 {
			t.mu.Unlock()
			return t.sendLast(last)
		}
	}
	t.wroteLocked()
	return err
}

// sendLast writes the close frame. What the socket does not take at once is left to a
// goroutine, within the transport's deadline.
func (t *wsTransport) sendLast(data []byte) error {
	n, err := t.send(data)
	if err == nil && n < len(data) {
		t.running.start(func() {
			_ = t.sendWaiting(data[n:], 0) // the peer may be gone
			t.mu.Lock()
			t.wroteLocked()
		})
		return nil
	}
	t.mu.Lock()
	t.wroteLocked()
	return err
}

// wroteLocked lets the next one write or, on a transport that is closing, does what the reader
// and sever have left to the writer. It unlocks.
func (t *wsTransport) wroteLocked() {
	t.writing = false
	over, severed := t.read, t.severed
	t.mu.Unlock()
	switch {
	case over:
		_ = t.nc.Close() // nothing is left to lose
	case severed:
		_ = t.nc.(halfCloser).CloseWrite() // fails on a connection that has ended
	}
}

// takeHead returns the answer to the handshake if it has not left. The goroutine that writes may call it.
func (t *wsTransport) takeHead() []byte {
	head := t.head
	t.head = nil
	return head
}

// write writes the answer to the handshake, if it has not left, and data. It waits for the
// peer within the transport's deadline.
func (t *wsTransport) write(data []byte) error {
	if !t.beginWrite() {
		return errTransportClosing
	}
	return t.endWrite(t.sendWaiting(append(t.takeHead(), data...), 0))
}

// send writes what the socket takes at once; nothing where there is no descriptor. The
// transport has begun to write.
func (t *wsTransport) send(data []byte) (n int, err error) {
	if t.fd == netpoll.None {
		return 0, nil
	}
	return t.fd.Send(data)
}

// sendWaiting writes all of data, as long as the peer takes some of it in every timeout.
// With a timeout of 0, and once the transport is closing, its own deadline stands. The
// transport has begun to write.
func (t *wsTransport) sendWaiting(data []byte, timeout time.Duration) error {
	_, err := writeWaiting(t.nc, data, wsDeadline{t, timeout})
	return err
}

// A wsDeadline is that of frames: timeout for each piece, until the transport has one of its own.
type wsDeadline struct {
	t       *wsTransport
	timeout time.Duration
}

func (d wsDeadline) extend() (goesOn bool) {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	if d.timeout == 0 || d.t.closing != nil {
		return false
	}
	_ = d.t.nc.SetWriteDeadline(time.Now().Add(d.timeout)) // fails on a closed connection only
	return d.t.raw != nil                                  // TLS cannot go on in the middle of a record
}

// A remainder is what a write that would have blocked left over.
type remainder struct {
	buf  []byte // first: bytes of a frame that was begun, and whole frames behind it
	next int    // then: frames[next:]
	some bool
}

func (r remainder) empty() bool { return !r.some }

// all is the remainder of frames of which nothing is written.
func (t *wsTransport) all() remainder { return remainder{buf: t.takeHead(), some: true} }

// A writer gathers small frames so that one system call takes many, and the turns of
// many connections so that one takes them all.
type writer struct {
	buf    []byte    // frames of one connection; one that does not fit is written from where it is
	single [1]*Frame // see outbox.list
	sent   Sent      // not yet in flusher.sent
	shared gathered  // turns that leave together

	taken [uring.Batch]*Conn // by a worker from the line
	again []*Conn            // of them, those that have more to write
}

var writers = sync.Pool{New: func() any { return &writer{buf: make([]byte, 0, writeChunk)} }}

// sendFrames writes frames as far as the socket takes them now. The transport has begun to write.
func (w *writer) sendFrames(t *wsTransport, frames []*Frame, protocol int) (remainder, error) {
	if t.fd == netpoll.None {
		return t.all(), nil
	}
	w.buf = append(w.buf[:0], t.takeHead()...)
	for i, f := range frames {
		b := f.webSocket(protocol)
		if len(w.buf) > 0 && len(w.buf)+len(b) > cap(w.buf) {
			n, err := t.send(w.buf)
			if err != nil || n < len(w.buf) {
				return remainder{buf: append([]byte(nil), w.buf[n:]...), next: i, some: true}, err
			}
			w.buf = w.buf[:0]
		}
		if len(b) > cap(w.buf) {
			n, err := t.send(b)
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
	n, err := t.send(w.buf)
	if err != nil || n < len(w.buf) {
		return remainder{buf: append([]byte(nil), w.buf[n:]...), next: len(frames), some: true}, err
	}
	return remainder{}, nil
}

// sendRest writes what is left of frames, waiting for the peer. When the transport is closing
// it stops at a frame's end, with an error. The transport has begun to write.
func (t *wsTransport) sendRest(rest remainder, frames []*Frame, protocol int, timeout time.Duration) error {
	err := t.sendWaiting(rest.buf, timeout)
	for i := rest.next; err == nil && i < len(frames) && !t.isClosing(); i++ {
		err = t.sendWaiting(frames[i].webSocket(protocol), timeout)
	}
	return err
}

func (t *wsTransport) isClosing() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closing != nil
}
