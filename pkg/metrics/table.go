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
	{"Traffic", []*metric{messagesIn, bytesIn, packetsOut, bytesOut, writes, batchedWrites, ioUring}},
	{"Slow clients", []*metric{outboxBytes, outboxMax, outboxWaiting, flushWaiting, slowClients}},
	{"Redis and the other instances (only with a Redis)", []*metric{
		joined, instances, lag, queuedMessages, queuedBytes, published, received, publishErrors, missed, rejected, gaps, overruns,
	}},
	{"Sessions of other instances (only with a Redis, unless CLUSTER_ADDR is off)", []*metric{
		forwarded, forwardFailures, forwardServed, forwardIntruders, forwardTunnels, forwardPeers, forwardRegistered,
	}},
	{"Recovery (only with RECOVERY_SECONDS)", []*metric{
		recovered, recoveryRefused, replayed, parked, handedOver, storedSessions, awaySessions, keptPackets, keptBytes,
	}},
	{"Limits", []*metric{limited, slowedMessages, slowedSeconds, untrustedHeaders, addresses}},
	{"Authentication", []*metric{authAccepted, authRefused, authExpired, authRenewed, authRevoked, authKeys, keyReads, keyReadFailures, messagesRefused, namesReplaced}},
	{"Memory (only with a limit)", []*metric{memoryLimit, memoryUsed, memoryRefused, memoryShed, memoryShedBytes}},
	{"The instance", []*metric{buildInfo, draining}},
}

// The metrics of the npm packages, with their spelling.
var (
	connected      = define("socket_io_connected", Gauge, "Number of currently connected sockets: open Engine.IO connections.")
	connects       = define("socket_io_connect_total", Counter, "Total count of sockets that joined a namespace.", "namespace")
	disconnects    = define("socket_io_disconnect_total", Counter, "Total count of sockets that left a namespace.", "namespace")
	eventsReceived = define("socket_io_events_received_total", Counter, "Total count of received events.", "event", "namespace")
	eventsSent     = define("socket_io_events_sent_total", Counter, "Total count of sent events, each counted for every socket it was sent to.", "event", "namespace")
	bytesReceived  = define("socket_io_recieve_bytes", Counter, "Total bytes of received events.", "event", "namespace") //nolint:misspell // theirs
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
	upgrades    = define("chat_upgrades_total", Counter, "Connections that were upgraded from polling to WebSocket.")
	refused     = define("chat_requests_refused_total", Counter, "Requests answered with a protocol error. Unknown session: the request reached an instance that does not have it, or a restarted one.", "reason")
	invalid     = define("chat_invalid_packets_total", Counter, "Connections closed because the client sent an invalid packet.")
	roundTrip   = define("chat_heartbeat_round_trip_seconds", Histogram, "How long clients take to answer a heartbeat (protocol 4).")

	messagesIn = define("chat_received_messages_total", Counter, "Engine.IO messages from clients.")
	bytesIn    = define("chat_received_bytes_total", Counter, "Their bytes.")
	packetsOut = define("chat_sent_packets_total", Counter, "Packets written to clients, heartbeats included.")
	bytesOut   = define("chat_sent_bytes_total", Counter, "Their bytes, WebSocket framing included.")
	writes     = define("chat_writes_total", Counter, "Write operations. Packets per write show how well packets are batched.")

	batchedWrites = define("chat_writes_batched_total", Counter, "Of them, those that shared a system call with others, by io_uring.")
	ioUring       = define("chat_io_uring", Gauge, "1 while broadcasts leave by io_uring; /status tells why they do not.")

	outboxBytes   = define("chat_outbox_bytes", Gauge, "Bytes queued for clients.")
	outboxMax     = define("chat_outbox_max_bytes", Gauge, "Bytes queued for the slowest client; the limit is CLIENT_QUEUE_BYTES.")
	outboxWaiting = define("chat_outbox_waiting_connections", Gauge, "Connections with a non-empty queue.")
	flushWaiting  = define("chat_flush_waiting_connections", Gauge, "Connections waiting for a writer goroutine. Many: this machine needs more CPU.")
	slowClients   = define("chat_slow_clients_total", Counter, "Clients disconnected as too slow: their queue was full, or they read nothing for too long.", "reason")

	joined         = define("chat_redis_joined", Gauge, "1 while the instance is joined to the cluster through Redis.")
	instances      = define("chat_cluster_instances", Gauge, "Instances in the cluster as this one sees it, itself included.")
	lag            = define("chat_redis_lag_seconds", Histogram, "Time for a message to go through Redis and back, measured by a probe every second.")
	queuedMessages = define("chat_redis_queued_messages", Gauge, "Messages waiting to be published.")
	queuedBytes    = define("chat_redis_queued_bytes", Gauge, "Their bytes.")
	published      = define("chat_redis_published_total", Counter, "Messages accepted by Redis.")
	received       = define("chat_redis_received_total", Counter, "Messages from other instances.")
	publishErrors  = define("chat_redis_publish_errors_total", Counter, "Messages that were not published: dropped, or unknown if the connection broke while they were being sent.", "reason")
	rejected       = define("chat_redis_rejected_total", Counter, "Messages from Redis dropped as malformed or too large.")
	gaps           = define("chat_redis_gaps_total", Counter, "Times the subscription was interrupted. Messages published meanwhile by other instances are lost, except with streams.")
	overruns       = define("chat_redis_overruns_total", Counter, "Requests of other instances dropped because handlers on this one are too slow.")

	missed = define("chat_redis_missed_total", Counter, "Broadcasts of other instances that are known to be missing (REDIS_ADAPTER=streams).")

	forwarded         = define("chat_forwarded_total", Counter, "Requests forwarded to the instance that owns the session: poll, post, upgrade (a WebSocket), refused upgrade.", "kind")
	forwardFailures   = define("chat_forward_failures_total", Counter, "Forwarded requests without an answer, by reason. The client was told that its session is unknown, or had disconnected.", "reason")
	forwardServed     = define("chat_forward_served_total", Counter, "Requests answered on behalf of other instances.")
	forwardIntruders  = define("chat_forward_intruders_total", Counter, "Connections to CLUSTER_ADDR that failed to authenticate as an instance.")
	forwardTunnels    = define("chat_forward_tunnels", Gauge, "WebSockets forwarded through this instance to another.")
	forwardPeers      = define("chat_forward_peers", Gauge, "Other instances that requests can be forwarded to.")
	forwardRegistered = define("chat_forward_registered", Gauge, "1 while this instance is registered, so that others can forward requests to it.")

	recovered       = define("chat_recovery_recovered_total", Counter, "Clients whose session was recovered, from this instance or from another.", "from")
	recoveryRefused = define("chat_recovery_refused_total", Counter, "Clients that asked for recovery and got a new session, by reason.", "reason")
	replayed        = define("chat_recovery_replayed_total", Counter, "Packets replayed to recovered clients.")
	parked          = define("chat_recovery_parked_total", Counter, "Sessions kept for recovery after their connection broke.")
	handedOver      = define("chat_recovery_handed_over_total", Counter, "Sessions handed over to other instances.")
	storedSessions  = define("chat_recovery_stored_total", Counter, "Sessions stored in Redis when this instance shut down.")
	awaySessions    = define("chat_recovery_sessions", Gauge, "Sessions of clients that are disconnected now.")
	keptPackets     = define("chat_recovery_packets", Gauge, "Packets kept for them.")
	keptBytes       = define("chat_recovery_bytes", Gauge, "Memory of both; the limit is RECOVERY_BYTES.")

	limited          = define("chat_limited_total", Counter, "Refusals by a limit: connections, handshakes, payloads, control frames, attachments, namespaces, rooms; idle (HTTP connections closed early), descriptors; pages (of other servers, which this address does not answer).", "limit")
	slowedMessages   = define("chat_slowed_messages_total", Counter, "Messages delayed because their client sends too many.")
	slowedSeconds    = define("chat_slowed_seconds_total", Counter, "Total delay of these messages.")
	untrustedHeaders = define("chat_untrusted_proxy_headers_total", Counter, "Requests whose proxy headers were ignored: the peer is not in TRUSTED_PROXIES.")
	addresses        = define("chat_addresses", Gauge, "Client addresses with counters at present.")

	authAccepted    = define("chat_auth_accepted_total", Counter, "Clients with a valid token (only with AUTH_JWT_…, like the next five).")
	authRefused     = define("chat_auth_refused_total", Counter, "Clients refused because of their token, by reason.", "reason")
	authExpired     = define("chat_auth_expired_total", Counter, "Clients disconnected when their token expired.")
	authRenewed     = define("chat_auth_renewed_total", Counter, "Tokens that clients renewed without reconnecting.")
	authRevoked     = define("chat_auth_revoked_total", Counter, "Clients disconnected when the key of their token was revoked.")
	authKeys        = define("chat_auth_keys", Gauge, "Keys for checking tokens.")
	keyReads        = define("chat_auth_key_reads_total", Counter, "Reads of the key set.")
	keyReadFailures = define("chat_auth_key_read_failures_total", Counter, "Failed reads of the key set.")
	messagesRefused = define("chat_messages_refused_total", Counter, "Messages refused: invalid (CHAT_STRICT), or unnamed (the sender has no name).", "reason")
	namesReplaced   = define("chat_names_replaced_total", Counter, "Messages sent under another name, relayed with the sender's own name.")

	buildInfo = define("chat_build_info", Gauge, "Always 1.", "version", "goversion")
	draining  = define("chat_draining", Gauge, "1 while the instance is shutting down.")
)
