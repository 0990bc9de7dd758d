package metrics

import (
	"socketio-chat/pkg/admission"
	"socketio-chat/pkg/auth"
	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/forward"
	"socketio-chat/pkg/socketio"
)

func (s sink) forward(f forward.Stats) {
	s.count(forwarded, f.Polls, "poll")
	s.count(forwarded, f.Posts, "post")
	s.count(forwarded, f.Upgrades, "upgrade")
	s.count(forwarded, f.Refused, "refused upgrade")
	s.count(forwardFailures, f.UnknownOwner, "unknown owner")
	s.count(forwardFailures, f.Unreachable, "unreachable")
	s.count(forwardFailures, f.Denied, "denied")
	s.count(forwardFailures, f.Broken, "broken")
	s.count(forwardFailures, f.Canceled, "canceled")
	s.count(forwardServed, f.Served)
	s.count(forwardIntruders, f.Intruders)
	s.send(forwardTunnels, float64(f.Tunnels))
	s.send(forwardPeers, float64(f.Peers))
	s.send(forwardRegistered, boolean(f.Registered))
}

func (s sink) recovery(r socketio.RecoveryStats) {
	s.count(recovered, max(r.Recovered, r.RecoveredRemote)-r.RecoveredRemote, "here")
	s.count(recovered, r.RecoveredRemote, "another instance")
	for why, n := range r.Refused {
		s.count(recoveryRefused, n, why.String())
	}
	s.count(replayed, r.Replayed)
	s.count(parked, r.Parked)
	s.count(handedOver, r.HandedOver)
	s.count(storedSessions, r.Stored)
	s.send(awaySessions, float64(r.Sessions))
	s.send(keptPackets, float64(r.Packets))
	s.send(keptBytes, float64(r.Bytes))
}

// socketLimits are those that a connection has itself.
func (s sink) socketLimits(server *socketio.Server) {
	l := server.LimitStats()
	s.count(limited, server.Engine().Stats().PayloadTooLarge(), "payload")
	s.count(limited, server.Engine().Stats().ControlFrames(), "control frames")
	s.count(limited, l.RefusedPackets, "attachments")
	s.count(limited, l.RefusedAuths, "auth")
	s.count(limited, l.RefusedNamespaces, "namespaces")
	s.count(limited, l.RefusedRooms, "rooms")
	s.count(slowedMessages, l.SlowedMessages)
	s.send(slowedSeconds, l.SlowedTime.Seconds())
}

// limits are those of connecting.
func (s sink) limits(a admission.Stats) {
	s.count(limited, a.RefusedConnections, "connections")
	s.count(limited, a.RefusedConnectionsAddress, "connections of an address")
	s.count(limited, a.RefusedHandshakes, "handshakes")
	s.count(limited, a.RefusedHandshakesAddress, "handshakes of an address")
	s.count(untrustedHeaders, a.ForwardedFromUntrustedPeers)
	s.send(addresses, float64(a.Addresses))
}

func (s sink) auth(a auth.Stats) {
	s.count(authAccepted, a.Accepted)
	s.count(authRefused, a.RefusedMissing, "missing")
	s.count(authRefused, a.RefusedMalformed, "malformed")
	s.count(authRefused, a.RefusedSignature, "signature")
	s.count(authRefused, a.RefusedExpired, "expired")
	s.count(authRefused, a.RefusedClaims, "claims")
	s.count(authRefused, a.RefusedNoKeys, "no keys")
	s.count(authExpired, a.Expired)
	s.count(authRenewed, a.Renewed)
	s.count(authRevoked, a.Revoked)
	s.send(authKeys, float64(a.Keys))
	s.count(keyReads, a.KeyReads)
	s.count(keyReadFailures, a.KeyReadFailures)
}

func (s sink) chat(c chat.Stats) {
	s.count(messagesRefused, c.RefusedInvalid, "invalid")
	s.count(messagesRefused, c.RefusedUnnamed, "unnamed")
	s.count(namesReplaced, c.NamesReplaced)
}
