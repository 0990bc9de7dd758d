//go:build linux

package run

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"socketio-chat/pkg/load/client"
	"socketio-chat/pkg/load/message"
	"socketio-chat/pkg/load/reactor"
	"socketio-chat/pkg/load/result"
	"socketio-chat/pkg/load/tally"
)

const (
	// sweepEvery is how often clients' heartbeats and stalled senders are looked at.
	sweepEvery = 200 * time.Millisecond
	// maxSpans bounds a worker's memory of missing messages, 8 bytes each.
	maxSpans = 8 << 20
	// beyond is the time of what never happens.
	beyond = time.Duration(1<<63 - 1)
)

// plan is what all workers share and nobody changes.
type plan struct {
	cfg     *Config
	targets []target
	format  *message.Format
	epoch   time.Time
}

// counters are published by a worker after each round of its loop.
type counters struct {
	joined, failed, left      atomic.Int64
	sent, delivered           atomic.Uint64
	duplicates, reordered     atomic.Uint64
	notices, foreign, damaged atomic.Uint64
	missing                   atomic.Uint64
	lastNotice, lastJoin      atomic.Int64 // nanoseconds since the epoch
	stalls                    atomic.Uint64
}

// worker drives a share of the clients on one loop.
type worker struct {
	// Static.
	plan    *plan
	index   int
	loop    *reactor.Loop
	group   *client.Group
	members []*member
	senders []*member // this worker's, by ascending sender number
	public  counters

	// Owned by the loop.
	n          tallyCounts
	budget     tally.Budget
	interval   *result.Histogram // since the last sample
	window     *result.Histogram // of messages sent in the window
	from, till uint32            // the window, in microseconds since the epoch; from 0: not open yet
	scratch    []byte
	next       int // the next member to start
	connecting int
	starting   bool
	sending    bool
	pace       pacer
	sweepAt    time.Duration
	leftReason error
	failReason error
	ended      *ending // set before the loop ends
}

// ending is the state of a worker before the end of its loop cuts off all clients.
type ending struct {
	left                   int
	leftReason, failReason error
}

// tallyCounts are the worker's own, not yet published counters.
type tallyCounts struct {
	joined, failed, left      int64
	sent, delivered           uint64
	duplicates, reordered     uint64
	notices, foreign, damaged uint64
	stalls                    uint64
	lastNotice, lastJoin      time.Duration
}

func newWorker(p *plan, index int) (*worker, error) {
	w := &worker{
		plan: p, index: index, sweepAt: sweepEvery,
		budget:   tally.Budget{Spans: maxSpans},
		interval: result.NewHistogram(), window: result.NewHistogram(),
	}
	var err error
	if w.loop, err = reactor.NewLoop(p.epoch, w.tick, w.publish); err != nil {
		return nil, fmt.Errorf("worker %d: %w", index, err)
	}
	w.group, err = client.NewGroup(w.loop, client.Options{
		Protocol: p.cfg.Protocol, Transport: p.cfg.Transport, Path: p.cfg.path(), Namespace: p.cfg.namespace(), Dialect: p.cfg.Dialect,
	})
	return w, err
}

// add gives the worker a client. sender is its number as a sender, or -1.
func (w *worker) add(peer client.Peer, sender int) {
	m := &member{w: w, peer: peer, sender: sender}
	m.received = tally.NewReceiver(w.plan.cfg.Senders, &w.budget)
	w.members = append(w.members, m)
	if sender >= 0 {
		w.senders = append(w.senders, m)
	}
}

// sortSenders puts the senders into the order in which they take turns.
func (w *worker) sortSenders() {
	slices.SortFunc(w.senders, func(a, b *member) int { return a.sender - b.sender })
}

func (w *worker) run(ctx context.Context) error { return w.loop.Run(ctx) }

// tick starts clients, sends what is due and sweeps; it tells when it must be called next.
func (w *worker) tick(now time.Duration) time.Duration {
	next := w.sweepAt
	if now >= w.sweepAt {
		w.sweep(now)
		w.sweepAt = now + sweepEvery
		next = w.sweepAt
	}
	if w.starting {
		next = min(next, w.startClients(now))
	}
	if w.sending && w.plan.cfg.Rate > 0 {
		next = min(next, w.sendDue(now))
	}
	return next
}

func (w *worker) sweep(now time.Duration) {
	if w.plan.cfg.Protocol == 3 {
		for _, m := range w.members {
			if m.client != nil {
				m.client.Sweep(now)
			}
		}
	}
	if w.sending && w.plan.cfg.InFlight > 0 {
		for _, m := range w.senders {
			m.giveUpStalled(now)
		}
	}
}

// startClients starts those whose time has come, as long as not too many are connecting.
func (w *worker) startClients(now time.Duration) time.Duration {
	cfg := w.plan.cfg
	limit := max(cfg.Connecting/cfg.threads(), 1)
	for w.next < len(w.members) {
		due := cfg.Ramp * time.Duration(w.next) / time.Duration(len(w.members))
		if now < due {
			return due
		}
		if w.connecting >= limit {
			return beyond // until one of them is through
		}
		w.connecting++
		m := w.members[w.next]
		w.next++
		m.client = w.group.Start(m.peer, m)
	}
	w.starting = false
	return beyond
}

// oneThrough is called when a client has joined or failed to.
func (w *worker) oneThrough() {
	w.connecting--
	if w.starting {
		w.loop.Wake()
	}
}

// publish copies the counters for the coordinator.
func (w *worker) publish() {
	p, n := &w.public, &w.n
	p.joined.Store(n.joined)
	p.failed.Store(n.failed)
	p.left.Store(n.left)
	p.sent.Store(n.sent)
	p.delivered.Store(n.delivered)
	p.duplicates.Store(n.duplicates)
	p.reordered.Store(n.reordered)
	p.notices.Store(n.notices)
	p.foreign.Store(n.foreign)
	p.damaged.Store(n.damaged)
	p.missing.Store(w.budget.Open)
	p.stalls.Store(n.stalls)
	p.lastNotice.Store(int64(n.lastNotice))
	p.lastJoin.Store(int64(n.lastJoin))
}

// ask calls f on the worker's loop and waits for it. The published counters are then those at the time of the call.
func (w *worker) ask(f func()) {
	done := make(chan struct{})
	if w.loop.Do(func() { f(); w.publish(); close(done) }) {
		<-done
	}
}
