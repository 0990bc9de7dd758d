package netpoll

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Lean is a TCP connection that costs its descriptor and next to nothing else: what package net keeps of
// one takes some 700 bytes, half of them in the runtime's own poller. A Lean has its place there only once
// somebody has to wait for the peer, or sets a deadline, and from then on.
//
// It is a net.Conn and a syscall.Conn, whose RawConn has no Write.
type Lean struct {
	fd     FD
	peer   netip.AddrPort
	mu     sync.Mutex // guards the rest
	file   *os.File   // the same descriptor, where the runtime polls it
	timed  bool       // a read has a deadline, which only the runtime's poller looks at
	closed bool
}

// Slim makes a Lean of nc, which is closed for that unless it is one. If it reports false, nc is as it was.
func Slim(nc net.Conn) (*Lean, bool) {
	if lean, ok := nc.(*Lean); ok {
		return lean, true
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, false
	}
	peer, ok := tcp.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return nil, false
	}
	fd := None
	err = raw.Control(func(d uintptr) {
		if n, err := unix.FcntlInt(d, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			fd = FD(n)
		}
	})
	if err != nil || fd == None {
		return nil, false
	}
	_ = tcp.Close() // the connection lives on
	return &Lean{fd: fd, peer: peer.AddrPort()}, true
}

// Thicken makes an ordinary connection of it, which does not share the descriptor; the Lean is closed. If
// that fails the connection stays what it is.
func (l *Lean) Thicken() net.Conn {
	f, err := l.polled()
	if err != nil {
		return l
	}
	nc, err := net.FileConn(f) // of a descriptor of its own
	if err != nil {
		return l
	}
	_ = l.Close()
	return nc
}

// polled lets the runtime poll the descriptor.
func (l *Lean) polled() (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, net.ErrClosed
	}
	if l.file == nil {
		l.file = os.NewFile(uintptr(l.fd), "tcp")
	}
	return l.file, nil
}

// Read is as net.Conn has it.
func (l *Lean) Read(b []byte) (int, error) {
	f, err := l.polled()
	if err != nil {
		return 0, err
	}
	return f.Read(b) //nolint:wrapcheck // it names the operation
}

// Write is as net.Conn has it.
func (l *Lean) Write(b []byte) (int, error) {
	f, err := l.polled()
	if err != nil {
		return 0, err
	}
	return f.Write(b) //nolint:wrapcheck // it names the operation
}

// Close is as net.Conn has it.
func (l *Lean) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	if l.file != nil {
		return l.file.Close()
	}
	if err := syscall.Close(int(l.fd)); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// CloseWrite ends the own direction of the connection.
func (l *Lean) CloseWrite() error {
	return l.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_WR) }) // fails on one that has ended
}

// Control calls f with the descriptor, which is not closed meanwhile.
func (l *Lean) Control(f func(fd uintptr)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	f(uintptr(l.fd))
	return nil
}

// leanRaw is a Lean as a syscall.RawConn.
type leanRaw struct{ *Lean }

// SyscallConn is as syscall.Conn has it.
func (l *Lean) SyscallConn() (syscall.RawConn, error) { return leanRaw{l}, nil }

// Read is as syscall.RawConn has it.
func (r leanRaw) Read(f func(fd uintptr) (done bool)) error {
	done := false
	if err := r.Control(func(fd uintptr) { done = !r.timed && f(fd) }); err != nil || done {
		return err
	}
	file, err := r.polled()
	if err != nil {
		return err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return err //nolint:wrapcheck // it names the operation
	}
	return raw.Read(f) //nolint:wrapcheck // it names the operation
}

// Write is not supported: see FD.Send.
func (leanRaw) Write(func(fd uintptr) (done bool)) error { return errors.ErrUnsupported }

// LocalAddr is as net.Conn has it.
func (l *Lean) LocalAddr() net.Addr {
	var addr netip.AddrPort
	_ = l.Control(func(fd uintptr) {
		sa, _ := syscall.Getsockname(int(fd)) // fails on no socket
		addr = addressOf(sa)
	})
	return net.TCPAddrFromAddrPort(addr)
}

// RemoteAddr is as net.Conn has it.
func (l *Lean) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(l.peer) }

func addressOf(sa syscall.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *syscall.SockaddrInet6:
		addr := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 { // of a link, which package net names
			zone := strconv.FormatUint(uint64(sa.ZoneId), 10)
			if link, err := net.InterfaceByIndex(int(sa.ZoneId)); err == nil {
				zone = link.Name
			}
			addr = addr.WithZone(zone)
		}
		return netip.AddrPortFrom(addr, uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// SetDeadline is as net.Conn has it.
func (l *Lean) SetDeadline(t time.Time) error { return l.deadline(t, true, (*os.File).SetDeadline) }

// SetReadDeadline is as net.Conn has it.
func (l *Lean) SetReadDeadline(t time.Time) error {
	return l.deadline(t, true, (*os.File).SetReadDeadline)
}

// SetWriteDeadline is as net.Conn has it.
func (l *Lean) SetWriteDeadline(t time.Time) error {
	return l.deadline(t, false, (*os.File).SetWriteDeadline)
}

func (l *Lean) deadline(t time.Time, reads bool, set func(*os.File, time.Time) error) error {
	l.mu.Lock()
	if reads {
		l.timed = !t.IsZero()
	}
	none := l.file == nil && t.IsZero() && !l.closed
	l.mu.Unlock()
	if none {
		return nil
	}
	f, err := l.polled()
	if err != nil {
		return err
	}
	return set(f, t)
}
