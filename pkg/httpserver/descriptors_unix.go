//go:build unix

package httpserver

import (
	"math"
	"net"
	"syscall"
)

// descriptors is how many the process may have; 0: not known.
func descriptors() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)) //nolint:unconvert // signed on some systems
}

// descriptorOf is that of a connection; -1: it has none.
func descriptorOf(nc net.Conn) int32 {
	fd := int32(-1)
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return fd
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return fd
	}
	_ = raw.Control(func(d uintptr) { fd = int32(d) }) // fails on a closed connection only
	return fd
}
