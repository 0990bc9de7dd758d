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

// peerGone tells whether the peer has ended the connection and left nothing to
// read. It takes nothing.
func peerGone(raw syscall.RawConn) bool {
	gone := false
	_ = raw.Read(func(fd uintptr) bool { // fails on a closed connection only
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
		gone = err == nil && n == 0 || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
		return true
	})
	return gone
}
