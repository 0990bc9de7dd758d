package netpoll

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A leanListener accepts Leans. Package net registers each connection that it accepts with the runtime's poller and sets
// its options: a Lean that is made of one costs eight system calls more than this.
type leanListener struct {
	net.Listener // has the address
	raw          syscall.RawConn
	close        func() error // both, once
}

// Listen returns a listener whose connections are Leans, in place of one of package net for TCP; any other it returns
// as it is. Connections inherit the options of the listener's socket, which from here on sends without delay.
func Listen(l net.Listener) net.Listener {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return l
	}
	file, err := tcp.File() // the same socket, for which somebody can wait
	if err != nil {
		return l
	}
	raw, err := file.SyscallConn()
	failed := file.SetReadDeadline(time.Time{}) // nobody could wait for it
	if err == nil && failed == nil {
		err = raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		})
	}
	if err != nil || failed != nil {
		_ = file.Close()
		return l
	}
	return &leanListener{tcp, raw, sync.OnceValue(func() error { return errors.Join(tcp.Close(), file.Close()) })}
}

// Accept is as net.Listener has it.
func (l *leanListener) Accept() (net.Conn, error) {
	var fd int
	var peer syscall.Sockaddr
	var failed error
	err := l.raw.Read(func(listener uintptr) (done bool) {
		fd, peer, failed = acceptOnce(int(listener))
		return failed != syscall.EAGAIN //nolint:errorlint // a number of the system's
	})
	switch {
	case err != nil: // there is no other reason
		err = net.ErrClosed
	case failed != nil:
		err = os.NewSyscallError("accept4", failed)
	}
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: err}
	}
	return &Lean{fd: FD(fd), peer: addressOf(peer)}, nil
}

// acceptOnce passes over what is gone before it is accepted, as package net does.
func acceptOnce(listener int) (fd int, peer syscall.Sockaddr, err error) {
	for {
		fd, peer, err = syscall.Accept4(listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		if err != syscall.EINTR && err != syscall.ECONNABORTED { //nolint:errorlint // numbers of the system's
			return fd, peer, err //nolint:wrapcheck // Accept does
		}
	}
}

// Close is as net.Listener has it.
func (l *leanListener) Close() error { return l.close() }
