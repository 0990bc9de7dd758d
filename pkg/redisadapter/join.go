package redisadapter

import (
	"log/slog"
	"strconv"
	"time"
)

// settleTime is how long after coming back the queue is held for the other instances to come back as well: what is published before they have
// subscribed again is lost to them. It ends early once as many are there as before.
const settleTime = 2500 * time.Millisecond

// connected notes a new connection; its generation goes to *slot, which is h.pub or h.sub.
func (h *hub) connected(slot *uint64) (generation uint64) {
	h.state.mu.Lock()
	h.last++
	*slot, generation = h.last, h.last
	h.state.mu.Unlock()
	h.requestBeat()
	return generation
}

// disconnected notes that the connection of *slot is lost. It returns whether the cluster was joined until now.
func (h *hub) disconnected(slot *uint64, err error) (was bool) {
	h.state.mu.Lock()
	*slot = 0
	was = h.joined
	if h.ctx.Err() == nil {
		h.state.err = err
	}
	h.setJoinedLocked(false)
	h.state.mu.Unlock()
	if was {
		h.announce(err)
	}
	return was
}

// requestBeat asks the publisher to send a heartbeat soon.
func (h *hub) requestBeat() {
	select {
	case h.beats <- struct{}{}:
	default:
	}
}

// nextBeat returns the payload of a heartbeat to send now; ok is false while there is no complete way for it.
func (h *hub) nextBeat() (payload string, ok bool) {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	if h.pub == 0 || h.sub == 0 {
		return "", false
	}
	h.beat = beat{seq: h.beat.seq + 1, pub: h.pub, sub: h.sub, sent: time.Now()}
	return strconv.FormatUint(h.beat.seq, 10), true
}

// beatConfirmed notes that Redis has accepted the latest heartbeat.
func (h *hub) beatConfirmed() {
	h.state.mu.Lock()
	h.beat.confirmed = true
	h.state.mu.Unlock()
}

// beatReceived notes a heartbeat of ours that has come back over the subscriber connection of the given generation.
func (h *hub) beatReceived(payload []byte, sub uint64) {
	seq, err := strconv.ParseUint(string(payload), 10, 64)
	if err != nil {
		return
	}
	h.state.mu.Lock()
	b := &h.beat
	if seq != b.seq || b.pub != h.pub || b.sub != sub || sub != h.sub {
		h.state.mu.Unlock()
		return
	}
	h.lag = time.Since(b.sent)
	b.sent = time.Time{}
	was := h.joined
	h.setJoinedLocked(true)
	h.state.mu.Unlock()
	if !was {
		h.announce(nil)
	}
}

// overdue tells whether Redis has accepted a heartbeat longer than patience ago that did not come back over the connection sub.
func (h *hub) overdue(sub uint64, patience time.Duration) bool {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	b := h.beat
	return b.sub == sub && b.pub == h.pub && b.confirmed && !b.sent.IsZero() && time.Since(b.sent) > patience
}

func (h *hub) setJoinedLocked(joined bool) {
	if h.joined == joined {
		return
	}
	h.joined, h.since = joined, time.Now()
	h.settled = false
	if joined {
		h.settleEnd = h.since.Add(settleTime)
	}
}

// announce logs that the state has changed and tells the user's callback.
func (h *hub) announce(err error) {
	h.notifyMu.Lock()
	defer h.notifyMu.Unlock()
	s := h.status()
	switch {
	case s.Joined:
		h.log.Info("Joined the cluster", slog.String("key", h.cfg.key), slog.Duration("lag", s.Lag))
	case h.ctx.Err() != nil:
		h.log.Info("Left the cluster", slog.String("key", h.cfg.key))
	default:
		h.log.Warn("Lost the cluster; this instance goes on by itself", slog.Any("err", err))
	}
	if h.notify != nil {
		h.notify(s)
	}
	h.queue.signal()
}

// mayFlow tells whether the queue may be published now. While it has to settle, check is true: count the instances and report to counted.
func (h *hub) mayFlow() (flow, check bool) {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	switch {
	case !h.joined:
		return false, false
	case h.settled:
		return true, false
	case time.Now().After(h.settleEnd):
		h.settled = true
		return true, false
	}
	return false, true
}

// counted notes how many instances there are. Those that were there before the cluster was lost are waited for until settleEnd.
func (h *hub) counted(servers int) {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	if h.joined && !h.settled && servers < h.servers {
		return
	}
	h.servers = max(servers, 1)
	if h.joined {
		h.settled = true
	}
}

// status takes a snapshot.
func (h *hub) status() Status {
	items, bytes := h.queue.len()
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	s := Status{
		Joined: h.joined, Since: h.since, LastError: h.state.err, Servers: h.servers, Lag: h.lag, Queued: items, QueuedLen: bytes,
		Published: h.published.Load(), Received: h.received.Load(), Dropped: h.dropped.Load(), Unknown: h.unknown.Load(),
		Rejected: h.rejected.Load(), Gaps: h.gaps.Load(), Overruns: h.overruns.Load(),
	}
	if !s.Joined {
		s.Servers = 1
	}
	return s
}
