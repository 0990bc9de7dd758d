//go:build linux && !race

package netpoll

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendOnce calls send(2), which spares what write(2) does for files. Neither a lock
// of package net nor the scheduler is asked: the call ends in some microseconds.
func sendOnce(fd int32, data []byte) (int, error) {
	return socketCall(unix.SYS_SENDTO, fd, data, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

func receiveOnce(fd int32, data []byte) (int, error) {
	return socketCall(unix.SYS_RECVFROM, fd, data, unix.MSG_DONTWAIT)
}

func peekOnce(fd int32, data []byte) (int, error) {
	return socketCall(unix.SYS_RECVFROM, fd, data, unix.MSG_DONTWAIT|unix.MSG_PEEK)
}

func socketCall(trap uintptr, fd int32, data []byte, flags uintptr) (int, error) {
	n, _, errno := syscall.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
