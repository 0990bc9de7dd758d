//go:build !unix

package engineio

import (
	"errors"
	"syscall"
)

// Without Unix system calls no transport has a raw connection (see rawConn),
// and these are never called.

func writeFD(uintptr, []byte) (int, error)      { return 0, errors.ErrUnsupported }
func readFD(uintptr, []byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }
func peerGone(syscall.RawConn) bool             { return false }
