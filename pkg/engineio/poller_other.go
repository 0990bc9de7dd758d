//go:build !linux

package engineio

import "syscall"

// Elsewhere each WebSocket keeps the goroutine that reads it.
type poller struct{}

func newPoller() *poller                           { return nil }
func (*poller) add(*parking, syscall.RawConn) bool { return false }
func (*poller) remove(*parking)                    {}
func (*poller) release(*parking)                   {}
func (*poller) close()                             {}
