package engineio

import (
	"sync/atomic"
	"syscall"
)

// A parking lets a socket wait for its peer without a goroutine. When nothing is
// left to read, who reads it parks: it returns, and its stack with it. The
// server's poller starts it again when bytes arrive. A WebSocket parks between
// two messages, a connection of the front between two requests; in the middle
// of either, and where there is no poller, the reader waits where it is.
//
//	          park                  bytes, or the transport closes
//	running ────────► parked        ─────────────────────► running
//	running ─ bytes ► signaled      park fails, the reader looks again
//
// A connection that the front has given to a WebSocket goes on with the parking
// it has: that costs no system call.
type parking struct {
	state    atomic.Uint32
	resume   func()                    // reads on; set by who runs, before it parks. Not for the front
	front    atomic.Pointer[frontConn] // whose socket it is, until that becomes a WebSocket
	ending   atomic.Bool               // the peer has sent its last byte: read on until there is nothing
	orphaned atomic.Bool               // the poller has given up: nobody wakes it any more
	running  *running                  // of the server
	poller   *poller                   // where the socket is registered
	fd       int32                     // its descriptor there
}

const (
	parkRunning uint32 = iota
	parkSignaled
	parkParked
)

// park reports whether the reader may return: it will be run again. The caller
// has read all there was at some moment after it was started. If not, there may
// be more by now, or may not: the signal can be for bytes that have been read.
func (k *parking) park() bool {
	if k.orphaned.Load() {
		return false
	}
	if k.state.CompareAndSwap(parkRunning, parkParked) {
		return true
	}
	k.state.Store(parkRunning) // signaled
	return false
}

// signaled tells a reader that runs that there may be more to read.
func (k *parking) signaled() bool { return k.state.Load() == parkSignaled }

// claim makes a parked reader's owner of the caller.
func (k *parking) claim() bool { return k.state.CompareAndSwap(parkParked, parkRunning) }

// unpark runs a parked reader, and makes a running one look again.
func (k *parking) unpark() {
	if k.unparked() {
		k.running.start(k.resume)
	}
}

// unparked is unpark for a caller who sees to it himself that the reader runs if
// it reports true.
func (k *parking) unparked() bool {
	for {
		switch k.state.Load() {
		case parkSignaled:
			return false
		case parkRunning:
			if k.state.CompareAndSwap(parkRunning, parkSignaled) {
				return false
			}
		case parkParked:
			if k.claim() {
				return true
			}
		}
	}
}

// leave is called before the descriptor is closed or given away.
func (k *parking) leave() {
	if k.poller != nil {
		k.poller.remove(k)
	}
}

// park reports parked if the reader may return; see parking. Otherwise again
// tells whether it should look again before it waits.
func (t *wsTransport) park(p *poller) (parked, again bool) {
	k := t.parking
	if k.orphaned.Load() || k.poller == nil && !p.add(k, t.raw) {
		return false, false
	}
	if !k.park() {
		return false, true
	}
	// beginClose unparks after it has marked the transport; whichever of the
	// two comes second sees the other.
	return !t.isClosing() || !k.claim(), false
}

// rawConn returns how to wait for a socket, and its descriptor; nil if nc is none.
func rawConn(nc any) (raw syscall.RawConn, fd int32) {
	sc, ok := nc.(syscall.Conn)
	if !ok || !plainSockets {
		return nil, noFD
	}
	raw, err := sc.SyscallConn()
	if err != nil || raw.Control(func(d uintptr) { fd = int32(d) }) != nil {
		return nil, noFD
	}
	return raw, fd
}

// noFD is the descriptor of a connection that has none.
const noFD = -1

// moreComes tells whether a request can be read. It takes nothing, as peerGone.
func moreComes(raw syscall.RawConn) (comes bool) {
	_ = raw.Read(func(fd uintptr) bool { // fails on a closed connection only
		var b [maxBlank + 1]byte
		n, again, err := peekFD(int32(fd), b[:])
		comes = !again && err == nil && !blank(b[:n])
		return true
	})
	return comes
}

// peerGone tells whether the peer has ended the connection and left nothing to
// read. It takes nothing, and may be called by who does not own the connection.
func peerGone(raw syscall.RawConn) bool {
	gone := false
	_ = raw.Read(func(fd uintptr) bool { // fails on a closed connection only
		var b [1]byte
		n, again, err := peekFD(int32(fd), b[:])
		gone = !again && (n == 0 || err != nil)
		return true
	})
	return gone
}
