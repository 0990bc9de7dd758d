package hub

import (
	"fmt"
	"time"
)

// lately is how long an instance that has gone is missed.
const lately = 5 * time.Second

// An attendance is how many of our instances were there lately: they subscribe to one channel of each namespace.
type attendance struct {
	most    int
	counted time.Time // when most were there
	at      time.Time // the same, or when the cluster was joined since
}

// attend notes how many are there now, and tells how many of those are missing that were there lately, or when this instance lost the cluster,
// and when they were.
func (h *Hub) attend(channel string, n int) (missing int, since time.Time) {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	a, now := h.attended[channel], time.Now()
	if n >= a.most || now.Sub(a.at) > lately {
		a = attendance{n, now, now}
	}
	if h.attended == nil {
		h.attended = map[string]attendance{}
	}
	h.attended[channel] = a
	return a.most - n, a.counted
}

// missLocked begins anew to miss those that were there when the cluster was lost: they may need as long as this instance to come back.
func (h *Hub) missLocked() {
	for channel, a := range h.attended {
		h.attended[channel] = attendance{a.most, a.counted, h.since}
	}
}

// count finds out how many instances there are.
func (p *publisher) count() error {
	all, ours := p.h.routes.counted()
	if len(all) == 0 {
		p.h.counted(1)
		return nil
	}
	counts, err := p.subscribers(append(all, ours...))
	if counts == nil {
		return err
	}
	servers := 0
	for i := range all {
		servers = max(servers, int(counts[all[i]])) // not every instance need have every namespace
		p.h.attend(ours[i], int(counts[ours[i]]))
	}
	p.h.counted(servers)
	return nil
}

// subscribers counts the subscribers of channels; nil if it cannot. An error ends the connection.
func (p *publisher) subscribers(names []string) (map[string]int64, error) {
	if cluster := p.cluster(); cluster != nil {
		counts, err := clusterNumbers(p.h.ctx, p.h.transport, cluster, names...)
		if err != nil {
			p.h.fault.warn("cannot count the instances at all servers of the Redis Cluster", err)
			return nil, nil
		}
		return counts, nil
	}
	counts, err := p.h.transport.numSub(p.h.ctx, p.link, names...).Result()
	switch {
	case isDenied(err):
		p.h.fault.warn("The instances cannot be counted", permission(err, "command PUBSUB NUMSUB"))
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("count subscribers: %w", err)
	}
	return counts, nil
}
