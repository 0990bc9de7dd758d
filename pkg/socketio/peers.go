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
	// Lost tells whether events of other instances may have been lost since it was last called.
	Lost() bool
}

// SetPeers tells the adapter whom to ask; within JoinRecovery.
func (a *LocalAdapter) SetPeers(p SessionPeers) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.peers = p
}

// HasSession tells whether TakeSession may succeed.
func (a *LocalAdapter) HasSession(pid socket.PrivateSessionId) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sessions.byPID[pid] != nil
}

// checkLost forgets all that is kept if something that belongs there was lost.
func (a *LocalAdapter) checkLost() {
	if a.peers != nil && a.peers.Lost() {
		a.CutRecovery()
	}
}

func (a *LocalAdapter) claimRemote(from arrival, pid socket.PrivateSessionId, deadline time.Time) (*session, Refusal) {
	h, mark, why := a.peers.Take(pid, from.offset, deadline)
	if h == nil {
		return nil, why
	}
	s, why := a.adoptSession(h, from.link, from.offset, mark)
	if why == NotRefused {
		a.journal.shared.remote.Add(1)
	}
	return s, why
}
