package hub

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// settleTime is how long after coming back the queue is held for the other instances to come back
// as well: what is published before they have subscribed again is lost to them. It ends early once
// as many are there as before.
const settleTime = 2500 * time.Millisecond

// connected notes a new connection; its generation goes to *slot, which is h.pub or h.sub.
func (h *Hub) connected(slot *uint64) (generation uint64) {
	h.state.mu.Lock()
	h.last++
	*slot, generation = h.last, h.last
	h.waiting = time.Time{}
	h.state.mu.Unlock()
	h.requestBeat()
	return generation
}

// disconnected notes that the connection of *slot is lost, if there was one. It returns whether the
// cluster was joined until now.
func (h *Hub) disconnected(slot *uint64, err error) (was bool) {
	h.state.mu.Lock()
	was = h.joined
	if h.ctx.Err() == nil {
		h.state.err = err
		if slot == &h.sub && h.sub != 0 && h.durable == nil {
			h.gaps.Add(1)
			h.unheard = true
		}
	}
	*slot, h.waiting = 0, time.Time{}
	h.setJoinedLocked(false)
	h.attempt()
	h.state.mu.Unlock()
	if was {
		h.announce(err)
	}
	return was
}

// requestBeat asks the publisher to send a heartbeat soon.
func (h *Hub) requestBeat() {
	notify(h.beats)
}

// nextBeat returns the payload of a heartbeat to send now; ok is false while there is no complete
// way for it. It says over which connections it goes out and shall come back, and when it was sent.
func (h *Hub) nextBeat() (payload string, ok bool) {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	h.beatSent = time.Now()
	return fmt.Sprintf("%d %d %d", h.pub, h.sub, h.beatSent.Sub(h.started)), h.pub != 0 && h.sub != 0 && (h.durable == nil || h.reader != 0)
}

// beatConfirmed notes that Redis has accepted the latest heartbeat.
func (h *Hub) beatConfirmed() {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	if h.waiting.IsZero() && h.beatSent.After(h.beatEcho) {
		h.waiting = h.beatSent
	}
}

// beatReceived notes a heartbeat that has come back over the subscriber connection of the given
// generation.
func (h *Hub) beatReceived(payload string, over uint64) {
	var pub, sub uint64
	var sent time.Duration
	if _, err := fmt.Sscanf(payload, "%d %d %d", &pub, &sub, &sent); err != nil {
		return
	}
	h.state.mu.Lock()
	if pub == 0 || sub == 0 || pub != h.pub || sub != h.sub || sub != over || h.durable != nil && h.reader == 0 {
		h.state.mu.Unlock()
		return
	}
	h.beatEcho, h.waiting = h.started.Add(sent), time.Time{}
	h.lag = time.Since(h.beatEcho)
	h.lags.Observe(h.lag)
	was, unheard := h.joined, h.unheard
	h.unheard = false
	h.setJoinedLocked(true)
	h.state.mu.Unlock()
	if unheard {
		h.tellMissed() // until here the subscriptions were not proven
	}
	if !was {
		h.announce(nil)
	}
}

// overdue tells whether Redis has accepted a heartbeat longer than silence ago and none has come
// back since.
func (h *Hub) overdue(silence time.Duration) bool {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	return !h.waiting.IsZero() && time.Since(h.waiting) > silence
}

func (h *Hub) setJoinedLocked(joined bool) {
	if h.joined == joined {
		return
	}
	h.joined, h.since = joined, time.Now()
	h.settled = joined && h.durable != nil // nobody need be waited for
	if joined {
		h.attempt()
		h.missLocked()
		h.settleEnd = h.since.Add(settleTime)
	}
}

// AwaitJoin returns when this hub has joined the cluster for the first time, or could not, or was closed; or with ctx's error.
func (h *Hub) AwaitJoin(ctx context.Context) error {
	select {
	case <-h.attempted.Done():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// announce logs that the state has changed and tells the user's callback.
func (h *Hub) announce(err error) {
	h.notifyMu.Lock()
	defer h.notifyMu.Unlock()
	s := h.Status()
	switch {
	case s.Joined:
		h.log.Info("joined the cluster", slog.String("key", h.cfg.Key), slog.Duration("lag", s.Lag))
	case h.ctx.Err() != nil:
		h.log.Info("left the cluster", slog.String("key", h.cfg.Key))
	default:
		h.log.Warn("lost the cluster; this instance goes on by itself", slog.Any("err", err))
	}
	if h.notify != nil {
		h.notify(s)
	}
	h.queue.signal()
}

// MayFlow tells whether the queue may be published now.
func (h *Hub) MayFlow() bool {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	if h.durable != nil {
		return h.pub != 0 // readers resume, nobody need be waited for
	}
	if h.joined && !h.settled && time.Now().After(h.settleEnd) {
		h.settled = true
	}
	return h.joined && h.settled
}

// settling tells whether the queue waits for other instances; counted ends it.
func (h *Hub) settling() bool {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	return h.joined && !h.settled
}

// counted notes how many instances there are. Those that were there before the cluster was lost are
// waited for until settleEnd. If Redis was not there when this instance started, nobody knows how
// many there will be: all of settleTime is given to them.
func (h *Hub) counted(servers int) {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	late := h.servers == 0 && h.state.err != nil
	if !h.joined || !h.settled && (servers < h.servers || late) {
		return
	}
	h.servers, h.settled = max(servers, 1), true
}

// Status takes a snapshot.
func (h *Hub) Status() Status {
	items, bytes := h.queue.len()
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	s := Status{
		Joined: h.joined, Since: h.since, LastError: h.state.err, Servers: h.servers, Lag: h.lag, Queued: items, QueuedLen: bytes,
		Published: h.published.Load(), Received: h.received.Load(), Dropped: h.dropped.Load(), Unknown: h.unknown.Load(),
		Rejected: h.rejected.Load(), Gaps: h.gaps.Load(), Missed: h.missed.Load(), Overruns: h.overruns.Load(),
		Lags: h.lags.Snapshot(),
	}
	if !s.Joined || s.Servers == 0 {
		s.Servers = 1
	}
	return s
}

// IsJoined tells whether the subscriptions are proven live and messages can be published.
func (h *Hub) IsJoined() bool {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	return h.joined
}
