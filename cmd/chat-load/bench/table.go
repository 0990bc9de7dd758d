//go:build linux

package bench

import (
	"fmt"
	"math"
	"time"

	"socketio-chat/pkg/load/client"
	"socketio-chat/pkg/load/run"
)

// variant is one thing that a row measures: a server, how it is set up, and a load on it.
type variant struct {
	name      string
	server    kind
	instances int  // 0 means 1
	redis     bool // instances share a Redis
	notice    bool // announces who joins
	load      run.Config
}

// row is a line of the table.
type row struct {
	name     string
	work     string
	variants []variant
	// checks compares the medians, which are in the order of variants.
	checks func(m []measures) []check
	// note adds what helps to understand the figures; may be nil.
	note func(m []measures) string
}

// check is a target and what became of it.
type check struct {
	What     string  `json:"what"`
	Target   string  `json:"target"`
	Measured string  `json:"measured"`
	Ratio    float64 `json:"ratio,omitempty"` // 0: the target is no ratio
	Pass     bool    `json:"pass"`
}

// timing is how long things take: full or quick.
type timing struct {
	warmup, window time.Duration
	idle           time.Duration // for memory to come to rest
	repeats        int
	heavyRepeats   int           // of rows with thousands of clients
	total          time.Duration // of the whole table, at most
}

var (
	fullTiming  = timing{warmup: 2 * time.Second, window: 8 * time.Second, idle: 12 * time.Second, repeats: 5, heavyRepeats: 3, total: 28 * time.Minute}
	quickTiming = timing{warmup: time.Second, window: 4 * time.Second, idle: 6 * time.Second, repeats: 1, heavyRepeats: 1, total: 6 * time.Minute}
)

const (
	idleClients  = 10_000
	stormClients = 2_000
	// growthRate and twice that are the deliveries a second of the growth row, whatever the number of clients.
	growthRate = 50_000
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

// table is the issue's, in its order.
func table(t timing) []row {
	saturation := t.with(func(c *run.Config) { c.Clients, c.Senders, c.InFlight = 500, 50, 4 })
	light := t.with(func(c *run.Config) { c.Rate = 100 })
	oldest := light
	oldest.Protocol = 3 // socket.io 2 knows no other
	brisk := t.with(func(c *run.Config) { c.Rate = 1000 })
	polling := t.with(func(c *run.Config) { c.Rate, c.Transport = 100, client.Polling })
	idle := t.with(func(c *run.Config) { c.Clients, c.Senders, c.Duration = idleClients, 0, t.idle })
	storm := t.with(func(c *run.Config) {
		c.Clients, c.Senders, c.Duration, c.AwaitJoins = stormClients, 0, 0, true
	})
	few := t.with(func(c *run.Config) { c.Clients, c.Rate = 100, growthRate/100 })
	many := t.with(func(c *run.Config) { c.Clients, c.Rate = idleClients, growthRate/idleClients })
	fewTwice, manyTwice := few, many
	fewTwice.Rate, manyTwice.Rate = 2*few.Rate, 2*many.Rate
	return []row{
		{name: "saturation", work: "500 clients, 50 senders, 4 messages in flight each",
			variants: three(saturation), checks: func(m []measures) []check {
				return []check{
					atLeast("deliveries/s", "/s", m[0].Rate, m[1].Rate, 12),
					atMost("CPU a delivery", "µs", m[0].CPU, m[1].CPU, 1.0/8),
				}
			}},
		{name: "light", work: "200 clients, 100 messages/s",
			variants: append(three(light), variant{name: string(node2), server: node2, load: oldest}), checks: func(m []measures) []check {
				return []check{atMost("CPU a delivery", "µs", m[0].CPU, m[2].CPU, 1.15)}
			}, note: func(m []measures) string {
				return fmt.Sprintf("on Node it is %s µs with socket.io 4.8.4 and %s µs with 2.4.1", number(m[1].CPU), number(m[3].CPU))
			}},
		{name: "brisk", work: "200 clients, 1,000 messages/s",
			variants: two(brisk), checks: func(m []measures) []check {
				return []check{
					atMost("p99", "ms", m[0].P99/1e3, m[1].P99/1e3, 1.0/50),
					faultless(m[0]),
				}
			}},
		{name: "idle", work: "10,000 idle clients: memory and connecting",
			variants: two(idle), checks: func(m []measures) []check {
				return []check{
					below("resident a connection", "KB", m[0].IdleKB, 8),
					atMost("CPU of connecting a client", "µs", m[0].ConnectCPU, m[1].ConnectCPU, 1.0/4),
				}
			}},
		{name: "storm", work: "2,000 clients connect at once, everybody hears every join",
			variants: announced(two(storm)), checks: func(m []measures) []check {
				return []check{
					everyNotice(m[0]),
					atMost("CPU", "s", m[0].StormCPU, m[1].StormCPU, 1.0/10),
					atMost("time", "s", m[0].StormSeconds, m[1].StormSeconds, 1.0/5),
				}
			}},
		{name: "cluster", work: "the light load over two instances and Redis",
			variants: []variant{
				{name: "two instances", server: ours, instances: 2, redis: true, load: light},
				{name: "one instance", server: ours, load: light},
			}, checks: func(m []measures) []check {
				return []check{atMost("CPU a delivery, both together", "µs", m[0].CPU, m[1].CPU, 1.4), faultless(m[0])}
			}},
		{name: "growth", work: "from 100 to 10,000 clients at 50,000 deliveries/s, and at 100,000",
			variants: []variant{
				{name: "10,000 clients", server: ours, load: many},
				{name: "100 clients", server: ours, load: few},
				{name: "bare Go, 10,000", server: floorGo, load: many},
				{name: "bare Go, 100", server: floorGo, load: few},
				{name: "10,000, twice", server: ours, load: manyTwice},
				{name: "100, twice", server: ours, load: fewTwice},
			}, checks: func(m []measures) []check {
				return []check{
					atMost("CPU a delivery, 50,000/s", "µs", m[0].CPU, m[1].CPU, 1.2),
					atMost("CPU a delivery, 100,000/s", "µs", m[4].CPU, m[5].CPU, 1.2),
					faultless(m[0]),
				}
			}, note: func(m []measures) string {
				// More sockets than the processor's caches hold make the kernel's part of a write dearer. And
				// 50,000 deliveries to 10,000 clients leave 200 ms between two messages of a connection, which is
				// Linux' least retransmission time-out: after such a pause receivers acknowledge at once, in the
				// sender's time.
				own := atMost("", "µs", m[2].CPU, m[3].CPU, 0)
				return "bare Go, one write a delivery, grows " + own.Measured + " from 100 to 10,000 clients at 50,000 deliveries/s"
			}},
		{name: "polling", work: "200 polling clients, 100 messages/s",
			variants: two(polling), checks: func(m []measures) []check {
				return []check{atMost("CPU a delivery", "µs", m[0].CPU, m[1].CPU, 1.0/2), faultless(m[0])}
			}},
	}
}

func two(load run.Config) []variant {
	return []variant{{name: string(ours), server: ours, load: load}, {name: string(node4), server: node4, load: load}}
}

func three(load run.Config) []variant {
	return append(two(load), variant{name: string(floorGo), server: floorGo, load: load})
}

func announced(vs []variant) []variant {
	for i := range vs {
		vs[i].notice = true
	}
	return vs
}

func (r row) heavy() bool {
	for _, v := range r.variants {
		if v.load.Clients >= stormClients {
			return true
		}
	}
	return false
}

// atMost wants a/b ≤ limit.
func atMost(what, unit string, a, b, limit float64) check {
	return ratioCheck(what, unit, "≤", a, b, limit, func(ratio float64) bool { return ratio <= limit })
}

// atLeast wants a/b ≥ limit.
func atLeast(what, unit string, a, b, limit float64) check {
	return ratioCheck(what, unit, "≥", a, b, limit, func(ratio float64) bool { return ratio >= limit })
}

func ratioCheck(what, unit, sign string, a, b, limit float64, ok func(float64) bool) check {
	c := check{What: what, Target: sign + " " + factor(limit)}
	if a <= 0 || b <= 0 || math.IsNaN(a) || math.IsNaN(b) {
		c.Measured = "not measured"
		return c
	}
	c.Ratio = a / b
	c.Measured = fmt.Sprintf("%s (%s %s to %s)", factor(c.Ratio), number(a), unit, number(b))
	c.Pass = ok(c.Ratio)
	return c
}

func below(what, unit string, a, limit float64) check {
	return check{
		What: what, Target: fmt.Sprintf("≤ %s %s", number(limit), unit), Measured: fmt.Sprintf("%s %s", number(a), unit),
		Pass: a > 0 && a <= limit,
	}
}

func faultless(m measures) check {
	return check{What: "nothing lost or out of order", Target: "0 faults", Measured: fmt.Sprintf("%.0f", m.Faults), Pass: m.Faults == 0}
}

// everyNotice wants that every client has heard of itself and of every later one, none missed. Of two that come at the
// same moment each may hear of the other: a few more notices are no fault.
func everyNotice(m measures) check {
	want := float64(stormClients) * (stormClients + 1) / 2
	return check{
		What: "join notices delivered", Target: fmt.Sprintf("≥ %.0f", want), Measured: fmt.Sprintf("%.0f", m.Notices),
		Pass: m.Notices >= want && m.Faults == 0,
	}
}

// factor writes ratios below one as the fractions that they are known by.
func factor(r float64) string {
	if r < 0.75 {
		return fmt.Sprintf("1/%s", number(1/r))
	}
	return number(r) + "×"
}

func number(v float64) string {
	switch {
	case v >= 10_000:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
