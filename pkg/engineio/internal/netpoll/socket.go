package netpoll

import (
	"net"
	"syscall"
)

// An FD is the descriptor of a socket, or None. Its methods never wait; the caller
// keeps the socket from being closed meanwhile.
type FD int32

// None is the descriptor of a connection that has none.
const None FD = -1

// Socket returns how to wait for a connection, and its descriptor; nil and None unless
// nc is itself a socket.
func Socket(nc net.Conn) (raw syscall.RawConn, fd FD) {
	if !plainSockets {
		return nil, None
	}
	var err error
	switch c := nc.(type) {
	case *net.TCPConn:
		raw, err = c.SyscallConn()
	case *net.UnixConn:
		raw, err = c.SyscallConn()
	case *Lean:
		raw, err = c.SyscallConn()
	default:
		return nil, None
	}
	if err != nil || raw.Control(func(d uintptr) { fd = FD(d) }) != nil {
		return nil, None
	}
	return raw, fd
}

// Peek looks at what can be read, without taking it; again tells that there is nothing
// yet. It may be called by a goroutine that does not own the socket: on a closed one
// it returns again.
func Peek(raw syscall.RawConn, b []byte) (n int, again bool, err error) {
	again = true
	_ = raw.Read(func(fd uintptr) bool { // fails on a closed connection only
		n, again, err = FD(fd).Peek(b)
		return true
	})
	return n, again, err
}
