//go:build unix

package httpserver

import (
	"math"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// descriptors is how many the process may have; 0: not known.
func descriptors() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)) //nolint:unconvert // signed on some systems
}

// freeDescriptor is the lowest descriptor that is free beside nc's: all below are in use. -1: not known.
//
// nc's own number would not do. The code that gets nc may move it to another descriptor, as the front does, and
// so leave this number to the next connection again and again, while the numbers above fill up.
func freeDescriptor(nc net.Conn) int32 {
	free := int32(-1)
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return free
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return free
	}
	_ = raw.Control(func(d uintptr) { // fails on a closed connection only
		n, err := unix.FcntlInt(d, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			free = math.MaxInt32 // there is none
			return
		}
		_ = unix.Close(n)
		free = int32(min(n, math.MaxInt32))
	})
	return free
}
