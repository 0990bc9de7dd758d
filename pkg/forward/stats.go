package forward

import "sync/atomic"

// Stats is a snapshot of what a Forwarder did and knows. The uint64 fields only
// grow; each number is exact, but they need not belong to the same moment.
type Stats struct {
	Polls    uint64 // GET requests that their owner has answered
	Posts    uint64 // requests of other methods that their owner has answered, POST as a rule
	Upgrades uint64 // WebSockets that their owner has accepted; each was a tunnel
	Refused  uint64 // upgrades that their owner has refused
	Served   uint64 // requests answered for other instances

	// Requests that were not answered by an owner, by reason. All but Canceled
	// were told "Session ID unknown".
	UnknownOwner uint64 // no living instance has the session's tag
	Unreachable  uint64 // the owner could not be connected to in time
	Denied       uint64 // what answered at the owner's address is not the owner, or knows another secret
	Broken       uint64 // the owner was sent the request and gave no answer, or half of one
	Canceled     uint64 // the client went away first

	Intruders uint64 // connections to the internal listener that proved nothing

	Tunnels    int64  // open now
	Peers      int64  // other instances known now
	Registered bool   // the others can find this instance
	Address    string // where they do: host:port; empty before the first time
}

// counters are the growing part of Stats.
type counters struct {
	polls, posts, upgrades, refused, served             atomic.Uint64
	unknownOwner, unreachable, denied, broken, canceled atomic.Uint64
	intruders                                           atomic.Uint64
	tunnels                                             atomic.Int64
}

// Stats returns a snapshot. It costs a lock.
func (f *Forwarder) Stats() Stats {
	c := &f.counters
	registered, address := f.registry.state()
	return Stats{
		Polls: c.polls.Load(), Posts: c.posts.Load(), Upgrades: c.upgrades.Load(), Refused: c.refused.Load(),
		Served: c.served.Load(), UnknownOwner: c.unknownOwner.Load(), Unreachable: c.unreachable.Load(),
		Denied: c.denied.Load(), Broken: c.broken.Load(), Canceled: c.canceled.Load(), Intruders: c.intruders.Load(),
		Tunnels: c.tunnels.Load(), Peers: int64(f.table.len()), Registered: registered, Address: address,
	}
}
