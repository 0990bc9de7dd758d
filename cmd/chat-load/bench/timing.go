//go:build linux

package bench

import (
	"time"

	"socketio-chat/pkg/load/client"
	"socketio-chat/pkg/load/run"
)

// timing is how long things take: full or quick.
type timing struct {
	warmup, window time.Duration
	idle           time.Duration // for memory to come to rest and heartbeats to be seen: several of their periods, 25 s
	repeats        int
	heavyRepeats   int           // of rows with thousands of clients
	again          bool          // measure a row anew whose trials differ too much
	total          time.Duration // of the whole table, at most
}

var (
	fullTiming = timing{
		warmup: 2 * time.Second, window: 8 * time.Second, idle: 75 * time.Second, repeats: 5, heavyRepeats: 3, again: true,
		total: 100 * time.Minute,
	}
	quickTiming = timing{
		warmup: time.Second, window: 4 * time.Second, idle: 26 * time.Second, repeats: 1, heavyRepeats: 1, total: 15 * time.Minute,
	}
)

const (
	idleClients  = 10_000
	stormClients = 2_000
	// growthRate and twice that are the deliveries a second of the growth row, whatever the number of clients.
	growthRate = 50_000
	// largeText is the size of a message in the row of large ones, in bytes.
	largeText = 64 << 10
)

// base is the load that the rows vary.
func (t timing) base() run.Config {
	return run.Config{
		Clients: 200, Senders: 20, Size: 32, Transport: client.WebSocket, Protocol: 4,
		// More handshakes at once than a server's accept queue holds (511 in Node) measure the kernel's patience.
		Connecting: 250,
		Warmup:     t.warmup, Duration: t.window, Drain: 5 * time.Second,
	}
}

func (t timing) with(change func(c *run.Config)) run.Config {
	c := t.base()
	change(&c)
	return c
}

// repeatsOf is how often a row is measured before its spread is looked at.
func (t timing) repeatsOf(r row) int {
	if r.heavy() {
		return t.heavyRepeats
	}
	return t.repeats
}
