package reactor

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"socketio-chat/pkg/uring"
)

// roomSize is how many bytes of a connection one batch reads: chat messages have a hundred.
const roomSize = 4 << 10

// batch collects connections that have something to read, to read from all of them by one system call. Nothing waits in
// it: it is read as soon as it is full, and when all events of a wait have been looked at.
type batch struct {
	pool  *uring.Pool // nil where the kernel has no io_uring for us: then nothing is collected
	conns []*Conn
	rooms []uring.Receive
	buf   []byte // roomSize for each
}

func newBatch() batch {
	pool, err := uring.Open(1)
	if err != nil {
		return batch{} // one system call a read, as ever
	}
	return batch{pool: pool, buf: make([]byte, uring.Batch*roomSize)}
}

// takes says whether a connection with these events can be read with others: it has plain data, and probably little.
func (b *batch) takes(c *Conn, events uint32) bool {
	const others = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	return b.pool != nil && events&unix.EPOLLIN != 0 && events&others == 0 &&
		!c.connecting && !c.much && len(c.rest) == 0 && len(c.queue) == 0
}

// readBatch reads once from every connection that was collected. All of them get the time after the call.
func (l *Loop) readBatch() {
	b := &l.batch
	conns := b.conns[:0]
	b.rooms = b.rooms[:0]
	for _, c := range b.conns {
		if c.closed { // by the handler of another; its descriptor may be somebody else's now
			continue
		}
		at := len(conns) * roomSize
		conns = append(conns, c)
		b.rooms = append(b.rooms, uring.Receive{FD: int32(c.fd), Data: b.buf[at : at+roomSize]})
	}
	b.conns = b.conns[:0]
	tried := b.pool.Receive(b.rooms)
	now := l.Now()
	l.tickIfDue(now)
	for i, c := range conns {
		switch {
		case c.closed:
		case i >= tried:
			c.readable(false)
		default:
			c.received(&b.rooms[i], now)
		}
	}
}

// received handles what a batch has read of the connection.
func (c *Conn) received(r *uring.Receive, now time.Duration) {
	switch {
	case errors.Is(r.Err, syscall.EAGAIN):
	case errors.Is(r.Err, syscall.EINTR):
		c.readable(false)
	case r.Err != nil:
		c.Close(fmt.Errorf("receive: %w", r.Err))
	case r.N == 0:
		c.Close(io.EOF)
	default:
		c.much = r.N == len(r.Data)
		if c.consume(r.Data[:r.N], now) && c.much {
			c.readable(false)
		}
	}
}
