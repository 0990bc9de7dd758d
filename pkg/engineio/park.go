package engineio

import "sync/atomic"

// A parking lets a WebSocket wait for its peer without a goroutine. Between
// two messages, when nothing is left to read, the reader parks: it returns, and
// its stack with it. The server's poller starts it again when bytes arrive. In
// the middle of a message, during an upgrade and while closing the reader waits
// where it is; so it does where there is no poller.
//
//	          park                  bytes, or the transport closes
//	running ────────► parked        ─────────────────────► running
//	running ─ bytes ► signaled      park fails, the reader looks again
type parking struct {
	state  atomic.Uint32
	resume func()      // runs the reader; set before the first park
	ending atomic.Bool // the peer has sent its last byte: read on until there is nothing
	poller *poller     // where the transport is registered, from the first park on
	fd     int32       // its descriptor there
}

const (
	parkRunning uint32 = iota
	parkSignaled
	parkParked
)

// park reports parked if the reader may return: it will be run again. The
// caller has read all there was at some moment after it was started. Otherwise
// again tells that there may be more by now, or may not: the signal can be for
// bytes that have been read.
func (t *wsTransport) park(p *poller) (parked, again bool) {
	k := &t.parking
	if k.poller == nil && !p.add(t) {
		return false, false
	}
	if !k.state.CompareAndSwap(parkRunning, parkParked) {
		k.state.Store(parkRunning) // signaled
		return false, true
	}
	// beginClose unparks after it has marked the transport; whichever of the
	// two comes second sees the other.
	return !t.isClosing() || !k.state.CompareAndSwap(parkParked, parkRunning), false
}

// unpark runs a parked reader, and makes a running one look again.
func (t *wsTransport) unpark() {
	k := &t.parking
	for {
		switch k.state.Load() {
		case parkSignaled:
			return
		case parkRunning:
			if k.state.CompareAndSwap(parkRunning, parkSignaled) {
				return
			}
		case parkParked:
			if k.state.CompareAndSwap(parkParked, parkRunning) {
				t.running.start(k.resume)
				return
			}
		}
	}
}

// leavePoller is called before the transport's descriptor is closed.
func (t *wsTransport) leavePoller() {
	if p := t.parking.poller; p != nil {
		p.remove(t)
	}
}
