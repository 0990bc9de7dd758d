package netpoll

import (
	"sync/atomic"
)

// A Handler serves a socket without a goroutine of its own. The poller calls it.
type Handler interface {
	// Readable gives the parked socket back to its owner, with what has been received for it, who may
	// use buf, of BufferSize bytes, until it returns.
	Readable(in Arrival, buf []byte)
	// Signaled tells that more came to a socket that is not parked or, with ending,
	// its peer's last byte. It must not read.
	Signaled(ending bool)
	// Orphaned gives a parked socket back because the poller has failed.
	Orphaned()
}

// A Reader reads a socket that has no Handler: the poller glances, or starts a goroutine that glances at many, and
// starts one for each Work.
type Reader interface {
	// Glance reads what has come, of which in has been received already. If acting on that takes no
	// time it does so, parks and returns nil: other sockets wait for it. What may take longer it returns
	// as Work, which owns the socket.
	Glance(in Arrival) Work
}

// Work is what is left to do with a socket. It may take its time, and parks at its end.
type Work interface{ Run() }

// BufferSize is how many bytes a Handler can read at once.
const BufferSize = 8 << 10

// A Parking lets a socket wait for its peer without a goroutine. When nothing is left
// to read, its reader parks: it returns, and its stack with it. The poller starts a
// reader again when bytes arrive: that of the Handler or, without one, the Reader.
//
//	          Park                  bytes, or Unpark
//	running ────────► parked        ─────────────────────► running
//	running ─ bytes ► signaled      Park fails, the reader looks again
//
// The zero value is that of a socket which runs and was not added to a Poller yet.
type Parking struct {
	// Reader reads on. The owner sets it before it parks a socket that has no Handler.
	Reader Reader

	state    atomic.Uint32
	fd       int32 // the descriptor, where it is registered
	handler  atomic.Pointer[Handler]
	poller   *Poller // where the socket is registered
	ending   atomic.Bool
	orphaned atomic.Bool
}

const (
	parkRunning uint32 = iota
	parkSignaled
	parkParked
)

// Handle sets the Handler, in place of the Reader; nil for none. The owner calls it.
func (k *Parking) Handle(h *Handler) { k.handler.Store(h) }

// Park reports whether the reader may return: it will be run again. The caller
// has read all there was at some moment after it was started. If not, there may
// be more by now, or may not: the signal can be for bytes that have been read.
func (k *Parking) Park() bool {
	if k.Orphaned() {
		return false
	}
	if k.state.CompareAndSwap(parkRunning, parkParked) {
		return true
	}
	k.state.Store(parkRunning) // signaled
	return false
}

// Parked tells whether the socket waits. It may not by the time this has returned.
func (k *Parking) Parked() bool { return k.state.Load() == parkParked }

// Signaled tells a reader that runs that there may be more to read.
func (k *Parking) Signaled() bool { return k.state.Load() == parkSignaled }

// Ending tells that the peer has sent its last byte: read on until there is nothing.
func (k *Parking) Ending() bool { return k.ending.Load() }

// Orphaned tells that the poller has given up: nobody starts a reader any more.
func (k *Parking) Orphaned() bool { return k.orphaned.Load() }

// Claim makes the caller the owner of a parked socket. It reports false if that is not
// parked.
func (k *Parking) Claim() bool { return k.state.CompareAndSwap(parkParked, parkRunning) }

// Unpark starts the reader of a parked socket, and makes a running one look again.
func (k *Parking) Unpark() {
	if k.wake() {
		k.poller.start(k.resume)
	}
}

// resume reads on, on the goroutine of the caller.
func (k *Parking) resume() {
	if w := k.Reader.Glance(Arrival{}); w != nil {
		w.Run()
	}
}

// wake is Unpark for a caller that starts the reader itself if wake reports true.
func (k *Parking) wake() bool {
	for {
		switch k.state.Load() {
		case parkSignaled:
			return false
		case parkRunning:
			if k.state.CompareAndSwap(parkRunning, parkSignaled) {
				return false
			}
		case parkParked:
			if k.Claim() {
				return true
			}
		}
	}
}

// Leave ends the registration. The owner calls it before the socket is closed.
func (k *Parking) Leave() {
	if k.poller != nil {
		k.poller.remove(k)
	}
}

// Release is Leave for a socket that stays open and is somebody else's from now on.
func (k *Parking) Release() {
	if k.poller != nil {
		k.poller.release(k)
	}
}

// Added tells whether the socket is registered with a poller, or was.
func (k *Parking) Added() bool { return k.poller != nil }

// orphan gives a socket back after its poller has failed.
func (k *Parking) orphan(start func(func())) {
	k.orphaned.Store(true)
	if !k.wake() {
		return // its reader runs, and sees that it is orphaned
	}
	if h := k.handler.Load(); h != nil {
		(*h).Orphaned()
		return
	}
	start(k.resume)
}

// Registered is how many sockets the poller knows: those that were added and have not
// left.
func (p *Poller) Registered() int {
	n := 0
	p.each(func(*Parking) { n++ })
	return n
}

// Parked is how many of them wait without a Handler.
func (p *Poller) Parked() int {
	n := 0
	p.each(func(k *Parking) {
		if k.handler.Load() == nil && k.Parked() {
			n++
		}
	})
	return n
}
