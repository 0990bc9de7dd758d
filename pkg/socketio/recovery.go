package socketio

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// Recovery configures connection state recovery. The zero value is off.
type Recovery struct {
	// For is how long a client may be away and be recovered, and how long packets are kept for that.
	// 0 turns recovery off: then nothing on the wire differs from a server without it.
	For time.Duration
	// Bytes bounds what is kept, of all namespaces together: packets, and the sessions of clients that
	// are away. 0 means DefaultRecoveryBytes. When it is reached, the oldest packets are forgotten, and
	// clients that would need them begin a new session; before that, clients that send much are read
	// more slowly (see share.go). A namespace may keep an equal share of it whatever the others do, so
	// that in the worst case twice as much is kept.
	Bytes int64
	// Wait bounds how long a client waits for its session, or for a word that nobody has it, when other
	// instances, or what joins them, are out of reach. 0 means DefaultRecoveryWait.
	Wait time.Duration
	// SkipMiddlewares lets recovered sockets in without running the middlewares of [Namespace.Use] and
	// [Namespace.Admit], as Node does by default. Here they run unless it is set: what they decided when
	// the session began, such as that a token is valid, may not hold any more.
	SkipMiddlewares bool
}

// The defaults of Recovery.
const (
	DefaultRecoveryBytes = 64 << 20
	DefaultRecoveryWait  = 8 * time.Second
)

// A Refusal is why a client that asked for its session got a new one.
type Refusal uint8

// The reasons there are.
const (
	NotRefused     Refusal = iota
	RefusedUnknown         // no instance knows the session: it ended in order, or its instance is gone
	RefusedExpired         // the client was away for longer than Recovery.For
	RefusedCut             // packets it would need are no longer kept: out of bytes, or lost between instances
	RefusedOffset          // the client named a packet that it never got
	RefusedTimeout         // the other instances, or the end of the old connection, took too long
	RefusedForeign         // servers that number nothing sent to the cluster meanwhile: the order is not certain
	RefusedLimited         // too many clients of its address asked for sessions that do not exist
	refusals
)

func (r Refusal) String() string {
	switch r {
	case NotRefused:
		return "none"
	case RefusedUnknown:
		return "unknown"
	case RefusedExpired:
		return "expired"
	case RefusedCut:
		return "cut"
	case RefusedOffset:
		return "offset"
	case RefusedTimeout:
		return "timeout"
	case RefusedForeign:
		return "foreign"
	case RefusedLimited:
		return "limited"
	default:
		return "other"
	}
}

// RecoveryStats is a snapshot of what recovery has done and holds. Totals only grow.
type RecoveryStats struct {
	Enabled bool

	Recovered       uint64             // clients that got their session back
	RecoveredRemote uint64             // … of which from another instance
	Replayed        uint64             // packets sent again to them
	Refused         map[Refusal]uint64 // clients that asked and got a new session, by reason; never a partial one
	Parked          uint64             // sessions whose connection broke
	HandedOver      uint64             // sessions given to other instances that asked
	Stored          uint64             // sessions left behind in Redis when this instance ended

	Sessions int64 // sessions of clients that are away now
	Packets  int64 // packets kept now
	Bytes    int64 // what both take, in bytes, estimated
}

// recovery is what the namespaces of a server share.
type recovery struct {
	cfg       Recovery
	log       *slog.Logger
	queueHalf int64 // most that is sent to a client at once
	arrivals  arrivals
	asks      asks
	running   sync.WaitGroup // replays under way

	shares shares // of addresses, in what is kept

	used        atomic.Int64 // bytes of all journals and parked sessions
	parkedBytes atomic.Int64 // of the latter
	logs        atomic.Int64 // journals there are

	recovered, remote, replayed, parked, handed, stored atomic.Uint64
	refused                                             [refusals]atomic.Uint64
	sessions, packets                                   atomic.Int64
	said                                                atomic.Int64 // when a refusal was last logged, Unix ns
}

func newRecovery(o Options) *recovery {
	if o.Recovery.For <= 0 {
		return nil
	}
	r := &recovery{cfg: o.Recovery, log: o.Logger}
	r.cfg.Bytes = cmp.Or(r.cfg.Bytes, DefaultRecoveryBytes)
	r.cfg.Wait = cmp.Or(r.cfg.Wait, DefaultRecoveryWait)
	r.queueHalf = cmp.Or(o.Engine.QueueBytes, engineio.DefaultQueueBytes) / 2
	return r
}

// library tells the library to give out private session ids and to ask for sessions. Middlewares run
// for recovered sockets as for others: credentials may have expired meanwhile. (Going around them, the
// library would also go around attach.)
func (r *recovery) library() *socket.ConnectionStateRecovery {
	o := &socket.ConnectionStateRecovery{}
	o.SetMaxDisconnectionDuration(r.cfg.For.Milliseconds())
	o.SetSkipMiddlewares(false)
	return o
}

// refuse counts a refusal and says so: at most once a second as a warning, each one when debugging. remote is the client's address, "" if it is
// not connected.
func (r *recovery) refuse(nsp string, why Refusal, remote string) {
	n := r.refused[why].Add(1)
	now := time.Now().UnixNano()
	level, last := slog.LevelWarn, r.said.Load()
	if now-last < int64(time.Second) || !r.said.CompareAndSwap(last, now) {
		level = slog.LevelDebug
	}
	r.log.LogAttrs(context.Background(), level, "a client was not recovered and begins a new session",
		slog.String("namespace", nsp), slog.String("reason", why.String()), slog.String("remote", remote), slog.Uint64("times", n))
}

// account notes that sessions are parked, or with negative numbers no longer.
func (r *recovery) account(bytes, sessions int64) {
	r.used.Add(bytes)
	r.parkedBytes.Add(bytes)
	r.sessions.Add(sessions)
}

// overdrawn tells whether a journal that uses own bytes must forget something.
func (r *recovery) overdrawn(own int64) bool {
	return r.used.Load() > r.cfg.Bytes && own > r.cfg.Bytes/max(r.logs.Load(), 1)
}

// RecoveryStats returns a snapshot; the zero value when recovery is off.
func (s *Server) RecoveryStats() RecoveryStats {
	r := s.recovery
	if r == nil {
		return RecoveryStats{}
	}
	st := RecoveryStats{
		Enabled: true, Recovered: r.recovered.Load(), RecoveredRemote: r.remote.Load(), Replayed: r.replayed.Load(),
		Refused: make(map[Refusal]uint64, refusals-1), Parked: r.parked.Load(), HandedOver: r.handed.Load(), Stored: r.stored.Load(),
		Sessions: r.sessions.Load(), Packets: r.packets.Load(), Bytes: r.used.Load(),
	}
	for why := NotRefused + 1; why < refusals; why++ {
		st.Refused[why] = r.refused[why].Load()
	}
	return st
}

// recoverable tells the reasons after which a client may come back to its session: those that mean a
// broken connection, not a decision of either side. They are Node's, and ours for a slow client.
func recoverable(reason string) bool {
	switch reason {
	case "transport error", "transport close", "forced close", "ping timeout", "server shutting down",
		"forced server close", string(engineio.SlowClient):
		return true
	}
	return false
}

// endRecovery forgets all sessions and packets, and waits for replays, which end with their
// connections.
func (s *Server) endRecovery() {
	if s.recovery == nil {
		return
	}
	s.mu.RLock()
	for _, ns := range s.namespaces {
		if ns.local != nil {
			ns.local.endRecovery()
		}
	}
	s.mu.RUnlock()
	s.recovery.running.Wait()
}
