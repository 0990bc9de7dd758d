//go:build linux

package bench

import (
	"fmt"
	"slices"
	"strings"

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
	env       []string
	load      run.Config
}

// row is a line of the table.
type row struct {
	name     string
	work     string
	variants []variant
	targets  []target
	// more are checks that are no comparison of a measure.
	more []func(variants []Variant) check
	// notes are measures worth knowing of every variant, beside those that targets are about.
	notes []note
}

// note is a measure that is printed for every variant.
type note struct {
	what, unit string
	of         func(m measures) float64
}

func (n note) String(variants []Variant) string {
	var parts []string
	for _, v := range variants {
		if value := n.of(v.Median); value > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", v.Name, number(value)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %s: %s", n.what, n.unit, strings.Join(parts, ", "))
}

var (
	noteCPU    = note{"CPU a delivery", "µs", func(m measures) float64 { return m.CPU }}
	noteP99    = note{"p99", "ms", func(m measures) float64 { return m.P99 / 1e3 }}
	noteRate   = note{"deliveries/s", "thousand", func(m measures) float64 { return m.Rate / 1e3 }}
	noteMemory = note{"resident a connection", "KB", func(m measures) float64 { return m.IdleKB }}
	noteKernel = note{"the kernel's memory a connection, both ends", "KB", func(m measures) float64 { return m.KernelKB }}
	noteBeats  = note{"heartbeats a connection", "µs/s", func(m measures) float64 { return m.IdleCPU }}
	noteJoin   = note{"connecting a client", "µs", func(m measures) float64 { return m.ConnectCPU }}
)

// The variants that keep messages, and those that they are compared with.
const (
	keepsMemory  = "kept in memory"
	keepsRedis   = "kept in Redis"
	keepsNothing = "not kept"
)

var keeping = []string{"CHAT_HISTORY=200"}

// table has the rows in the order in which they are measured.
func table(t timing) []row {
	return append(chatRows(t), crowdRows(t)...)
}

// chatRows are about messages to some hundred clients.
func chatRows(t timing) []row {
	saturation := t.with(func(c *run.Config) { c.Clients, c.Senders, c.InFlight = 500, 50, 4 })
	light := t.with(func(c *run.Config) { c.Rate = 100 })
	oldest := light
	oldest.Protocol = 3 // socket.io 2 knows no other
	brisk := t.with(func(c *run.Config) { c.Rate = 1000 })
	polling := t.with(func(c *run.Config) { c.Rate, c.Transport = 100, client.Polling })
	large := t.with(func(c *run.Config) { c.Rate, c.Senders, c.Size = 10, 10, largeText })
	both := variantsOf(saturation, ours, node4)
	for i := range both {
		both[i].instances, both[i].redis = 2, true
	}
	return []row{
		{
			name: "saturation", work: "500 clients, 50 senders, 4 messages in flight each",
			variants: variantsOf(saturation, ours, uws, node4, newest4, bun4, floorGo, ringGo),
			targets:  []target{rate(uws, 10), cpu(uws, 1.0/10), rate(node4, 12), cpu(node4, 1.0/8)},
			notes:    []note{noteRate, noteCPU},
		},
		{
			name: "light", work: "200 clients, 100 messages/s",
			variants: slices.Concat(
				variantsOf(light, ours, uws, node4, newest4, bun4, floorGo, ringGo), variantsOf(oldest, node2), neighboursOf(light)),
			targets: []target{
				cpu(floorGo, 0.55), cpu(uws, 0.6), p99(uws, 1).everyTime(),
			},
			notes: []note{noteCPU, noteP99},
		},
		{
			name: "brisk", work: "200 clients, 1,000 messages/s",
			variants: variantsOf(brisk, ours, uws, node4), targets: []target{p99(node4, 1.0/50)},
			more: []func([]Variant) check{faultless}, notes: []note{noteCPU, noteP99},
		},
		{
			name: "large", work: "messages of 64 KB to 200 clients, 10 messages/s",
			variants: variantsOf(large, ours, uws, node4), targets: []target{cpu(uws, 0.7)},
			more: []func([]Variant) check{faultless}, notes: []note{noteCPU},
		},
		{
			name: "polling", work: "200 polling clients, 100 messages/s",
			variants: variantsOf(polling, ours, uws, node4), targets: []target{cpu(node4, 1.0/4)},
			more: []func([]Variant) check{faultless}, notes: []note{noteCPU},
		},
		{
			name: "history", work: "the load of saturation with messages kept, in memory and in Redis",
			variants: []variant{
				{name: keepsMemory, server: ours, env: keeping, load: saturation}, {name: keepsNothing, server: ours, load: saturation},
				{name: keepsRedis, server: ours, redis: true, env: keeping, load: saturation},
				{name: keepsNothing + ", Redis", server: ours, redis: true, load: saturation},
			},
			targets: []target{
				cpu(keepsNothing, 1.1).by(keepsMemory).called("CPU a delivery, kept in memory"),
				cpu(keepsNothing+", Redis", 1.1).by(keepsRedis).called("CPU a delivery, kept in Redis"),
			},
			more: []func([]Variant) check{faultless}, notes: []note{noteRate, noteCPU},
		},
		{
			name: "cluster", work: "the light load over two instances and Redis",
			variants: []variant{
				{name: "two instances", server: ours, instances: 2, redis: true, load: light},
				{name: "one instance", server: ours, load: light},
			},
			targets: []target{cpu("one instance", 1.4).called("CPU a delivery, both together")},
			more:    []func([]Variant) check{faultless},
		},
		{
			name: "cluster-saturation", work: "the load of saturation over two instances and Redis",
			variants: both, targets: []target{rate(node4, 15)}, notes: []note{noteRate, noteCPU},
		},
	}
}

// crowdRows are about thousands of clients.
func crowdRows(t timing) []row {
	idle := t.with(func(c *run.Config) { c.Clients, c.Senders, c.Duration = idleClients, 0, t.idle })
	storm := t.with(func(c *run.Config) {
		c.Clients, c.Senders, c.Duration, c.AwaitJoins = stormClients, 0, 0, true
	})
	crowd := t.with(func(c *run.Config) { c.Clients, c.Senders, c.Duration = idleClients, 0, 0 })
	watching := crowd
	watching.Watch = true
	few := t.with(func(c *run.Config) { c.Clients, c.Rate = 100, growthRate/100 })
	many := t.with(func(c *run.Config) { c.Clients, c.Rate = idleClients, growthRate/idleClients })
	fewTwice, manyTwice := few, many
	fewTwice.Rate, manyTwice.Rate = 2*few.Rate, 2*many.Rate
	growth := cpu("100", 1.1).by("10,000").called("CPU a delivery, 50,000/s")
	return []row{
		{
			name: "idle", work: "10,000 idle clients: memory, heartbeats and connecting",
			variants: append(variantsOf(idle, ours, uws, node4), neighboursOf(idle)...),
			targets: []target{
				{what: "resident a connection", unit: "KB", of: noteMemory.of, limit: 4},
				{what: "CPU of heartbeats a connection", unit: "µs/s", of: noteBeats.of, limit: 0.7},
				connectCPU(uws, 1.0/3), connectCPU(node4, 1.0/4),
			},
			notes: []note{noteMemory, noteKernel, noteBeats, noteJoin},
		},
		{
			name: "storm", work: "2,000 clients connect at once, everybody hears every join",
			variants: announced(variantsOf(storm, ours, node4)),
			targets: []target{
				{what: "CPU", unit: "s", of: func(m measures) float64 { return m.StormCPU }, against: node4, limit: 1.0 / 10},
				{what: "time", unit: "s", of: func(m measures) float64 { return m.StormSeconds }, against: node4, limit: 1.0 / 5},
			},
			more: []func([]Variant) check{everyNotice},
		},
		{
			name: "presence", work: "10,000 clients connect at once, and everybody watches who is here",
			variants: []variant{{name: "watching", server: ours, load: watching}, {name: "not watching", server: ours, load: crowd}},
			targets: []target{
				{what: "CPU a client", unit: "µs", of: noteJoin.of, variant: "watching", against: "not watching", limit: 2},
			},
			more: []func([]Variant) check{faultless}, notes: []note{noteJoin},
		},
		{
			// More sockets than the processor's caches hold make the kernel's part of a write dearer. And 50,000
			// deliveries to 10,000 clients leave 200 ms between two messages of a connection, which is Linux' least
			// retransmission time-out: after such a pause receivers acknowledge at once, in the sender's time.
			name: "growth", work: "from 100 to 10,000 clients at 50,000 deliveries/s, and at 100,000",
			variants: []variant{
				{name: "10,000", server: ours, load: many}, {name: "100", server: ours, load: few},
				{name: "bare Go, 10,000", server: floorGo, load: many}, {name: "bare Go, 100", server: floorGo, load: few},
				{name: "10,000, twice", server: ours, load: manyTwice}, {name: "100, twice", server: ours, load: fewTwice},
			},
			targets: []target{growth, cpu("100, twice", 1.1).by("10,000, twice").called("CPU a delivery, 100,000/s")},
			more:    []func([]Variant) check{faultless}, notes: []note{noteCPU},
		},
	}
}

// variantsOf puts the same load on several servers.
func variantsOf(load run.Config, servers ...kind) []variant {
	var vs []variant
	for _, k := range servers {
		vs = append(vs, variant{name: k, server: k, load: load})
	}
	return vs
}

// neighboursOf puts the load on servers outside the protocol, each in its dialect.
func neighboursOf(load run.Config) []variant {
	first, second := load, load
	first.Dialect, second.Dialect = client.Centrifuge, client.NATS
	return append(variantsOf(first, centri), variantsOf(second, nats)...)
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
