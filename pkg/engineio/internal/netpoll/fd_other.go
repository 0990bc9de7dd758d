//go:build !unix

package netpoll

import "errors"

// plainSockets tells that no connection has a descriptor, and these are never called.
const plainSockets = false

// Send is never called here.
func (FD) Send([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Receive is never called here.
func (FD) Receive([]byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }

// Peek is never called here.
func (FD) Peek([]byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }
