package reactor

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Handler gets what happens to one connection. All calls come from the loop.
type Handler interface {
	// Connected is the first call unless connecting fails.
	Connected()
	// Data gets everything that has not been consumed yet, and tells how much of it is consumed now. b is the loop's
	// buffer, valid only during the call; now is the loop's clock just after the bytes were read. An error closes
	// the connection.
	Data(b []byte, now time.Duration) (consumed int, err error)
	// Closed is the last call. err is io.EOF when the peer ended the connection in good order.
	Closed(err error)
}

// Conn is one TCP connection of a Loop.
type Conn struct {
	loop       *Loop
	handler    Handler
	fd         int
	generation int32
	connecting bool
	closed     bool
	much       bool   // the last read came with more than a batch has room for
	rest       []byte // read, not consumed; nil for an idle connection
	queue      []byte // written, not taken by the kernel
}

// Dial starts connecting to target, from source if that is valid. What comes of it the handler learns.
// An error means that the system gave no socket, and the handler is not called.
func (l *Loop) Dial(target netip.AddrPort, source netip.Addr, h Handler) (*Conn, error) {
	family := unix.AF_INET
	if target.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a socket (is the limit of open files, ulimit -n, high enough?): %w", err)
	}
	c := &Conn{loop: l, handler: h, fd: fd, connecting: true}
	if err := c.connect(target, source); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	for len(l.conns) <= fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[fd] = c
	return c, nil
}

// connect ends with the descriptor being watched. Edge-triggered: a connection that has nothing new costs nothing.
func (c *Conn) connect(target netip.AddrPort, source netip.Addr) error {
	if err := unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("set TCP_NODELAY: %w", err)
	}
	if source.IsValid() {
		// The port is chosen at connect, so that each source address has all ports towards each target.
		if err := unix.SetsockoptInt(c.fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return fmt.Errorf("set IP_BIND_ADDRESS_NO_PORT: %w", err)
		}
		if err := unix.Bind(c.fd, sockaddr(netip.AddrPortFrom(source, 0))); err != nil {
			return fmt.Errorf("bind to %s: %w", source, err)
		}
	}
	if err := unix.Connect(c.fd, sockaddr(target)); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("connect to %s: %w", target, err)
	}
	c.generation = c.loop.nextGeneration()
	events := uint32(unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET)
	if err := c.loop.watch(c.fd, events, c.generation); err != nil {
		return fmt.Errorf("watch the socket: %w", err)
	}
	return nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

// Write sends b, which is not kept. What the kernel does not take now waits in a queue of MaxQueued bytes.
// After an error the connection is closed.
func (c *Conn) Write(b []byte) {
	if c.closed {
		return
	}
	if len(c.queue) == 0 && !c.connecting {
		n, err := unix.Write(c.fd, b)
		if err != nil && err != unix.EAGAIN && err != unix.EINTR {
			c.Close(fmt.Errorf("send: %w", err))
			return
		}
		b = b[max(n, 0):]
	}
	if len(c.queue)+len(b) > MaxQueued {
		c.Close(errors.New("send: the server does not read any more"))
		return
	}
	c.queue = append(c.queue, b...)
}

// Queued is how many bytes wait for the peer.
func (c *Conn) Queued() int { return len(c.queue) }

// Close ends the connection and reports err to its handler; later calls do nothing.
func (c *Conn) Close(err error) {
	if c.closed {
		return
	}
	c.closed = true
	c.loop.conns[c.fd] = nil
	_ = unix.Close(c.fd) // leaves epoll with it
	c.rest, c.queue = nil, nil
	c.handler.Closed(err)
}

func (c *Conn) event(events uint32) {
	if c.connecting {
		if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) == 0 {
			return
		}
		if err := c.connected(); err != nil {
			c.Close(fmt.Errorf("connect: %w", err))
			return
		}
	}
	if len(c.queue) > 0 && events&unix.EPOLLOUT != 0 {
		c.flush()
	}
	const ends = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if !c.closed && events&(unix.EPOLLIN|ends) != 0 {
		c.readable(events&ends != 0)
	}
}

func (c *Conn) connected() error {
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if code != 0 {
		return unix.Errno(code)
	}
	c.connecting = false
	c.handler.Connected()
	return nil
}

func (c *Conn) flush() {
	queue := c.queue
	c.queue = nil
	c.Write(queue)
}

// readable reads until the socket is empty: a short read says so, and spares the read that would only tell EAGAIN.
// At the end of the stream (atEnd) a short read says nothing, and reading goes on to the end.
func (c *Conn) readable(atEnd bool) {
	l := c.loop
	for range readsInARow {
		kept := copy(l.buf, c.rest)
		n, err := unix.Read(c.fd, l.buf[kept:])
		switch {
		case err == unix.EAGAIN:
			return
		case err == unix.EINTR:
			continue
		case err != nil:
			c.Close(fmt.Errorf("receive: %w", err))
			return
		case n == 0:
			c.Close(io.EOF)
			return
		}
		full := kept+n == len(l.buf)
		c.much = n >= roomSize
		now := l.Now()
		l.tickIfDue(now)
		if c.closed { // by a tick that wrote to it
			return
		}
		if !c.consume(l.buf[:kept+n], now) || !full && !atEnd {
			return
		}
	}
	l.unread = append(l.unread, c)
}

// consume hands b to the handler, keeps what it leaves, and reports whether the connection is still open.
func (c *Conn) consume(b []byte, now time.Duration) bool {
	used, err := c.handler.Data(b, now)
	if c.closed {
		return false
	}
	if err != nil {
		c.Close(err)
		return false
	}
	left := b[used:]
	if len(left) == 0 {
		c.rest = nil
		return true
	}
	if used == 0 && len(b) == len(c.loop.buf) {
		if len(b) >= MaxUnconsumed {
			c.Close(fmt.Errorf("receive: a message of over %d bytes", MaxUnconsumed))
			return false
		}
		c.loop.buf = make([]byte, 2*len(b))
	}
	c.rest = append(c.rest[:0], left...)
	return true
}
