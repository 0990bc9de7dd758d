//go:build unix

package netpoll

import "syscall"

// plainSockets tells that the functions below work.
const plainSockets = true

// Send sends once without waiting, and takes "not now" for zero bytes.
func (fd FD) Send(data []byte) (n int, err error) {
	n, _, err = atOnce(sendOnce, int32(fd), data)
	return n, err
}

// Receive receives once without waiting; again tells that nothing is there yet.
func (fd FD) Receive(data []byte) (n int, again bool, err error) {
	return atOnce(receiveOnce, int32(fd), data)
}

// Peek is Receive for bytes that stay where they are.
func (fd FD) Peek(data []byte) (n int, again bool, err error) {
	return atOnce(peekOnce, int32(fd), data)
}

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
