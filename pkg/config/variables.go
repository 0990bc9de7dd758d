package config

import (
	"crypto/x509"
	"log/slog"
	"time"
)

// variable is one row of the table.
type variable struct {
	name    string
	def     string // the default as one would write it; empty: none
	meaning string
	kind    kind
}

// section is a run of rows under a heading of --help and deploy/docs/settings.md.
type section struct {
	title string
	rows  []variable
}

// The limits that several rows share.
const (
	anHour = time.Hour
	aDay   = 24 * time.Hour
	mebi   = 1 << 20
)

// table lists every variable. It is the only place that knows their names.
func table() []section {
	return []section{
		{"Listening", []variable{
			{"NODE_PORT", "3000", "Port for the page, the clients and the health checks; 0 takes a free one.",
				integer(func(c *Config) *int { return &c.HTTP.Port }, 0, 65535)},
			{"HOST", "", "Address to listen on; empty for all interfaces.",
				hostname(func(c *Config) *string { return &c.HTTP.Host })},
			{"METRICS_ADDR", "127.0.0.1:9464", "Address for operators, apart from the public port: /metrics, /status, health.",
				listenAddress(func(c *Config) *string { return &c.HTTP.MetricsAddr })},
			{"METRICS_PPROF", "false", "Offer Go's profiles on it, below /debug/pprof/.",
				boolean(func(c *Config) *bool { return &c.HTTP.Pprof })},
			{"DRAIN_SECONDS", "25", "How long SIGTERM lets clients take to move to other instances; 0 sends all away at once, as the default does without Redis.",
				seconds(func(c *Config) *time.Duration { return &c.HTTP.Drain }, 0, anHour)},
		}},
		{"Redis", []variable{
			{"REDIS_URL", "", "Redis that joins several instances. Without it and the next two the instance stands alone.",
				redisURL(func(c *Config) **RedisTarget { return &c.Redis.URL })},
			{"REDIS_HOST", "", "In place of REDIS_URL: host of one Redis, without TLS and password.",
				hostname(func(c *Config) *string { return &c.Redis.Host })},
			{"REDIS_PORT", "", "Its port.",
				integer(func(c *Config) *int { return &c.Redis.Port }, 1, 65535)},
			{"REDIS_TLS_CA", "", "Who may sign Redis' certificates; empty for whom this system trusts.",
				authorities(func(c *Config) **x509.CertPool { return &c.Redis.CA })},
			{"REDIS_TLS_CERT", "", "Certificate that this server shows to Redis.",
				file(func(c *Config) *string { return &c.Redis.CertFile })},
			{"REDIS_TLS_KEY", "", "Its private key.",
				file(func(c *Config) *string { return &c.Redis.KeyFile })},
			{"REDIS_ADAPTER", "pubsub", "How messages go through Redis, the same for all: sharded is for a Redis Cluster; streams loses nothing while Redis is away.",
				oneOf(func(c *Config) *RedisAdapter { return &c.Redis.Adapter }, AdapterPubSub, AdapterSharded, AdapterStreams)},
			{"REDIS_QUEUE_BYTES", "0", "How much may wait while Redis is away; 0: 8 MiB, with streams 64 MiB.",
				integer(func(c *Config) *int { return &c.Redis.QueueBytes }, 0, 1<<34)},
			{"REDIS_HOLD_SECONDS", "0", "How long it may wait; 0: 10, with streams 600.",
				seconds(func(c *Config) *time.Duration { return &c.Redis.Hold }, 0, anHour)},
			{"REDIS_STREAM_LENGTH", "100000", "How many messages the stream keeps for instances that are cut off, about.",
				integer(func(c *Config) *int { return &c.Redis.StreamLength }, 100, 1<<30)},
			{"REDIS_STREAM_BYTES", "67108864", "The same in bytes; the lower counts.",
				integer(func(c *Config) *int { return &c.Redis.StreamBytes }, 1<<16, 1<<40)},
		}},
		betweenInstances(),
		{"Connections", []variable{
			{"TRANSPORTS", "polling,websocket", "Transports offered to clients.",
				subset(func(c *Config) *[]string { return &c.Engine.Transports }, "polling", "websocket")},
			{"CORS_ORIGINS", "", "Pages that may connect, by origin; empty for any (only 1.x and 2.x pages then with credentials).",
				origins(func(c *Config) *[]string { return &c.Engine.Origins })},
			{"PING_INTERVAL_MS", "25000", "Time between heartbeats.",
				milliseconds(func(c *Config) *time.Duration { return &c.Engine.PingInterval }, 10*time.Millisecond, aDay)},
			{"PING_TIMEOUT_MS", "20000", "How late a heartbeat may be before the client counts as gone.",
				milliseconds(func(c *Config) *time.Duration { return &c.Engine.PingTimeout }, 10*time.Millisecond, aDay)},
			{"UPGRADE_TIMEOUT_MS", "10000", "How long a change from polling to WebSocket may take.",
				milliseconds(func(c *Config) *time.Duration { return &c.Engine.UpgradeTimeout }, 10*time.Millisecond, anHour)},
			{"CONNECT_TIMEOUT_MS", "45000", "How long a client may stay without joining a namespace.",
				milliseconds(func(c *Config) *time.Duration { return &c.Engine.ConnectTimeout }, 10*time.Millisecond, anHour)},
			{"MAX_PAYLOAD_BYTES", "1000000", "Largest message, and largest polling request; who sends more is disconnected.",
				integer(func(c *Config) *int64 { return &c.Engine.MaxPayload }, 1, 1024*mebi)},
			{"CLIENT_QUEUE_BYTES", "1048576", "How much may wait for one slow client before it is disconnected.",
				integer(func(c *Config) *int64 { return &c.Engine.QueueBytes }, 1024, 16*1024*mebi)},
		}},
		handshakeSection(),
		recoverySection(),
		limitsSection(),
		authSection(),
		adminSection(),
		{"Chat", []variable{
			{"CHAT_JOIN_NOTICE", "true", "Tell everybody when somebody joins (costs n²/2 deliveries when n clients come).",
				boolean(func(c *Config) *bool { return &c.Chat.JoinNotice })},
			{"CHAT_STRICT", "false", "Refuse messages that are not objects with a string name and a string text.",
				boolean(func(c *Config) *bool { return &c.Chat.Strict })},
			{"CHAT_NAME_LENGTH", "100", "With CHAT_STRICT: most characters of a name; 0 for any number.",
				integer(func(c *Config) *int { return &c.Chat.NameLength }, 0, 1_000_000)},
			{"CHAT_TEXT_LENGTH", "10000", "With CHAT_STRICT: most characters of a text; 0 for any number.",
				integer(func(c *Config) *int { return &c.Chat.TextLength }, 0, 1_000_000_000)},
		}},
		{"Log", []variable{
			{"LOG_LEVEL", "info", "Least severe level that is logged.",
				logLevel(func(c *Config) *slog.Level { return &c.Log.Level })},
			{"LOG_FORMAT", "auto", "Form of a log line; auto is text on a terminal and JSON elsewhere.",
				oneOf(func(c *Config) *LogFormat { return &c.Log.Format }, LogAuto, LogText, LogJSON)},
		}},
	}
}

// variables is the table without its headings.
func variables() []variable {
	var all []variable
	for _, s := range table() {
		all = append(all, s.rows...)
	}
	return all
}
