//go:build unix && (!linux || race)

// The race detector sees what the calls of package syscall order; of those in
// calls_linux.go it knows nothing.

package netpoll

import "syscall"

// Sockets of package net never wait.

func sendOnce(fd int32, data []byte) (int, error) { return syscall.Write(int(fd), data) }

func receiveOnce(fd int32, data []byte) (int, error) { return syscall.Read(int(fd), data) }

func peekOnce(fd int32, data []byte) (int, error) {
	n, _, err := syscall.Recvfrom(int(fd), data, syscall.MSG_PEEK)
	return n, err
}
