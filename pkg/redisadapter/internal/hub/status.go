package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"socketio-chat/pkg/histogram"
	"socketio-chat/pkg/ratelog"
)

// ErrNotJoined is what calls that need the other instances return while Redis is out of reach.
var ErrNotJoined = errors.New("not joined to the cluster: Redis is out of reach, only this instance's clients were reached")

// ErrClosed is what they return after Close.
var ErrClosed = errors.New("cluster adapter is closed")

// Status is a snapshot of the connection to the cluster. The counters only grow.
type Status struct {
	Joined    bool          // subscriptions are proven live and messages can be published
	Since     time.Time     // when Joined took its value
	LastError error         // why the connection was lost or cannot be made, nil if it never was; kept after it heals
	Servers   int           // instances in the cluster, this one included, as of the latest heartbeat; 1 while not joined
	Lag       time.Duration // from publish to receive, of the latest heartbeat
	Queued    int           // messages waiting to be published
	QueuedLen int           // their bytes

	Published uint64 // messages Redis has accepted
	Received  uint64 // messages that came in, our own echoes not counted
	Dropped   uint64 // never sent: queue full, older than HoldFor, larger than MaxMessage, refused by Redis, or impossible to encode
	Unknown   uint64 // sent when the connection broke; they may have arrived, so they were not sent again. Not so broadcasts in mode Streams
	Rejected  uint64 // malformed, oversized, foreign or hostile messages that were received and thrown away
	Gaps      uint64 // times the subscriptions were lost, with what was published meanwhile; in mode Streams: times broadcasts were found missing
	Missed    uint64 // broadcasts of other instances that are known to be missing; mode Streams only
	Overruns  uint64 // requests of other instances dropped because handlers of this one are too slow

	Lags histogram.Snapshot // Lag of every heartbeat so far: how long a message is on its way through Redis
}

// Gap tells that broadcasts of other instances are lost to this one, in mode Streams.
type Gap struct {
	Reason error
	Missed uint64 // how many, 0: unknown
}

// counters are the growing part of Status.
type counters struct {
	published, received, dropped, unknown, rejected, gaps, missed, overruns atomic.Uint64

	lags histogram.Histogram
}

// state is what is known about the connection. It is joined once a heartbeat that went out over the
// current publisher connection has come back over the current subscriber connection: only that
// proves both, and that both ends are at the same server.
type state struct {
	mu        sync.Mutex
	pub, sub  uint64    // generation of the connection, 0: down
	reader    uint64    // the same of the connection that reads the stream, where there is one
	last      uint64    // generations given out
	started   time.Time // heartbeats count from here
	beatSent  time.Time // latest heartbeat
	beatEcho  time.Time // when the latest that came back was sent
	waiting   time.Time // when the first was sent that Redis has accepted and that did not come back, zero: all is well
	joined    bool
	since     time.Time
	err       error
	servers   int // 0: never counted
	attended  map[string]attendance
	lag       time.Duration
	unheard   bool      // the subscriptions have had a gap that is not over yet, or were never proven
	settled   bool      // the queue may flow
	settleEnd time.Time // when it may flow although instances are missing

	notifyMu sync.Mutex // held while notify runs, so that calls come in order
	notify   func(Status)
}

// faultLog logs each kind of fault at most once in ratelog.Every and says how many it kept to itself.
type faultLog struct {
	log   *slog.Logger
	kinds ratelog.Log
}

// warn logs msg, which names the kind of fault, with err.
func (l *faultLog) warn(msg string, err error) {
	suppressed, due := l.kinds.Due(msg)
	if !due {
		return
	}
	attrs := []slog.Attr{slog.Any("err", err)}
	if suppressed > 0 {
		attrs = append(attrs, slog.Int("suppressed", suppressed))
	}
	l.log.LogAttrs(context.Background(), slog.LevelWarn, msg, attrs...)
}

// Count adds the counters of another hub.
func (s *Status) Count(o Status) {
	s.Published += o.Published
	s.Received += o.Received
	s.Dropped += o.Dropped
	s.Unknown += o.Unknown
	s.Rejected += o.Rejected
	s.Gaps += o.Gaps
	s.Missed += o.Missed
	s.Overruns += o.Overruns
	for i, n := range o.Lags.Buckets {
		s.Lags.Buckets[i] += n
	}
	s.Lags.Count += o.Lags.Count
	s.Lags.Sum += o.Lags.Sum
}

// Protect runs code of the application: a panic in it is logged and costs no more than this call.
func (h *Hub) Protect(what string, f func()) {
	defer h.recovered(what)
	f()
}

// recovered, deferred, logs a panic and lets the goroutine go on.
func (h *Hub) recovered(what string) {
	if p := recover(); p != nil {
		h.fault.warn("Panic in "+what, fmt.Errorf("%v\n%s", p, debug.Stack()))
	}
}
