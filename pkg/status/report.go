package status

import (
	"cmp"
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/histogram"
)

// A Report is what /status.json answers. Rates are those of the last two seconds.
type Report struct {
	Instance string    `json:"instance"`
	Version  string    `json:"version"`
	Time     time.Time `json:"time"`
	UptimeS  float64   `json:"uptimeS"`
	State    string    `json:"state"` // ok, attention or draining
	Problems []Problem `json:"problems"`

	Clients    Clients     `json:"clients"`
	Traffic    Traffic     `json:"traffic"`
	Slow       Slow        `json:"slow"`
	RoundTrip  Durations   `json:"roundTrip"` // of heartbeats, in the last five minutes
	Redis      *Redis      `json:"redis"`     // null without one
	Process    Process     `json:"process"`
	Namespaces []Namespace `json:"namespaces"`
	Refused    []Count     `json:"refused"` // requests, by reason
	Closed     []Count     `json:"closed"`  // connections, by reason
	Extras     []Extra     `json:"extras"`  // cards of parts that not every server has
	History    History     `json:"history"`
}

// A Problem is something an operator should know of.
type Problem struct {
	Text   string `json:"text"`
	Advice string `json:"advice"`
}

// Clients counts the open connections.
type Clients struct {
	All       int     `json:"all"`
	WebSocket int     `json:"websocket"`
	Polling   int     `json:"polling"`
	Protocol3 int     `json:"protocol3"`
	Protocol4 int     `json:"protocol4"`
	OpenedPS  float64 `json:"openedPS"`
	Opened    uint64  `json:"opened"`
	Upgraded  uint64  `json:"upgraded"`
}

// Traffic is what goes in and out, a second (PS) and in all.
type Traffic struct {
	DeliveriesPS    float64 `json:"deliveriesPS"`
	Deliveries      uint64  `json:"deliveries"`
	BroadcastsPS    float64 `json:"broadcastsPS"`
	ReceivedPS      float64 `json:"receivedPS"`
	Received        uint64  `json:"received"`
	BytesInPS       float64 `json:"bytesInPS"`
	BytesOutPS      float64 `json:"bytesOutPS"`
	PacketsPerWrite float64 `json:"packetsPerWrite"`
	IOUring         string  `json:"ioUring"` // empty while broadcasts leave by io_uring, or why they do not
	Errors          uint64  `json:"errors"`
}

// Slow is about clients that take less than they are sent.
type Slow struct {
	Disconnected uint64 `json:"disconnected"`
	QueueFull    uint64 `json:"queueFull"`
	WriteTimeout uint64 `json:"writeTimeout"`
	Waiting      int    `json:"waiting"` // connections with something in their outbox
	Bytes        int64  `json:"bytes"`
	Largest      int64  `json:"largest"`
	Bound        int64  `json:"bound"`
}

// Durations are quantiles in milliseconds: upper bounds of histogram buckets. Null: none measured.
type Durations struct {
	P50   *float64 `json:"p50"`
	P99   *float64 `json:"p99"`
	Count uint64   `json:"count"`
}

// Redis is the connection to the other instances.
type Redis struct {
	Joined      bool      `json:"joined"`
	SinceS      float64   `json:"sinceS"`
	Instances   int       `json:"instances"`
	LagMS       float64   `json:"lagMS"` // of the latest canary
	Lag         Durations `json:"lag"`   // of the last five minutes
	Queued      int       `json:"queued"`
	QueuedBytes int       `json:"queuedBytes"`
	PublishedPS float64   `json:"publishedPS"`
	ReceivedPS  float64   `json:"receivedPS"`
	Lost        uint64    `json:"lost"`   // dropped, and those whose fate is unknown
	Missed      uint64    `json:"missed"` // of other instances, in mode streams
	Rejected    uint64    `json:"rejected"`
	Gaps        uint64    `json:"gaps"`
	LastError   string    `json:"lastError"`
}

// Process is the program as the system sees it.
type Process struct {
	CPU        float64 `json:"cpu"` // processors in use
	Processors int     `json:"processors"`
	Resident   uint64  `json:"resident"` // bytes of the machine's memory; 0: not known here
	Memory     uint64  `json:"memory"`   // bytes that Go has from the system
	Heap       uint64  `json:"heap"`     // of these, live or not yet collected
	Goroutines int     `json:"goroutines"`
	Go         string  `json:"go"`
}

// Namespace is one namespace and its events, the busiest first.
type Namespace struct {
	Name    string  `json:"name"`
	Sockets uint64  `json:"sockets"`
	Errors  uint64  `json:"errors"`
	Events  []Event `json:"events"`
}

// Event is one event name of a namespace.
type Event struct {
	Name       string  `json:"name"`
	Sent       uint64  `json:"sent"`
	SentPS     float64 `json:"sentPS"`
	Received   uint64  `json:"received"`
	ReceivedPS float64 `json:"receivedPS"`
}

// Count is a number with a name.
type Count struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// History has one value for each interval between two samples, the latest last.
type History struct {
	StepS      float64    `json:"stepS"`
	Clients    []float64  `json:"clients"`
	Deliveries []float64  `json:"deliveries"` // a second
	Received   []float64  `json:"received"`   // a second
	LagMS      []*float64 `json:"lagMS"`      // null while not joined
	CPU        []float64  `json:"cpu"`
}

func (b *Board) makeReportLocked(now time.Time) Report {
	first, last := b.samples[0], b.samples[len(b.samples)-1]
	before := b.samples[max(len(b.samples)-2, 0)]
	live := b.sample(now)
	e := b.Server.Engine()
	census, stats := e.Census(), e.Stats()
	ps := func(of func(sample) uint64) float64 { return perSecond(before, last, of) }

	r := Report{
		Instance: b.Instance, Version: b.Version, Time: now.UTC(), UptimeS: now.Sub(b.started).Seconds(),
		Clients: Clients{
			WebSocket: census.Open[1][0] + census.Open[1][1], Polling: census.Open[0][0] + census.Open[0][1],
			Protocol3: census.Open[0][0] + census.Open[1][0], Protocol4: census.Open[0][1] + census.Open[1][1],
			Opened: live.opened, OpenedPS: ps(func(s sample) uint64 { return s.opened }), Upgraded: stats.Upgraded(),
		},
		Traffic: Traffic{
			Deliveries: live.deliveries, DeliveriesPS: ps(func(s sample) uint64 { return s.deliveries }),
			BroadcastsPS: ps(func(s sample) uint64 { return s.broadcasts }),
			Received:     live.received, ReceivedPS: ps(func(s sample) uint64 { return s.received }),
			BytesInPS: ps(func(s sample) uint64 { return s.bytesIn }), BytesOutPS: ps(func(s sample) uint64 { return s.bytesOut }),
			Errors: live.errors,
		},
		Slow: Slow{
			Disconnected: live.slow, QueueFull: stats.QueueFull(),
			Waiting: census.Waiting, Bytes: census.QueuedBytes, Largest: census.LargestQueue, Bound: b.QueueBytes,
		},
		RoundTrip: quantiles{live.roundTrip.Sub(first.roundTrip.Snapshot)}.durations(),
		Process:   processNow(perSecond(before, last, func(s sample) uint64 { return uint64(s.cpu) }) / 1e9),
		History:   b.historyLocked(),
		Extras:    b.extras(),
	}
	r.Clients.All = r.Clients.WebSocket + r.Clients.Polling
	r.Slow.WriteTimeout = max(r.Slow.Disconnected, r.Slow.QueueFull) - r.Slow.QueueFull
	if n := last.writes - before.writes; n > 0 {
		r.Traffic.PacketsPerWrite = round(float64(last.packets-before.packets) / float64(n))
	}
	if err := b.Server.Engine().IOUring(); err != nil {
		r.Traffic.IOUring = err.Error()
	}
	if b.Cluster != nil {
		r.Redis = redisReport(first, before, last, live, now)
	}
	for _, n := range live.namespaces {
		r.Namespaces = append(r.Namespaces, Namespace{
			Name: n.Name, Sockets: n.Connected - n.Disconnected, Errors: n.Errors, Events: eventsOf(n.Name, live, before, last),
		})
	}
	for reason, n := range stats.Refused() {
		r.Refused = append(r.Refused, Count{reason, n})
	}
	slices.SortFunc(r.Refused, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	for _, reason := range engineio.Reasons() {
		r.Closed = append(r.Closed, Count{string(reason), stats.Closed(reason)})
	}
	b.judge(&r, b.minuteAgoLocked(now), live)
	return r
}

func redisReport(first, before, last, live sample, now time.Time) *Redis {
	c := live.redis
	r := &Redis{
		Joined: c.Joined, SinceS: now.Sub(c.Since).Seconds(), Instances: c.Servers,
		LagMS: milliseconds(c.Lag), Lag: quantiles{c.Lags.Sub(first.redis.Lags)}.durations(),
		Queued: c.Queued, QueuedBytes: c.QueuedLen,
		PublishedPS: perSecond(before, last, func(s sample) uint64 { return s.redis.Published }),
		ReceivedPS:  perSecond(before, last, func(s sample) uint64 { return s.redis.Received }),
		Lost:        c.Dropped + c.Unknown, Missed: c.Missed, Rejected: c.Rejected, Gaps: c.Gaps,
	}
	if c.LastError != nil {
		r.LastError = c.LastError.Error()
	}
	return r
}

// eventsOf lists the events of a namespace that there were any of.
func eventsOf(namespace string, live, before, last sample) (list []Event) {
	for key, n := range live.events {
		if key[0] != namespace || n == [2]uint64{} {
			continue
		}
		list = append(list, Event{
			Name: key[1], Sent: n[0], Received: n[1],
			SentPS:     perSecond(before, last, func(s sample) uint64 { return s.events[key][0] }),
			ReceivedPS: perSecond(before, last, func(s sample) uint64 { return s.events[key][1] }),
		})
	}
	slices.SortFunc(list, func(a, b Event) int {
		return cmp.Or(cmp.Compare(b.Sent+b.Received, a.Sent+a.Received), cmp.Compare(a.Name, b.Name))
	})
	return list
}

func (b *Board) historyLocked() History {
	h := History{StepS: Interval.Seconds(), Clients: []float64{}, Deliveries: []float64{}, Received: []float64{}, LagMS: []*float64{}, CPU: []float64{}}
	for i := 1; i < len(b.samples); i++ {
		from, to := b.samples[i-1], b.samples[i]
		h.Clients = append(h.Clients, float64(to.clients))
		h.Deliveries = append(h.Deliveries, perSecond(from, to, func(s sample) uint64 { return s.deliveries }))
		h.Received = append(h.Received, perSecond(from, to, func(s sample) uint64 { return s.received }))
		h.CPU = append(h.CPU, round(perSecond(from, to, func(s sample) uint64 { return uint64(s.cpu) })/1e9))
		var lag *float64
		if to.redis.Joined {
			ms := milliseconds(to.redis.Lag)
			lag = &ms
		}
		h.LagMS = append(h.LagMS, lag)
	}
	return h
}

func perSecond(from, to sample, of func(sample) uint64) float64 {
	seconds := to.at.Sub(from.at).Seconds()
	if seconds <= 0 || of(to) < of(from) {
		return 0
	}
	return round(float64(of(to)-of(from)) / seconds)
}

// round keeps what people read: three digits behind the point are plenty.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }

func milliseconds(d time.Duration) float64 { return round(float64(d) / 1e6) }

// quantiles are what is shown of a histogram.
type quantiles struct{ histogram.Snapshot }

func (q quantiles) durations() Durations {
	d := Durations{Count: q.Count}
	if q.Count > 0 {
		p50, p99 := milliseconds(q.Quantile(0.5)), milliseconds(q.Quantile(0.99))
		d.P50, d.P99 = &p50, &p99
	}
	return d
}

func processNow(cpu float64) Process {
	s := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
	}
	metrics.Read(s)
	return Process{
		CPU: round(cpu), Processors: runtime.GOMAXPROCS(0), Resident: residentMemory(),
		Memory: s[0].Value.Uint64() - s[1].Value.Uint64(), Heap: s[2].Value.Uint64(),
		Goroutines: runtime.NumGoroutine(), Go: runtime.Version(),
	}
}
