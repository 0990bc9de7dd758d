package config

import (
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// defaults is what a server without any setting does; the figures are those of
// socket.io 4.8 and of the seed.
func defaults() Config {
	return Config{
		HTTP: HTTP{Port: 3000, MetricsAddr: "127.0.0.1:9464", ServeClient: true, Drain: 25 * time.Second},
		Engine: Engine{
			PingInterval:   25 * time.Second,
			PingTimeout:    20 * time.Second,
			UpgradeTimeout: 10 * time.Second,
			ConnectTimeout: 45 * time.Second,
			Parser:         ParserAuto,
			MaxPayload:     1e6,
			QueueBytes:     1 << 20,
			Transports:     []string{"polling", "websocket"},
			Origins:        []string{},
			IOUring:        IOUringAuto,
		},
		Handshake: Handshake{Cookie: "io", CookieProtocols: []int{3}, Protocols: []int{3, 4}, HeadBytes: 16 << 10, Parameters: 100},
		Recovery:  Recovery{Bytes: 64 << 20},
		Redis:     Redis{Adapter: AdapterPubSub, StreamLength: 100_000, StreamBytes: 64 << 20},
		Limits: Limits{
			Connections: 100_000, AddressConnections: 1000, Handshakes: 5000, AddressHandshakes: 100, ProxyHeader: XForwardedFor,
			Messages: 1000, MessageBurst: 5000, Attachments: 10, Bytes: 500_000, Deliveries: 200_000_000, ControlFrames: 100, AttachmentTime: 60 * time.Second, Arguments: 1000, AuthBytes: 32 << 10,
			Namespaces: 20, Rooms: 1000,
			HeaderTime: 60 * time.Second, BodyTime: 30 * time.Second, IdleTime: 75 * time.Second,
		},
		Admin: Admin{Mode: AdminProduction},
		Auth:  Auth{NameClaim: "name", Refresh: 15 * time.Minute, Warn: time.Minute},
		Chat:  Chat{JoinNotice: true, NameLength: 100, TextLength: 10_000, HistoryAge: 24 * time.Hour, HistoryBytes: 64 << 20, Presence: true, Rooms: true},
		Log:   Log{Level: slog.LevelInfo, Format: LogAuto},
	}
}

// withoutTrail drops what Load remembers about where values came from.
func withoutTrail(c Config) Config {
	c.given = nil
	return c
}

func TestDefaults(t *testing.T) {
	for name, environ := range map[string][]string{
		"nothing set":       nil,
		"everything empty":  {"NODE_PORT=", "REDIS_HOST=", "REDIS_PORT= ", "CORS_ORIGINS=", "TRANSPORTS=", "LOG_LEVEL="},
		"unrelated is fine": {"HOME=/root", "PORT=1", "PATH=/bin", "NODE_ENV=production", "no equals sign", "=C:=C:\\"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(environ, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := withoutTrail(c); !reflect.DeepEqual(got, defaults()) {
				t.Errorf("got %+v\nwant %+v", got, defaults())
			}
		})
	}
}

func TestAcceptedValues(t *testing.T) {
	for _, tt := range []struct {
		environ []string
		want    func(*Config)
	}{
		{[]string{"NODE_PORT=0"}, func(c *Config) { c.HTTP.Port = 0 }},
		{[]string{"NODE_PORT= 65535 "}, func(c *Config) { c.HTTP.Port = 65535 }},
		{[]string{"HOST=127.0.0.1"}, func(c *Config) { c.HTTP.Host = "127.0.0.1" }},
		{[]string{"HOST=::1"}, func(c *Config) { c.HTTP.Host = "::1" }},
		{[]string{"HOST=chat_1.internal"}, func(c *Config) { c.HTTP.Host = "chat_1.internal" }},
		{[]string{"METRICS_ADDR=:9100"}, func(c *Config) { c.HTTP.MetricsAddr = ":9100" }},
		{[]string{"METRICS_ADDR=[::1]:0"}, func(c *Config) { c.HTTP.MetricsAddr = "[::1]:0" }},
		{[]string{"METRICS_ADDR=Off"}, func(c *Config) { c.HTTP.MetricsAddr = "" }},
		{[]string{"REDIS_ADAPTER=Streams", "REDIS_HOLD_SECONDS=60", "REDIS_STREAM_LENGTH=5000"}, func(c *Config) {
			c.Redis.Adapter, c.Redis.Hold, c.Redis.StreamLength = AdapterStreams, time.Minute, 5000
		}},
		{[]string{"REDIS_HOST=redis", "REDIS_PORT=10300"}, func(c *Config) { c.Redis.Host, c.Redis.Port = "redis", 10300 }},
		{[]string{"REDIS_ADAPTER=Sharded"}, func(c *Config) { c.Redis.Adapter = AdapterSharded }},
		{[]string{"PING_INTERVAL_MS=10"}, func(c *Config) { c.Engine.PingInterval = 10 * time.Millisecond }},
		{[]string{"PING_TIMEOUT_MS=86400000"}, func(c *Config) { c.Engine.PingTimeout = 24 * time.Hour }},
		{[]string{"UPGRADE_TIMEOUT_MS=3600000"}, func(c *Config) { c.Engine.UpgradeTimeout = time.Hour }},
		{[]string{"IO_URING=off"}, func(c *Config) { c.Engine.IOUring = IOUringOff }},
		{[]string{"PARSER=msgpack"}, func(c *Config) { c.Engine.Parser = ParserMsgPack }},
		{[]string{"CONNECT_TIMEOUT_MS=1500"}, func(c *Config) { c.Engine.ConnectTimeout = 1500 * time.Millisecond }},
		{[]string{"MAX_PAYLOAD_BYTES=1"}, func(c *Config) { c.Engine.MaxPayload = 1 }},
		{[]string{"MAX_PAYLOAD_BYTES=5000000", "CLIENT_QUEUE_BYTES=5000000"}, func(c *Config) {
			c.Engine.MaxPayload, c.Engine.QueueBytes = 5e6, 5e6
		}},
		{[]string{"TRANSPORTS=WebSocket"}, func(c *Config) { c.Engine.Transports = []string{"websocket"} }},
		{[]string{"TRANSPORTS=websocket, polling,"}, func(c *Config) { c.Engine.Transports = []string{"websocket", "polling"} }},
		{[]string{"CORS_ORIGINS=*"}, func(*Config) {}},
		{[]string{"CORS_ORIGINS=HTTPS://Chat.Example:443, http://localhost:3000,https://chat.example,http://[::1]:80"}, func(c *Config) {
			c.Engine.Origins = []string{"https://chat.example", "http://localhost:3000", "http://[::1]"}
		}},
		{[]string{"CORS_ORIGINS=capacitor://localhost"}, func(c *Config) { c.Engine.Origins = []string{"capacitor://localhost"} }},
		{[]string{"RECOVERY_SECONDS=120", "RECOVERY_BYTES=1000000"}, func(c *Config) {
			c.Recovery = Recovery{2 * time.Minute, 1e6}
		}},
		{[]string{"CHAT_TITLE=우리 <팀> & co"}, func(c *Config) { c.Chat.Title = "우리 <팀> & co" }},
		{[]string{"CHAT_JOIN_NOTICE=off"}, func(c *Config) { c.Chat.JoinNotice = false }},
		{[]string{"CHAT_JOIN_NOTICE=YES"}, func(*Config) {}},
		{[]string{"LOG_LEVEL=DEBUG", "LOG_FORMAT=json"}, func(c *Config) { c.Log = Log{slog.LevelDebug, LogJSON} }},
		{[]string{"NODE_PORT=1", "NODE_PORT=2"}, func(c *Config) { c.HTTP.Port = 1 }},
	} {
		t.Run(strings.Join(tt.environ, " "), func(t *testing.T) {
			want := defaults()
			tt.want(&want)
			c, err := Load(tt.environ, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := withoutTrail(c); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestRefusedValues(t *testing.T) {
	for _, tt := range []struct {
		environ string // separated by spaces
		want    string // the whole problem
	}{
		{"NODE_PORT=http", `NODE_PORT="http": must be a whole number from 0 to 65535`},
		{"NODE_PORT=65536", `NODE_PORT="65536": must be a whole number from 0 to 65535`},
		{"NODE_PORT=-1", `NODE_PORT="-1": must be a whole number from 0 to 65535`},
		{"NODE_PORT=3e3", `NODE_PORT="3e3": must be a whole number from 0 to 65535`},
		{"NODE_PORT=99999999999999999999", `NODE_PORT="99999999999999999999": must be a whole number from 0 to 65535`},
		{"HOST=[::1]", `HOST="[::1]": must be a host name or an IP address, without a port`},
		{"HOST=localhost:3000", `HOST="localhost:3000": must be a host name or an IP address, without a port`},
		{"METRICS_ADDR=9464", `METRICS_ADDR="9464": must be host:port, :port for all interfaces, or off`},
		{"METRICS_ADDR=a/b:1", `METRICS_ADDR="a/b:1": must be host:port, :port for all interfaces, or off ("a/b" is not a host name or an IP address)`},
		{"METRICS_ADDR=:70000", `METRICS_ADDR=":70000": must be host:port, :port for all interfaces, or off ("70000" is not a port from 0 to 65535)`},
		{"REDIS_HOST=redis", "REDIS_HOST: is set but REDIS_PORT is not; set both to join instances through Redis, or neither for one instance in memory"},
		{"REDIS_PORT=6379", "REDIS_PORT: is set but REDIS_HOST is not; set both to join instances through Redis, or neither for one instance in memory"},
		{"REDIS_HOST=redis REDIS_PORT=0", `REDIS_PORT="0": must be a whole number from 1 to 65535`},
		{"REDIS_HOST=redis REDIS_PORT=tcp://10.0.0.1:6379", `REDIS_PORT="tcp://10.0.0.1:6379": must be a whole number from 1 to 65535 (this is an address; in Kubernetes a service of that name sets it, enableServiceLinks: false prevents that)`},
		{"REDIS_HOST=redis://redis REDIS_PORT=6379", `REDIS_HOST="redis://redis": must be a host name or an IP address, without a port`},
		{"REDIS_ADAPTER=cluster", `REDIS_ADAPTER="cluster": must be pubsub, sharded or streams`},
		{"PING_INTERVAL_MS=25s", `PING_INTERVAL_MS="25s": must be a whole number of milliseconds from 10 to 86400000`},
		{"PING_TIMEOUT_MS=0", `PING_TIMEOUT_MS="0": must be a whole number of milliseconds from 10 to 86400000`},
		{"TRANSPORTS=polling,sse", `TRANSPORTS="polling,sse": must be one or more of polling, websocket, separated by commas ("sse" is none of them)`},
		{"TRANSPORTS=polling,polling", `TRANSPORTS="polling,polling": must be one or more of polling, websocket, separated by commas ("polling" is there twice)`},
		{"TRANSPORTS=,", `TRANSPORTS=",": must be one or more of polling, websocket, separated by commas`},
		{"CORS_ORIGINS=chat.example", `CORS_ORIGINS="chat.example": must be origins such as https://chat.example, separated by commas ("chat.example" is not scheme://host or scheme://host:port)`},
		{"CORS_ORIGINS=https://a.example/", `CORS_ORIGINS="https://a.example/": must be origins such as https://chat.example, separated by commas ("https://a.example/" has more than scheme, host and port; not even a slash may follow)`},
		{"CORS_ORIGINS=https://*.example", `CORS_ORIGINS="https://*.example": must be origins such as https://chat.example, separated by commas ("https://*.example" has a wildcard; list each origin in full)`},
		{"CORS_ORIGINS=https://a.example,*", `CORS_ORIGINS="https://a.example,*": must be origins such as https://chat.example, separated by commas ("*" means any origin and stands alone)`},
		{"CORS_ORIGINS=https://채팅.example", `CORS_ORIGINS="https://채팅.example": must be origins such as https://chat.example, separated by commas ("https://채팅.example" has a host that browsers send in another form; write international names as xn--…)`},
		{"CORS_ORIGINS=null", `CORS_ORIGINS="null": must be origins such as https://chat.example, separated by commas ("null" is not scheme://host or scheme://host:port)`},
		{"CHAT_JOIN_NOTICE=maybe", `CHAT_JOIN_NOTICE="maybe": must be true or false (also 1 or 0, yes or no, on or off)`},
		{"LOG_LEVEL=info+2", `LOG_LEVEL="info+2": must be debug, info, warn or error`},
		{"LOG_FORMAT=xml", `LOG_FORMAT="xml": must be auto, terminal, text or json`},
		{"CLIENT_QUEUE_BYTES=2000", "CLIENT_QUEUE_BYTES and MAX_PAYLOAD_BYTES: a client's queue must hold at least one message of the largest size; raise the first or lower the second"},
	} {
		t.Run(tt.environ, func(t *testing.T) {
			_, err := Load(strings.Split(tt.environ, " "), "")
			var bad *Error
			if !errors.As(err, &bad) {
				t.Fatalf("error is %v, want an *Error", err)
			}
			if len(bad.Problems) != 1 || bad.Problems[0].String() != tt.want {
				t.Errorf("got %q\nwant %q", bad.Problems, tt.want)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := Load([]string{"NODE_PORT=x", "REDIS_HOST=redis", "LOG_LEVEL=loud", "MAX_PAYLOAD_BYTES=" + strings.Repeat("9", 200)}, "")
	want := `the configuration has 3 problems (--help NAME explains a variable):
  NODE_PORT="x": must be a whole number from 0 to 65535
  MAX_PAYLOAD_BYTES="` + strings.Repeat("9", 80) + `…": must be a whole number from 1 to 16777216
  LOG_LEVEL="loud": must be debug, info, warn or error`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	_, err = Load([]string{"NODE_PORT=\n"}, "")
	if err != nil {
		t.Errorf("white space is not empty: %v", err)
	}
}

func TestMisspeltNames(t *testing.T) {
	for name, ours := range map[string]string{
		"REDIS_PROT":           "REDIS_PORT",
		"REDISHOST":            "REDIS_HOST",
		"NODEPORT":             "NODE_PORT",
		"CORS_ORIGIN":          "CORS_ORIGINS",
		"MAX_PAYLOAD_BYTE":     "MAX_PAYLOAD_BYTES",
		"PING_INTERVALL_MS":    "PING_INTERVAL_MS",
		"HOSTS":                "HOST",
		"HOME":                 "",
		"PORT":                 "",
		"HOSTNAME":             "",
		"LOGNAME":              "",
		"NODE_PATH":            "",
		"REDIS_PORT_6379_TCP":  "",
		"NODE_ENV":             "",
		"LOG_LEVEL":            "",
		"npm_config_loglevel":  "",
		"KUBERNETES_PORT":      "",
		"MAX_PAYLOAD":          "",
		"COMPOSE_PROJECT_NAME": "",
	} {
		c, _ := Load([]string{name + "=info"}, "")
		if ours == "" {
			if len(c.Warnings) != 0 {
				t.Errorf("%s: warns %q", name, c.Warnings)
			}
			continue
		}
		want := []string{name + " (environment) is not a variable of this server; did you mean " + ours + "?"}
		if !slices.Equal(c.Warnings, want) {
			t.Errorf("%s: warns %q, want %q", name, c.Warnings, want)
		}
	}
}

// TestHintsComeWithProblems: a misspelt name is told at once, not one restart later.
func TestHintsComeWithProblems(t *testing.T) {
	_, err := Load([]string{"NODE_PROT=1", "RECOVERY_SECOND=5", "LOG_LEVEL=loud"}, "")
	for _, want := range []string{"must be debug, info, warn or error", "did you mean NODE_PORT?", "did you mean RECOVERY_SECONDS?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said: %v", want, err)
		}
	}
}

// A secret is in no message, whatever is wrong with it.
func TestSecretsStayHidden(t *testing.T) {
	v := variable{name: "TOKEN", kind: kind{accepts: "a token", secret: true}}
	p := v.refused("hunter2", fromEnvironment, errors.New("hunter2 is too short"))
	if want := "TOKEN=(hidden): must be a token"; p.String() != want {
		t.Errorf("got %s, want %s", p, want)
	}
}

func TestLogValue(t *testing.T) {
	c, err := Load([]string{"NODE_PORT=4000", "HOST="}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.LogValue().String(), `[NODE_PORT=4000 (environment)]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !c.IsSet("NODE_PORT") || c.IsSet("HOST") {
		t.Error("IsSet does not tell what was set")
	}
}

func TestAddresses(t *testing.T) {
	c, err := Load([]string{"HOST=::1", "REDIS_HOST=::1", "REDIS_PORT=6379"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Addr() != "[::1]:3000" || c.Redis.String() != "redis://[::1]:6379" || !c.Redis.Configured() {
		t.Errorf("addresses %s and %s", c.HTTP.Addr(), c.Redis)
	}
	if (Redis{}).Configured() {
		t.Error("no Redis counts as configured")
	}
}
