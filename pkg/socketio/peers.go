package socketio

import (
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// A RecoveringAdapter is told when recovery is on, once, before there are clients.
type RecoveringAdapter interface{ JoinRecovery() }

// SessionPeers are the other instances of a namespace, as a LocalAdapter asks them for sessions.
type SessionPeers interface {
	// Take asks for a session, which is then this instance's alone.
	Take(pid socket.PrivateSessionId, offset string, deadline time.Time) (*HandedSession, Refusal)
}

// SetPeers tells the adapter whom to ask; within JoinRecovery.
func (a *LocalAdapter) SetPeers(p SessionPeers) { a.peers = p }

// HandedSession is a session on its way to another instance.
type HandedSession struct{}

func (a *LocalAdapter) claimRemote(pid socket.PrivateSessionId, offset string, deadline time.Time) (*session, Refusal) {
	return nil, RefusedUnknown
}
