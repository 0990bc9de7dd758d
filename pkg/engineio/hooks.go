package engineio

import "net/http"

// The places where a program takes part in what Node's engines call "headers", "initial_headers",
// "connection_error" and "upgrade".

// An UpgradeReceiver is a Receiver that is told when its connection has moved from polling to a
// WebSocket, before it gets what comes over that. Like Receive, OnUpgrade may block its own client.
type UpgradeReceiver interface {
	Receiver
	OnUpgrade()
}

// tellUpgraded tells the receiver, if it wants to know and the connection has not ended.
func (c *Conn) tellUpgraded() {
	c.intake.mu.Lock()
	defer c.intake.mu.Unlock()
	r, ok := c.intake.receiver.(UpgradeReceiver)
	if receives, _ := c.receives(); ok && receives {
		c.guard(r.OnUpgrade)
	}
}

// A Refused tells of a request that was refused.
type Refused struct {
	Request *http.Request
	Code    int    // as the client was told it: 0 unknown transport, 1 unknown session, 2 bad method, 3 bad request, 4 forbidden, 5 protocol
	Message string // that goes with it
}

// setHeaders lets the program add to the header of an answer. c is nil at a handshake.
func (s *Server) setHeaders(w http.ResponseWriter, r *http.Request, c *Conn) {
	if s.opts.Headers != nil {
		s.opts.Headers(w.Header(), r, c == nil)
	}
}

// tellRefused tells the program of a refusal.
func (s *Server) tellRefused(r *http.Request, code errorCode, text string) {
	if s.opts.OnRefused == nil {
		return
	}
	if text == "" {
		text = code.message()
	}
	s.opts.OnRefused(Refused{r, int(code), text})
}
