//go:build !linux

package engineio

// Elsewhere each WebSocket keeps the goroutine that reads it.
type poller struct{}

func newPoller() *poller              { return nil }
func (*poller) add(*wsTransport) bool { return false }
func (*poller) remove(*wsTransport)   {}
func (*poller) close()                {}
