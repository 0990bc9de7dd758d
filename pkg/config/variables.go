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
			{"NODE_PORT", "3000", "Port of the page, the clients and the health checks; 0 takes a free one.",
				integer(func(c *Config) *int { return &c.HTTP.Port }, 0, 65535)},
			{"HOST", "", "Address to listen on. Empty: all interfaces.",
				hostname(func(c *Config) *string { return &c.HTTP.Host })},
			{"METRICS_ADDR", "127.0.0.1:9464", "Separate address for operators: /status, /metrics, health checks. It has no authentication; do not expose it.",
				listenAddress(func(c *Config) *string { return &c.HTTP.MetricsAddr })},
			{"METRICS_HOSTS", "", "Names under which browsers may open METRICS_ADDR, besides IP addresses, localhost and this machine's name. Prometheus and other programs need none.",
				hostnames(func(c *Config) *[]string { return &c.HTTP.MetricsHosts })},
			{"METRICS_PPROF", "false", "Offer Go profiles on METRICS_ADDR, at /debug/pprof/.",
				boolean(func(c *Config) *bool { return &c.HTTP.Pprof })},
			{"SERVE_CLIENT", "true", "Serve the client at /socket.io/socket.io.js and its other bundles.",
				boolean(func(c *Config) *bool { return &c.HTTP.ServeClient })},
			{"DRAIN_SECONDS", "25", "Time in which SIGTERM moves clients to other instances. 0, and without Redis the default, disconnects all at once.",
				seconds(func(c *Config) *time.Duration { return &c.HTTP.Drain }, 0, anHour)},
		}},
		{"Redis", []variable{
			{"REDIS_URL", "", "Redis that connects the instances. If neither this nor REDIS_HOST and REDIS_PORT are set, the instance runs on its own.",
				redisURL(func(c *Config) **RedisTarget { return &c.Redis.URL })},
			{"REDIS_HOST", "", "Host of one Redis, instead of REDIS_URL.",
				hostname(func(c *Config) *string { return &c.Redis.Host })},
			{"REDIS_PORT", "", "Port of REDIS_HOST.",
				integer(func(c *Config) *int { return &c.Redis.Port }, 1, 65535)},
			{"REDIS_USERNAME", "", "User at REDIS_HOST. Empty: Redis' default user.",
				anyText(func(c *Config) *string { return &c.Redis.User })},
			{"REDIS_PASSWORD", "", "Password at REDIS_HOST. Empty: none.",
				secretText(func(c *Config) *Secret { return &c.Redis.Password })},
			{"REDIS_DB", "0", "Database number at REDIS_HOST.",
				integer(func(c *Config) *int { return &c.Redis.DB }, 0, 1<<31-1)},
			{"REDIS_TLS", "false", "Connect to REDIS_HOST with TLS.",
				boolean(func(c *Config) *bool { return &c.Redis.Secure })},
			{"REDIS_TLS_CA", "", "Certificate authorities that are trusted for Redis. Empty: those of this system.",
				authorities(func(c *Config) **x509.CertPool { return &c.Redis.CA })},
			{"REDIS_TLS_CERT", "", "Client certificate for Redis.",
				file(func(c *Config) *string { return &c.Redis.CertFile })},
			{"REDIS_TLS_KEY", "", "Private key of the client certificate.",
				file(func(c *Config) *string { return &c.Redis.KeyFile })},
			{"REDIS_ADAPTER", "pubsub", "How messages travel through Redis; the same on all instances. sharded is for a Redis Cluster; streams loses nothing while Redis is away.",
				oneOf(func(c *Config) *RedisAdapter { return &c.Redis.Adapter }, AdapterPubSub, AdapterSharded, AdapterStreams)},
			{"REDIS_QUEUE_BYTES", "0", "Bytes of messages that may wait while Redis is away. 0: 8 MiB, with streams 64 MiB.",
				integer(func(c *Config) *int { return &c.Redis.QueueBytes }, 0, asInt(1<<34))},
			{"REDIS_HOLD_SECONDS", "0", "Time for which messages may wait while Redis is away. 0: 10 s, with streams 600 s.",
				seconds(func(c *Config) *time.Duration { return &c.Redis.Hold }, 0, anHour)},
			{"REDIS_STREAM_LENGTH", "100000", "With streams: messages that the stream keeps for instances that lost their connection (approximate).",
				integer(func(c *Config) *int { return &c.Redis.StreamLength }, 100, 1<<30)},
			{"REDIS_STREAM_BYTES", "67108864", "With streams: bytes that the stream keeps. The lower of the two limits applies.",
				integer(func(c *Config) *int { return &c.Redis.StreamBytes }, 1<<16, asInt(1<<40))},
		}},
		betweenInstances(),
		{"Connections", []variable{
			{"TRANSPORTS", "polling,websocket", "Transports offered to clients.",
				subset(func(c *Config) *[]string { return &c.Engine.Transports }, "polling", "websocket")},
			{"PARSER", "auto", "How packets are written. auto: 3.x and 4.x clients choose between JSON and MessagePack (socket.io-msgpack-parser), 1.x and 2.x clients get JSON. msgpack: 1.x and 2.x clients get MessagePack. json: MessagePack is refused.",
				oneOf(func(c *Config) *Parser { return &c.Engine.Parser }, ParserAuto, ParserJSON, ParserMsgPack)},
			{"CORS_ORIGINS", "", "Origins of pages that may connect. Empty: any (then only 1.x and 2.x pages may send credentials).",
				origins(func(c *Config) *[]string { return &c.Engine.Origins })},
			{"PING_INTERVAL_MS", "25000", "Time between heartbeats.",
				milliseconds(func(c *Config) *time.Duration { return &c.Engine.PingInterval }, 10*time.Millisecond, aDay)},
			{"PING_TIMEOUT_MS", "20000", "How late a heartbeat may be before the client is disconnected.",
				milliseconds(func(c *Config) *time.Duration { return &c.Engine.PingTimeout }, 10*time.Millisecond, aDay)},
			{"UPGRADE_TIMEOUT_MS", "10000", "Time in which an upgrade from polling to WebSocket must finish.",
				milliseconds(func(c *Config) *time.Duration { return &c.Engine.UpgradeTimeout }, 10*time.Millisecond, anHour)},
			{"CONNECT_TIMEOUT_MS", "45000", "How long a client may stay connected without joining a namespace.",
				milliseconds(func(c *Config) *time.Duration { return &c.Engine.ConnectTimeout }, 10*time.Millisecond, anHour)},
			{"MAX_PAYLOAD_BYTES", "1000000", "Largest message and largest polling request. A client that sends more is disconnected.",
				integer(func(c *Config) *int64 { return &c.Engine.MaxPayload }, 1, 16*mebi)},
			{"IO_URING", "auto", "auto: a broadcast's deliveries share system calls (Linux' io_uring) where the kernel and the container's seccomp profile allow it; /status tells whether they do. off: each delivery is a system call of its own.",
				oneOf(func(c *Config) *IOUring { return &c.Engine.IOUring }, IOUringAuto, IOUringOff)},
			{"CLIENT_QUEUE_BYTES", "1048576", "Bytes that may wait for one slow client before it is disconnected.",
				integer(func(c *Config) *int64 { return &c.Engine.QueueBytes }, 1024, 16*1024*mebi)},
		}},
		handshakeSection(),
		recoverySection(),
		limitsSection(),
		authSection(),
		adminSection(),
		chatSection(),
		{"Log", []variable{
			{"LOG_LEVEL", "info", "Least severe level that is logged.",
				logLevel(func(c *Config) *slog.Level { return &c.Log.Level })},
			{"LOG_FORMAT", "auto", "Form of log lines. auto: terminal on a terminal (coloured unless NO_COLOR is set), JSON elsewhere. Times are local: set TZ.",
				oneOf(func(c *Config) *LogFormat { return &c.Log.Format }, LogAuto, LogTerminal, LogText, LogJSON)},
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
