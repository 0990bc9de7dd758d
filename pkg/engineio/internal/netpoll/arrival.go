package netpoll

import (
	"syscall"

	"socketio-chat/pkg/uring"
)

// A Ring receives from many sockets with one system call: see uring.Pool. Its methods are safe for concurrent use.
type Ring interface {
	Receive(rooms []uring.Receive) (tried int)
	Err() error // not nil: it takes nothing any more
}

// An Arrival is what the poller has received for a socket when it gives that back, since it had others to receive for
// as well. The zero value is nothing. The owner reads with Receive before it does anything else, and keeps
// an Arrival no longer than the call it was given to takes.
type Arrival struct {
	some, again bool
	full        bool // there may be more
	data        []byte
	err         error
}

// Receive is FD.Receive, whose first bytes may have been received before. buf is at least as long as those. An error
// stays: nothing is read behind bytes that are lost.
func (a *Arrival) Receive(fd FD, buf []byte) (n int, again bool, err error) {
	got := *a
	switch {
	case !got.some:
		return fd.Receive(buf)
	case got.err != nil:
		return 0, false, got.err
	}
	*a = Arrival{}
	if n = copy(buf, got.data); got.full && n < len(buf) {
		more, _, _ := fd.Receive(buf[n:]) // an end, or an error, is met by the next read
		n += more
	}
	return n, got.again, nil
}

const (
	// receiveFrom is how many sockets are worth the ring: each entry has a price, too.
	receiveFrom = 3
	// roomSize is how much is received of one socket with others. Most requests and messages are shorter.
	roomSize = 1 << 10
	// maxReady is how many sockets a wait can find.
	maxReady = 128
)

// arrivals are rooms for what has come for the sockets of one wait.
type arrivals struct {
	rooms []uring.Receive // of the sockets, in order; none if nothing was received
	tried int
	space []byte // of all rooms, kept
}

// receive receives for sockets that the caller owns, if ring is worth it or takes them.
func (a *arrivals) receive(ring Ring, ready []*Parking) {
	a.rooms, a.tried = a.rooms[:0], 0
	if len(ready) < receiveFrom || ring == nil || ring.Err() != nil {
		return
	}
	if most := len(ready) * roomSize; len(a.space) < most { // as a rule they are few
		a.space = make([]byte, most)
	}
	for i, k := range ready {
		a.rooms = append(a.rooms, uring.Receive{FD: k.fd, Data: a.space[i*roomSize:][:roomSize:roomSize]})
	}
	a.tried = ring.Receive(a.rooms)
}

// of is what was received for the socket at place i.
func (a *arrivals) of(i int) Arrival {
	if i >= a.tried {
		return Arrival{}
	}
	r := &a.rooms[i]
	errno, _ := r.Err.(syscall.Errno) //nolint:errorlint // of each socket: errors.As would cost an allocation
	switch errno {
	case syscall.EAGAIN:
		return Arrival{some: true, again: true}
	case syscall.EINTR, syscall.ECANCELED, syscall.ENOMEM, syscall.ENOBUFS, syscall.EPERM, syscall.EACCES, syscall.EINVAL, syscall.EOPNOTSUPP:
		return Arrival{} // that says nothing of the peer, and nothing is lost: recv(2) tells
	}
	return Arrival{some: true, data: r.Data[:r.N], full: r.N == len(r.Data), err: r.Err}
}
