package main

import (
	"net"
	"net/http"
	"time"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/httpserver"
)

// Front answers polls and opens WebSockets before net/http sees them; see
// engineio.Server.Front.
func (c *chatParts) Front(l net.Listener, h http.Handler, header, idle time.Duration) net.Listener {
	return c.io.Engine().Front(l, engineio.FrontOptions{
		Path: httpserver.SocketPath, Handler: h, HeaderTimeout: header, IdleTimeout: idle,
	})
}
