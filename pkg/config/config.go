package config

import (
	"log/slog"
	"net"
	"strconv"
	"time"
)

// Config is everything the server can be told from outside. Load fills every field; the
// zero value is not a usable configuration. Limits of the values are those of the
// variables' table.
type Config struct {
	HTTP    HTTP
	Redis   Redis
	Cluster Cluster
	Engine  Engine
	Limits  Limits

	Handshake Handshake

	Recovery Recovery

	Auth  Auth
	Admin Admin
	Chat  Chat
	Log   Log

	// Warnings are sentences for the log, about settings that are probably not meant so.
	Warnings []string

	given []setting
}

// HTTP is where the server listens.
type HTTP struct {
	Host         string   // empty: all interfaces
	Port         int      // 0: a free one, for tests
	MetricsAddr  string   // host:port of the operators' address; empty: none
	MetricsHosts []string // names under which browsers may open it
	Pprof        bool     // offer Go's profiles there
	ServeClient  bool     // serve the client bundles

	Drain time.Duration // how long clients may take to move away when the server ends
}

// Addr is the address to listen on, as net.Listen takes it.
func (h HTTP) Addr() string { return net.JoinHostPort(h.Host, strconv.Itoa(h.Port)) }

// Engine is what the connections' protocol can be tuned with.
type Engine struct {
	PingInterval   time.Duration
	PingTimeout    time.Duration
	UpgradeTimeout time.Duration
	ConnectTimeout time.Duration
	MaxPayload     int64    // bytes of one message or one polling request
	QueueBytes     int64    // bytes that may wait for one client
	Transports     []string // of "polling" and "websocket", at least one
	Parser         Parser   // how packets are written
	Origins        []string // exact origins of pages that may connect; empty: any
	IOUring        IOUring  // whether broadcasts leave by io_uring
}

// IOUring tells whether broadcasts leave by io_uring(7).
type IOUring string

// When they do.
const (
	IOUringAuto IOUring = "auto" // where the system lets them
	IOUringOff  IOUring = "off"  // never
)

// Parser is how packets are written.
type Parser string

// The parsers.
const (
	ParserAuto    Parser = "auto"    // clients that speak first choose
	ParserJSON    Parser = "json"    // no MessagePack
	ParserMsgPack Parser = "msgpack" // MessagePack for those that do not speak first, too
)

// Log is what is logged, and how it looks.
type Log struct {
	Level  slog.Level
	Format LogFormat
}

// LogFormat is the form of a log line.
type LogFormat string

// The forms of a log line. LogAuto is LogTerminal on a terminal and LogJSON elsewhere.
const (
	LogAuto     LogFormat = "auto"
	LogTerminal LogFormat = "terminal" // for people
	LogText     LogFormat = "text"     // name=value, for grep and simple parsers
	LogJSON     LogFormat = "json"
)

// setting is one variable that somebody set.
type setting struct {
	name, value string // value is already safe to show
	source      string // "environment" or the name of the file
}

// IsSet tells whether the variable was given a value, by the environment or the file.
func (c Config) IsSet(name string) bool {
	for _, s := range c.given {
		if s.name == name {
			return true
		}
	}
	return false
}

// LogValue shows what was set, and where; secrets are hidden and defaults left out.
func (c Config) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, len(c.given))
	for _, s := range c.given {
		attrs = append(attrs, slog.String(s.name, s.value+" ("+s.source+")"))
	}
	return slog.GroupValue(attrs...)
}
