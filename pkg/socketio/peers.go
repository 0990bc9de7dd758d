package socketio

import (
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// A RecoveringAdapter is told when recovery is on, once, before there are clients.
type RecoveringAdapter interface{ JoinRecovery() }

// SessionPeers are the other instances of a namespace, as a LocalAdapter asks them for sessions.
type SessionPeers interface {
	// Take asks for a session, which is then this instance's alone. mark is the place in the order of
	// events here up to which events without a number are in what it returns, 0: not known.
	Take(pid socket.PrivateSessionId, offset string, deadline time.Time) (h *HandedSession, mark uint64, why Refusal)
}

// SetPeers tells the adapter whom to ask; within JoinRecovery.
func (a *LocalAdapter) SetPeers(p SessionPeers) { a.peers = p }

func (a *LocalAdapter) claimRemote(pid socket.PrivateSessionId, offset string, deadline time.Time) (*session, Refusal) {
	h, mark, why := a.peers.Take(pid, offset, deadline)
	if h == nil {
		return nil, why
	}
	s, why := a.adoptSession(h, offset, mark)
	if why == NotRefused {
		a.journal.shared.remote.Add(1)
	}
	return s, why
}
