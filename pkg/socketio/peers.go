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
	// Heard is a moment up to which all events of other instances have come here. Where none can be late unnoticed, it is now.
	Heard() time.Time
}

// SetPeers tells the adapter whom to ask; within JoinRecovery.
func (a *LocalAdapter) SetPeers(p SessionPeers) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.peers = p
}

// A private id is the origin of the instance that gave it out, its owner, and what the library makes:
// 24 random characters. Older instances gave out the latter alone.
const (
	ownerLen   = 8
	privateLen = ownerLen + 24
)

// OwnerOf returns the origin that a private id names, "" if it names none.
func OwnerOf(pid socket.PrivateSessionId) string {
	if len(pid) != privateLen {
		return ""
	}
	if _, ok := parseOffset(string(pid[:ownerLen]) + "0"); !ok {
		return ""
	}
	return string(pid[:ownerLen])
}

// MovedTo tells the origin of the instance that a session of this one was handed over to, or the refusal with which
// it ended; neither if it was not, or too long ago.
func (a *LocalAdapter) MovedTo(pid socket.PrivateSessionId) (origin string, why Refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.sessions.moved.to[pid]
	return m.origin, m.why
}

// NamesOwners tells whether all sessions here have private ids that name an owner.
func (a *LocalAdapter) NamesOwners() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sessions.ownerless == 0
}

// maxForeignOwners bounds what ForeignOwners tells.
const maxForeignOwners = 1024

// ForeignOwners are the origins of the instances that began sessions which came here from others and are here now. They may have ended
// long ago, and this instance is one if a session that began here came back. Of very many some are left out.
func (a *LocalAdapter) ForeignOwners() (list []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for owner := range a.sessions.owners {
		if owner != "" && len(list) < maxForeignOwners {
			list = append(list, owner)
		}
	}
	return list
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

// behindLocked is for how long, in ms, this instance may not have heard all there is to hear.
func (a *LocalAdapter) behindLocked() int64 {
	if a.peers == nil {
		return 0
	}
	return max(0, time.Since(a.peers.Heard()).Milliseconds())
}

func (a *LocalAdapter) claimRemote(from arrival, pid socket.PrivateSessionId, deadline time.Time) (*session, Refusal) {
	r, addr := a.journal.shared, from.link.conn.RemoteAddress()
	if !r.asks.may(addr, time.Now()) {
		return nil, RefusedLimited
	}
	h, mark, why := a.peers.Take(pid, from.offset, deadline)
	if h == nil {
		r.asks.inVain(addr, time.Now())
		return nil, why
	}
	s, why := a.adoptSession(h, from.link, from.offset, mark)
	if why == NotRefused {
		r.remote.Add(1)
	}
	return s, why
}
