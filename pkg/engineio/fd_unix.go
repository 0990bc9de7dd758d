//go:build unix && (!linux || race)

// The race detector sees what the calls of package syscall order; of those in
// fd_linux.go it knows nothing.

package engineio

import "syscall"

// plainSockets tells that the functions below work.
const plainSockets = true

// writeFD writes once and takes "not now" for zero bytes: sockets of package net
// never wait. Who calls it keeps the socket from being closed meanwhile.
func writeFD(fd int32, data []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), data)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		default:
			return 0, err
		}
	}
}

// readFD reads once, under the same terms. again tells that nothing is there yet.
func readFD(fd int32, data []byte) (n int, again bool, err error) {
	for {
		n, err := syscall.Read(int(fd), data)
		switch err {
		case nil:
			return n, false, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, true, nil
		default:
			return 0, false, err
		}
	}
}

// peekFD is readFD for bytes that stay where they are.
func peekFD(fd int32, data []byte) (n int, again bool, err error) {
	n, _, err = syscall.Recvfrom(int(fd), data, syscall.MSG_PEEK)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return 0, true, nil
	}
	return n, false, err
}
