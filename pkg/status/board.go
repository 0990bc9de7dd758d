package status

import (
	"context"
	"sync"
	"time"

	"socketio-chat/pkg/admission"
	"socketio-chat/pkg/auth"
	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/forward"
	"socketio-chat/pkg/membudget"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
)

// Sources are the parts that are shown. A nil function means that the part is not there.
type Sources struct {
	// Server is required.
	Server *socketio.Server
	// Cluster tells how the connection to Redis is doing.
	Cluster func() redisadapter.Status
	// Forward is about requests for sessions of other instances, Limits about what was refused, Auth
	// about tokens.
	Forward func() forward.Stats
	Limits  func() admission.Stats
	Auth    func() auth.Stats
	// Memory is about the memory of the process.
	Memory func() membudget.Stats
	// Draining tells whether the instance is shutting down.
	Draining func() bool
	// Instance names this instance for people, such as its host and port.
	Instance string
	// Version is the program's.
	Version string
	// QueueBytes is how much may wait for one client.
	QueueBytes int64
}

// Times of a Board.
const (
	Interval = 2 * time.Second // between two samples
	kept     = 150             // samples: five minutes

	fresh = 200 * time.Millisecond // how long a report may be given again
)

// A Board keeps what has happened in the last minutes and reports it.
type Board struct {
	Sources
	started time.Time

	mu       sync.Mutex // guards the rest
	samples  []sample   // the latest last
	report   Report
	reported time.Time
}

// New returns a board that has no past yet.
func New(s Sources) *Board {
	b := &Board{Sources: s, started: time.Now()}
	b.take(b.started)
	return b
}

// Run takes a sample every Interval until ctx is done.
func (b *Board) Run(ctx context.Context) {
	t := time.NewTicker(Interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			b.take(now)
		}
	}
}

func (b *Board) take(now time.Time) {
	s := b.sample(now)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.samples) == kept {
		copy(b.samples, b.samples[1:])
		b.samples = b.samples[:kept-1]
	}
	b.samples = append(b.samples, s)
}

// sample is what a report needs of the past.
type sample struct {
	at      time.Time
	clients int
	cpu     time.Duration // used by the process so far

	deliveries, broadcasts, received, opened uint64
	bytesIn, bytesOut, packets, writes       uint64
	slow, refused, errors                    uint64
	events                                   map[[2]string][2]uint64 // sent and received, by namespace and event

	roundTrip  quantiles
	redis      redisadapter.Status
	memory     membudget.Stats
	namespaces []socketio.NamespaceStats
}

func (b *Board) sample(now time.Time) sample {
	e := b.Server.Engine()
	stats := e.Stats()
	s := sample{
		at: now, clients: e.Len(), cpu: cpuTime(),
		opened: stats.Opened(), slow: stats.Closed(engineio.SlowClient), roundTrip: quantiles{stats.RoundTrip()},
		events: map[[2]string][2]uint64{},
	}
	s.received, s.bytesIn = stats.Received()
	sent := e.Sent()
	s.packets, s.bytesOut, s.writes = sent.Frames, sent.Bytes, sent.Writes
	for _, n := range stats.Refused() {
		s.refused += n
	}
	s.namespaces = b.Server.Stats().Namespaces
	for _, n := range s.namespaces {
		s.broadcasts += n.Broadcasts
		s.errors += n.Errors
		for event, c := range n.Sent {
			s.deliveries += c.Events
			s.events[[2]string{n.Name, event}] = [2]uint64{c.Events, 0}
		}
		for event, c := range n.Received {
			key := [2]string{n.Name, event}
			s.events[key] = [2]uint64{s.events[key][0], c.Events}
		}
	}
	if b.Cluster != nil {
		s.redis = b.Cluster()
	}
	if b.Memory != nil {
		s.memory = b.Memory()
	}
	return s
}

// Report is the state now. It may be 200 ms old.
func (b *Board) Report() Report {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.reported) > fresh {
		b.report, b.reported = b.makeReportLocked(now), now
	}
	return b.report
}
