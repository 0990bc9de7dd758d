package socketio

import "github.com/zishang520/socket.io/v2/socket"

// The way of a session through the library: a client's CONNECT says {"pid":…,"offset":…}, the library
// asks RestoreSession for it and makes a socket with the session's ids, attach registers that, and
// the CONNECT answer, with the same pid, takes along what was missed.

// pid is the private session id in the answer to a CONNECT of protocol 5, if it has one.
func (e *encodedPacket) pid() socket.PrivateSessionId {
	if answer, ok := e.data.(*connectData); ok {
		return answer.Pid
	}
	return ""
}

// recovers tells whether the link's session outlives its connection.
func (l *link) recovers() bool {
	return l.ns != nil && l.ns.local != nil && l.conn.server.recovery != nil
}

// park is called when "disconnecting" is emitted, with its arguments: whatever is sent to the socket's
// rooms from now on is due to the client that comes back. A second call finds no session.
func (l *link) park(args []any) {
	if !l.recovers() {
		return
	}
	reason, _ := args[0].(string)
	l.conn.mu.Lock()
	reason = l.reasonLocked(reason)
	l.conn.mu.Unlock()
	l.ns.local.park(l, recoverable(reason), l.sock.Data())
}

// closed is called when "disconnect" was emitted: the library has taken the socket out.
func (l *link) closed() {
	if l.recovers() {
		l.ns.local.closed(l)
	}
}

// through is called when the library has done everything it does with a socket, but close it once more.
func (l *link) through() {
	if l.recovers() {
		l.ns.local.through(l)
	}
}
