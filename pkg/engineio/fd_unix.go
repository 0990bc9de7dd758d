//go:build unix

package engineio

import "syscall"

// writeFD writes once and takes "not now" for zero bytes.
func writeFD(fd uintptr, data []byte) (int, error) {
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

// readFD reads once. again tells that nothing is there yet.
func readFD(fd uintptr, data []byte) (n int, again bool, err error) {
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
