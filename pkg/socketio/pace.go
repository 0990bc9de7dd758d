package socketio

import (
	"cmp"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// A rate is what a client may have of something: so much a second, and a burst of it at once. The zero
// rate has no bound.
type rate struct {
	perSecond int
	window    time.Duration // how far ahead of the rate a client may be
}

// newRate makes a rate; a burst of 0 is as much as comes in a second.
func newRate(perSecond, burst int) rate {
	if perSecond <= 0 {
		return rate{}
	}
	r := rate{perSecond: perSecond}
	r.window = r.time(cmp.Or(burst, perSecond))
	return r
}

// time is how long n units take.
func (r rate) time(n int) time.Duration {
	return time.Duration(float64(n) * float64(time.Second) / float64(r.perSecond))
}

// A bucket is a token bucket: the moment, counted from the start of what it belongs to, at which it will be full
// again (the generic cell rate algorithm).
type bucket time.Duration

// take takes n tokens, and returns how long to wait for them.
func (b *bucket) take(r rate, n int, now time.Duration) time.Duration {
	if r.perSecond == 0 || n == 0 {
		return 0
	}
	full := max(time.Duration(*b), now) + r.time(n)
	*b = bucket(full)
	return max(full-now-r.window, 0)
}

// A pace holds a client to the rates of Limits, and to its share of what recovery keeps. The reader owns all
// but caused and shares.
type pace struct {
	messages, bytes, deliveries bucket
	caused                      atomic.Int64 // bytes of deliveries since the last message; see BroadcastFrom
	shares                      atomic.Pointer[senderShares]
	told                        time.Duration // when the client was told last that it is slowed; 0: never
}

// tellAfter is the least time between two messages that tell a client so.
const tellAfter = 10 * time.Second

// keepPace takes tokens for one message of a size, and for the deliveries that earlier ones caused, and
// waits for them if there are none. It reports false when the connection has ended meanwhile, or the server
// closes.
func (c *conn) keepPace(size int, binary bool) bool {
	return c.keepRates(size, binary) && c.keepShare(size)
}

func (c *conn) keepRates(size int, binary bool) bool {
	l, p := &c.server.limits, &c.pace
	if l.messages.perSecond == 0 && l.bytes.perSecond == 0 && l.deliveries.perSecond == 0 {
		return true
	}
	now, messages := time.Since(l.start), 1
	if binary {
		messages = 0 // it belongs to one
	}
	wait := p.messages.take(l.messages, messages, now)
	reason, most := "messages", l.MessagesPerSecond
	if w := p.bytes.take(l.bytes, size, now); w > wait {
		wait, reason, most = w, "bytes", l.BytesPerSecond
	}
	if w := p.deliveries.take(l.deliveries, int(p.caused.Swap(0)), now); w > wait {
		wait, reason, most = w, "bytes to receivers", l.DeliveriesPerSecond
	}
	if wait <= 0 {
		return true
	}
	c.slowed(wait, now, reason, most)
	return c.pause(wait)
}

// slowed counts a wait, and tells the log and the client of it.
func (c *conn) slowed(wait, now time.Duration, reason string, most int) {
	l := &c.server.limits
	l.slowedMessages.Add(1)
	l.slowedTime.Add(int64(wait))
	if c.pace.told == 0 || now-c.pace.told > tellAfter {
		l.log.Warn(reason, "a client sends too much and is read more slowly",
			slog.String("remote", c.RemoteAddress()), slog.String("reason", reason), slog.Int("per_second", most))
		if c.tell(fmt.Sprintf("too many %s: more than %d a second are handled with delay", reason, most)) {
			c.pace.told = now
		}
	}
}

// pause waits. It reports false when the connection has ended meanwhile, or the server closes.
func (c *conn) pause(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.eio.Done():
		return false
	case <-c.server.closed:
		return false
	}
}

// tell sends an exception to the client, on each namespace it is in. While it is about to join one it
// does nothing, and reports false.
func (c *conn) tell(message string) bool {
	c.mu.Lock()
	var names []string
	for _, l := range c.links {
		switch {
		case !l.listening:
			c.mu.Unlock()
			return false
		case l.state <= linkOpen:
			names = append(names, l.name)
		}
	}
	c.mu.Unlock()
	data, err := EncodeData([]any{"exception", exception{Status: "error", Message: message}})
	for _, name := range names {
		if err == nil { // two strings always encode
			c.send(newFrames(Event, name, nil, data), nil)
		}
	}
	return len(names) > 0
}
