package metrics

import (
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// A Kind is what a metric does over time.
type Kind string

// The kinds there are.
const (
	Counter   Kind = "counter"   // only grows, until the process starts again
	Gauge     Kind = "gauge"     // goes up and down
	Histogram Kind = "histogram" // counts durations
)

// metric is one row of the table.
type metric struct {
	Name   string
	Kind   Kind
	Labels []string
	Help   string

	desc *prometheus.Desc
}

func define(name string, kind Kind, help string, labels ...string) *metric {
	return &metric{name, kind, labels, help, prometheus.NewDesc(name, help, labels, nil)}
}

// section is a run of metrics under a heading, and when they are there.
type section struct {
	Title   string
	Metrics []*metric
}

// Markdown writes all metrics as tables.
func Markdown(w io.Writer) error {
	for _, s := range table {
		if _, err := fmt.Fprintf(w, "\n### %s\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n", s.Title); err != nil {
			return err
		}
		for _, m := range s.Metrics {
			labels := "–"
			if len(m.Labels) > 0 {
				labels = "`" + strings.Join(m.Labels, "`, `") + "`"
			}
			if _, err := fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, labels, m.Help); err != nil {
				return err
			}
		}
	}
	return nil
}

// table lists every metric of this package. It is never changed.
var table = []section{
	{"As in Node", []*metric{connected, connects, disconnects, eventsReceived, eventsSent, bytesReceived, bytesSent, failures}},
	{"Namespaces", []*metric{sockets, broadcasts, deliveries}},
	{"Connections", []*metric{connections, opened, closed, upgrades, refused, invalid, roundTrip}},
	{"Traffic", []*metric{messagesIn, bytesIn, packetsOut, bytesOut, writes}},
	{"Slow clients", []*metric{outboxBytes, outboxMax, outboxWaiting, flushWaiting, slowClients}},
	{"Redis and the other instances (only with a Redis)", []*metric{
		joined, instances, lag, queuedMessages, queuedBytes, published, received, publishErrors, rejected, gaps, overruns,
	}},
	{"The instance", []*metric{buildInfo, draining}},
}

// The metrics of the npm packages, with their spelling.
var (
	connected      = define("socket_io_connected", Gauge, "Number of currently connected sockets: open Engine.IO connections.")
	connects       = define("socket_io_connect_total", Counter, "Total count of sockets that joined a namespace.", "namespace")
	disconnects    = define("socket_io_disconnect_total", Counter, "Total count of sockets that left a namespace.", "namespace")
	eventsReceived = define("socket_io_events_received_total", Counter, "Total count of received events.", "event", "namespace")
	eventsSent     = define("socket_io_events_sent_total", Counter, "Total count of sent events, each counted for every socket it was sent to.", "event", "namespace")
	bytesReceived  = define("socket_io_recieve_bytes", Counter, "Total bytes of received events.", "event", "namespace")
	bytesSent      = define("socket_io_transmit_bytes", Counter, "Total bytes of sent events, counted for every socket.", "event", "namespace")
	failures       = define("socket_io_errors_total", Counter, "Total count of events whose handler failed.", "namespace")
)

var (
	sockets    = define("chat_sockets", Gauge, "Sockets in a namespace.", "namespace")
	broadcasts = define("chat_broadcasts_total", Counter, "Broadcasts to sockets of this instance, wherever they come from.", "namespace")
	deliveries = define("chat_deliveries_total", Counter, "Events queued for sockets: all of socket_io_events_sent_total of the namespace.", "namespace")

	connections = define("chat_connections", Gauge, "Open connections by transport (polling, websocket) and Engine.IO protocol (3, 4).", "transport", "protocol")
	opened      = define("chat_connections_opened_total", Counter, "Connections that were opened.")
	closed      = define("chat_connections_closed_total", Counter, "Connections that ended, by reason, in the words of socket.io.", "reason")
	upgrades    = define("chat_upgrades_total", Counter, "Connections that went from polling to WebSocket.")
	refused     = define("chat_requests_refused_total", Counter, "Requests that were answered with an error of the protocol. Unknown session: the client came to the wrong instance, or back after a restart.", "reason")
	invalid     = define("chat_invalid_packets_total", Counter, "Connections closed because what the client sent made no sense.")
	roundTrip   = define("chat_heartbeat_round_trip_seconds", Histogram, "How long clients take to answer a heartbeat (protocol 4).")

	messagesIn = define("chat_received_messages_total", Counter, "Engine.IO messages from clients.")
	bytesIn    = define("chat_received_bytes_total", Counter, "Their bytes.")
	packetsOut = define("chat_sent_packets_total", Counter, "Packets written to clients, heartbeats included.")
	bytesOut   = define("chat_sent_bytes_total", Counter, "Their bytes, WebSocket framing included.")
	writes     = define("chat_writes_total", Counter, "Times that a connection was written to. Packets per write show how much leaves together.")

	outboxBytes   = define("chat_outbox_bytes", Gauge, "Bytes that wait for clients.")
	outboxMax     = define("chat_outbox_max_bytes", Gauge, "Bytes that wait for the slowest client; CLIENT_QUEUE_BYTES is the bound.")
	outboxWaiting = define("chat_outbox_waiting_connections", Gauge, "Connections for which something waits.")
	flushWaiting  = define("chat_flush_waiting_connections", Gauge, "Connections that wait for their turn to be written to: many mean too little processor.")
	slowClients   = define("chat_slow_clients_total", Counter, "Clients disconnected for being slow: their queue was full, or they took nothing for long.", "reason")

	joined         = define("chat_redis_joined", Gauge, "1 while the instance is joined to the others through Redis.")
	instances      = define("chat_cluster_instances", Gauge, "Instances in the cluster, this one included, as this one sees it.")
	lag            = define("chat_redis_lag_seconds", Histogram, "How long a message of this instance takes through Redis and back, by a canary every second.")
	queuedMessages = define("chat_redis_queued_messages", Gauge, "Messages that wait to be published.")
	queuedBytes    = define("chat_redis_queued_bytes", Gauge, "Their bytes.")
	published      = define("chat_redis_published_total", Counter, "Messages that Redis has accepted.")
	received       = define("chat_redis_received_total", Counter, "Messages from other instances.")
	publishErrors  = define("chat_redis_publish_errors_total", Counter, "Messages that did not go out: dropped, or unknown when the connection broke while they were under way.", "reason")
	rejected       = define("chat_redis_rejected_total", Counter, "Messages from Redis that were malformed, too large or hostile, and dropped.")
	gaps           = define("chat_redis_gaps_total", Counter, "Times the subscriptions were lost, and with them what others published meanwhile.")
	overruns       = define("chat_redis_overruns_total", Counter, "Requests of other instances dropped because handlers here are too slow.")

	buildInfo = define("chat_build_info", Gauge, "Always 1.", "version", "goversion")
	draining  = define("chat_draining", Gauge, "1 while the instance is shutting down.")
)
