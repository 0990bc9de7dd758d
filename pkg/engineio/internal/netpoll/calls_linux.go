//go:build linux && !race

package netpoll

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendOnce calls send(2), which spares what write(2) does for files. No lock of package
// net is taken nor, for what is short, the scheduler told.
func sendOnce(fd int32, data []byte) (int, error) {
	return socketCall(unix.SYS_SENDTO, fd, data, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

func receiveOnce(fd int32, data []byte) (int, error) {
	return socketCall(unix.SYS_RECVFROM, fd, data, unix.MSG_DONTWAIT)
}

func peekOnce(fd int32, data []byte) (int, error) {
	return socketCall(unix.SYS_RECVFROM, fd, data, unix.MSG_DONTWAIT|unix.MSG_PEEK)
}

// maxRaw is how many bytes a call may copy without telling the scheduler: the others that wait for this
// processor, and a collection that wants all of them, wait for it to end. That of 16 KB takes some
// microseconds, that of a message of 1 MB most of a millisecond.
const maxRaw = 16 << 10

func quick(data []byte) bool { return len(data) <= maxRaw }

func socketCall(trap uintptr, fd int32, data []byte, flags uintptr) (int, error) {
	var n uintptr
	var errno syscall.Errno
	if quick(data) {
		n, _, errno = syscall.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), flags, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), flags, 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
