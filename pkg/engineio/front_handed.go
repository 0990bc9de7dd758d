package engineio

import (
	"errors"
	"net"
	"syscall"
)

// A handedConn is a connection that was read from before net/http got it.
type handedConn struct {
	net.Conn
	early []byte
}

func (c *handedConn) Read(b []byte) (int, error) {
	if len(c.early) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.early)
	if c.early = c.early[n:]; len(c.early) == 0 {
		c.early = nil
	}
	return n, nil
}

// Detach returns the connection without its wrapper, and what is unread of early.
func (c *handedConn) Detach() (nc net.Conn, early []byte) { return c.Conn, c.early }

// SyscallConn is that of the connection below, if nothing would be passed by.
func (c *handedConn) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := c.Conn.(syscall.Conn); ok && len(c.early) == 0 {
		return sc.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// CloseWrite is what net/http ends a refused request with.
func (c *handedConn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return errors.ErrUnsupported
}
