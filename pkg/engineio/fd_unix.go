//go:build unix

package engineio

import "syscall"

// plainSockets tells that the functions below work.
const plainSockets = true

// writeFD sends once without waiting, and takes "not now" for zero bytes. Who calls
// it keeps the socket from being closed meanwhile.
func writeFD(fd int32, data []byte) (n int, err error) {
	n, _, err = atOnce(sendOnce, fd, data)
	return n, err
}

// readFD receives once, under the same terms. again tells that nothing is there yet.
func readFD(fd int32, data []byte) (n int, again bool, err error) {
	return atOnce(receiveOnce, fd, data)
}

// peekFD is readFD for bytes that stay where they are.
func peekFD(fd int32, data []byte) (n int, again bool, err error) { return atOnce(peekOnce, fd, data) }

// atOnce repeats a call that a signal has interrupted. again tells that it would
// have to wait.
func atOnce(call func(int32, []byte) (int, error), fd int32, data []byte) (n int, again bool, err error) {
	for {
		n, err := call(fd, data)
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
