package httpserver

import (
	"context"
	"net"
)

// Listen is net.Listen for TCP. Where the system allows it, connections inherit from the
// listener how often a silent peer is asked whether it is there, as Go has it, which saves
// four system calls for each.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := listenConfig().Listen(ctx, "tcp", addr)
	return l, err //nolint:wrapcheck // it names the address
}
