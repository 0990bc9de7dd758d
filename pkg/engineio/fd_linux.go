//go:build linux && !race

package engineio

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// plainSockets tells that the functions below work.
const plainSockets = true

// writeFD sends once without waiting, and takes "not now" for zero bytes. send(2)
// spares what write(2) does for files, and neither a lock of package net nor the
// scheduler is asked: the call ends in some microseconds. Who calls it keeps the
// socket from being closed meanwhile.
func writeFD(fd int32, data []byte) (int, error) {
	for {
		n, err := socketCall(unix.SYS_SENDTO, fd, data, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch err {
		case 0:
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

// readFD receives once, under the same terms. again tells that nothing is there yet.
func readFD(fd int32, data []byte) (n int, again bool, err error) {
	return recvFD(fd, data, unix.MSG_DONTWAIT)
}

// peekFD is readFD for bytes that stay where they are.
func peekFD(fd int32, data []byte) (n int, again bool, err error) {
	return recvFD(fd, data, unix.MSG_DONTWAIT|unix.MSG_PEEK)
}

func recvFD(fd int32, data []byte, flags uintptr) (n int, again bool, err error) {
	for {
		n, err := socketCall(unix.SYS_RECVFROM, fd, data, flags)
		switch err {
		case 0:
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

func socketCall(trap uintptr, fd int32, data []byte, flags uintptr) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), flags, 0, 0)
	return int(n), errno
}
