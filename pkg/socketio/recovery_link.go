package socketio

import "github.com/zishang520/socket.io/v2/socket"

// The way of a session through the library: a client's CONNECT says {"pid":…,"offset":…}, the library
// asks RestoreSession for it and makes a socket with the session's ids, attach registers that, and
// the CONNECT answer, with the same pid, takes along what was missed.

// askForSession makes the library ask for the session of a client that never got an event, too: it
// says pid alone, and the library wants both.
func askForSession(auth map[string]any) {
	if _, ok := auth["pid"].(string); !ok {
		return
	}
	if offset, ok := auth["offset"]; !ok || offset == nil {
		auth["offset"] = noOffset
	}
}

// takeOffset returns the offset that the client named, and undoes askForSession.
func takeOffset(h *socket.Handshake) string {
	auth, ok := h.Auth.(map[string]any)
	if !ok {
		return noOffset
	}
	offset, ok := auth["offset"].(string)
	if !ok {
		return noOffset
	}
	if offset == noOffset {
		delete(auth, "offset")
	}
	return offset
}

// pid is the private session id in the answer to a CONNECT of protocol 5, if it has one.
func (e *encodedPacket) pid() socket.PrivateSessionId {
	if answer, ok := e.data.(*connectData); ok {
		return answer.Pid
	}
	return ""
}

// park is called when "disconnecting" is emitted, with its arguments: whatever is sent to the socket's
// rooms from now on is due to the client that comes back. A second call finds no session.
func (l *link) park(args []any) {
	if l.ns == nil || l.ns.local == nil || l.conn.server.recovery == nil {
		return
	}
	reason, _ := args[0].(string)
	l.conn.mu.Lock()
	if l.reason != "" && reason == "server namespace disconnect" {
		reason = l.reason
	}
	if l.over == nil {
		l.over = make(chan struct{})
		if l.state == linkGone {
			close(l.over)
		}
	}
	over := l.over
	l.conn.mu.Unlock()
	l.ns.local.park(l, recoverable(reason), l.sock.Data(), over)
}
