//go:build !unix

package engineio

import "errors"

// plainSockets tells that no transport has a descriptor, and these are never called.
const plainSockets = false

func writeFD(int32, []byte) (int, error)      { return 0, errors.ErrUnsupported }
func readFD(int32, []byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }
func peekFD(int32, []byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }
