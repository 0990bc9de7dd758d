package line

import (
	"errors"
	"net"
	"sync"
)

// A Listener gives a server the connections that are handed to it. Safe for concurrent use.
type Listener struct {
	name   string
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Listen returns a listener whose address is a name.
func Listen(name string) *Listener {
	return &Listener{name: name, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Serve returns when the server has accepted a connection. One that it takes no more is closed, with ErrDown.
func (l *Listener) Serve(c net.Conn) error {
	select {
	case l.conns <- c:
		return nil
	case <-l.closed:
		return errors.Join(ErrDown, c.Close())
	}
}

// Accept returns what was given to Serve; after Close it fails with net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and Serve. What was accepted goes on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is the name that Listen was given.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: l.name, Net: "unix"} }
