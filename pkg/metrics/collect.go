package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/histogram"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
)

// sink is where a scrape's numbers go.
type sink struct{ ch chan<- prometheus.Metric }

func (s sink) send(m *metric, value float64, labels ...string) {
	kind := prometheus.GaugeValue
	if m.Kind == Counter {
		kind = prometheus.CounterValue
	}
	c, err := prometheus.NewConstMetric(m.desc, kind, value, labels...)
	if err != nil { // a name that is no UTF-8: JSON texts are
		c = prometheus.NewInvalidMetric(m.desc, err)
	}
	s.ch <- c
}

func (s sink) count(m *metric, value uint64, labels ...string) { s.send(m, float64(value), labels...) }

func (s sink) durations(m *metric, h histogram.Snapshot) {
	buckets := make(map[float64]uint64, len(h.Buckets))
	for i, n := range h.Buckets {
		buckets[histogram.Bounds[i].Seconds()] = n
	}
	s.ch <- prometheus.MustNewConstHistogram(m.desc, h.Count, h.Sum.Seconds(), buckets) // without labels it cannot fail
}

func (s sink) socketIO(stats socketio.Stats) {
	s.count(invalid, stats.Invalid)
	for _, n := range stats.Namespaces {
		s.count(connects, n.Connected, n.Name)
		s.count(disconnects, n.Disconnected, n.Name)
		s.count(sockets, n.Connected-n.Disconnected, n.Name)
		s.count(broadcasts, n.Broadcasts, n.Name)
		s.count(failures, n.Errors, n.Name)
		for event, e := range n.Received {
			s.count(eventsReceived, e.Events, event, n.Name)
			s.count(bytesReceived, e.Bytes, event, n.Name)
		}
		all := uint64(0)
		for event, e := range n.Sent {
			s.count(eventsSent, e.Events, event, n.Name)
			s.count(bytesSent, e.Bytes, event, n.Name)
			all += e.Events
		}
		s.count(deliveries, all, n.Name)
	}
}

func (s sink) engine(e *engineio.Server) {
	stats := e.Stats()
	s.count(opened, stats.Opened())
	for _, reason := range engineio.Reasons() {
		s.count(closed, stats.Closed(reason), string(reason))
	}
	s.count(upgrades, stats.Upgraded())
	for reason, n := range stats.Refused() {
		s.count(refused, n, reason)
	}
	full := stats.QueueFull()
	s.count(slowClients, full, "queue full")
	s.count(slowClients, max(stats.Closed(engineio.SlowClient), full)-full, "write timeout")
	s.durations(roundTrip, stats.RoundTrip())

	messages, bytes := stats.Received()
	s.count(messagesIn, messages)
	s.count(bytesIn, bytes)
	sent := e.Sent()
	s.count(packetsOut, sent.Frames)
	s.count(bytesOut, sent.Bytes)
	s.count(writes, sent.Writes)
	s.count(batchedWrites, sent.Batched)
	s.send(ioUring, boolean(e.IOUring() == nil))

	n, all := e.Census(), 0
	for t, transport := range []string{engineio.Polling, engineio.WebSocket} {
		for p, protocol := range []string{"3", "4"} {
			all += n.Open[t][p]
			s.send(connections, float64(n.Open[t][p]), transport, protocol)
		}
	}
	s.send(connected, float64(all))
	s.send(outboxBytes, float64(n.QueuedBytes))
	s.send(outboxMax, float64(n.LargestQueue))
	s.send(outboxWaiting, float64(n.Waiting))
	s.send(flushWaiting, float64(n.Scheduled))
}

func (s sink) cluster(c redisadapter.Status) {
	s.send(joined, boolean(c.Joined))
	s.send(instances, float64(c.Servers))
	s.durations(lag, c.Lags)
	s.send(queuedMessages, float64(c.Queued))
	s.send(queuedBytes, float64(c.QueuedLen))
	s.count(published, c.Published)
	s.count(received, c.Received)
	s.count(publishErrors, c.Dropped, "dropped")
	s.count(publishErrors, c.Unknown, "unknown")
	s.count(missed, c.Missed)
	s.count(rejected, c.Rejected)
	s.count(gaps, c.Gaps)
	s.count(overruns, c.Overruns)
}
