//go:build linux

package run

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"socketio-chat/pkg/load/client"
	"socketio-chat/pkg/load/message"
)

// Bounds of a run.
const (
	MaxClients  = 100_000
	MaxRate     = 1_000_000 // messages a second
	MaxInFlight = 10_000    // messages a sender
	MaxSize     = 1_000_000 // bytes of text
	MaxPhase    = time.Hour // each of ramp, warm-up, duration and drain
	MaxTotal    = 70 * time.Minute
	MaxThreads  = 64
	MaxServers  = 64
	// maxPairs bounds the memory for the order of messages: 4 bytes for each receiver and sender.
	maxPairs = 64 << 20
)

// Config says what to do. The zero value of a field means its default only where that is said.
type Config struct {
	Label   string
	Servers []string // http://host:port; clients are spread over them in turn
	Clients int
	Senders int     // of the clients; 0: nobody sends
	Rate    float64 // messages a second, all senders together; 0: closed loop
	// InFlight is how many of its own messages each sender waits for at most (closed loop); 0: fixed rate.
	InFlight int
	Size     int // bytes of text

	Transport client.Transport
	Protocol  int    // Engine.IO protocol, 3 or 4
	Path      string // "" means /socket.io/
	Namespace string // "" means /chat
	Dialect   client.Dialect

	Ramp       time.Duration // time over which the clients come; 0: as fast as Connecting lets them
	Connecting int           // clients that may be connecting at once
	Warmup     time.Duration
	Duration   time.Duration
	Drain      time.Duration // longest wait for what is under way at the end
	// AwaitJoins waits until every client has heard of every later one: for one server that announces joins.
	AwaitJoins bool
	// Watch lets every client ask who is here, and watch who comes and goes, once it has joined (presence:watch of
	// pkg/chat/PROTOCOL.md). Connecting then ends when all have been told of all.
	Watch bool

	Threads     int      // reactor loops; 0 means 1
	Sources     []string // own addresses to connect from, in turn; empty: the system chooses
	PIDs        []int    // processes on this machine to watch
	AllowRemote bool     // without it, servers must be on the loopback interface
}

// Validate reports everything that is wrong with the configuration, in one error.
func (c *Config) Validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	check(len(c.Servers) >= 1 && len(c.Servers) <= MaxServers, "servers: give 1 to %d addresses", MaxServers)
	check(c.Clients >= 1 && c.Clients <= MaxClients, "clients: %d is not between 1 and %d", c.Clients, MaxClients)
	check(c.Senders >= 0 && c.Senders <= min(c.Clients, message.MaxSenders),
		"senders: %d is not between 0 and the number of clients (at most %d)", c.Senders, message.MaxSenders)
	check(c.Clients*c.Senders <= maxPairs, "clients × senders: %d is over %d", c.Clients*c.Senders, maxPairs)
	check(c.Rate >= 0 && c.Rate <= MaxRate, "rate: %g is not between 0 and %d messages a second", c.Rate, MaxRate)
	check(c.InFlight >= 0 && c.InFlight <= MaxInFlight, "in flight: %d is not between 0 and %d", c.InFlight, MaxInFlight)
	if c.Senders > 0 {
		check((c.Rate > 0) != (c.InFlight > 0), "senders need either a rate or a number of messages in flight")
		check(c.Size >= message.MarkLen && c.Size <= MaxSize, "size: %d is not between %d and %d bytes", c.Size, message.MarkLen, MaxSize)
	}
	check(c.Protocol == 3 || c.Protocol == 4, "protocol: %d is neither 3 nor 4", c.Protocol)
	switch c.Transport {
	case client.WebSocket, client.Polling, client.Upgrade:
	default:
		check(false, "transport: %q is none of %s, %s, %s", c.Transport, client.WebSocket, client.Polling, client.Upgrade)
	}
	check(strings.HasPrefix(c.path(), "/") && !strings.ContainsAny(c.path(), "? #\r\n"), "path: %q is no path", c.Path)
	check(strings.HasPrefix(c.namespace(), "/") && !strings.ContainsAny(c.namespace(), "?,\"\\ \r\n"), "namespace: %q is none", c.Namespace)
	check(!c.Watch || c.Dialect == client.SocketIO, "watch: only the chat knows it")
	check(c.Connecting >= 1, "connecting: at least one client must be allowed to connect at a time")
	check(c.Threads >= 0 && c.Threads <= MaxThreads, "threads: %d is not between 0 and %d", c.Threads, MaxThreads)
	c.validateTimes(check)
	for _, s := range c.Sources {
		_, err := netip.ParseAddr(s)
		check(err == nil, "source: %q is no IP address", s)
	}
	for _, pid := range c.PIDs {
		check(pid > 0, "pid: %d is none", pid)
	}
	return errors.Join(problems...)
}

func (c *Config) validateTimes(check func(ok bool, format string, args ...any)) {
	for _, p := range []struct {
		name string
		d    time.Duration
	}{{"ramp", c.Ramp}, {"warm-up", c.Warmup}, {"duration", c.Duration}, {"drain", c.Drain}} {
		check(p.d >= 0 && p.d <= MaxPhase, "%s: %v is not between 0 and %v", p.name, p.d, MaxPhase)
	}
	// The mark of a message has no room for more.
	total := c.Ramp + c.Warmup + c.Duration + c.Drain
	check(total <= MaxTotal, "the whole run: %v is over %v", total, MaxTotal)
}

func (c *Config) path() string      { return orDefault(c.Path, "/socket.io/") }
func (c *Config) namespace() string { return orDefault(c.Namespace, "/chat") }
func (c *Config) threads() int      { return max(c.Threads, 1) }

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
