package httpserver

import (
	"net"
	"syscall"
)

// listenConfig sets Go's defaults: ask after 15 s of silence, each 15 s, nine times.
func listenConfig() *net.ListenConfig {
	return &net.ListenConfig{
		KeepAlive: -1, // do not set it for each connection
		Control: func(_, _ string, raw syscall.RawConn) error {
			var failed error
			err := raw.Control(func(fd uintptr) {
				for _, o := range [...]struct{ level, name, value int }{
					{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
					{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15},
					{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15},
					{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9},
				} {
					if failed == nil {
						failed = syscall.SetsockoptInt(int(fd), o.level, o.name, o.value)
					}
				}
			})
			if err != nil {
				return err
			}
			return failed
		},
	}
}
