package main

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"slices"

	"socketio-chat/pkg/config"
	"socketio-chat/pkg/httpserver"
	"socketio-chat/pkg/metrics"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/status"
)

// operate puts what operators look at on their address. The board it returns has to run.
func operate(cfg config.Config, chat *chatParts, server *httpserver.Server, log *slog.Logger) *status.Board {
	var cluster func() redisadapter.Status
	if chat.cluster != nil {
		cluster = chat.cluster.builder.Status
	}
	sources := metrics.Sources{
		Server: chat.io, Cluster: cluster, Limits: chat.limiter.Stats, HTTP: server.Stats, Chat: chat.chat.Stats, Memory: chat.budget.Stats,
		Draining: server.Draining, Version: versionText(), Logger: log,
	}
	if chat.forward != nil {
		sources.Forward = chat.forward.Stats
	}
	if chat.auth != nil {
		sources.Auth = chat.auth.verifier.Stats
	}
	server.HandleOperator("GET /metrics", metrics.New(sources))
	server.HandleOperator("POST /announce", announcing(chat.chat))
	board := status.New(status.Sources{
		Server: chat.io, Cluster: cluster, Forward: sources.Forward, Limits: sources.Limits, Auth: sources.Auth, Memory: sources.Memory,
		Draining: server.Draining, Version: versionText(), Instance: instanceName(cfg), QueueBytes: cfg.Engine.QueueBytes,
	})
	for pattern, handler := range board.Routes() {
		server.HandleOperator(pattern, handler)
	}
	if cfg.HTTP.Pprof {
		profile(server)
	}
	return board
}

// operatorHosts are the names that the operators' address is known to have.
func operatorHosts(h config.HTTP) []string {
	names := slices.Clone(h.MetricsHosts)
	if host, _, err := net.SplitHostPort(h.MetricsAddr); err == nil && host != "" {
		names = append(names, host)
	}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	return names
}

// profile offers Go's profiles where `go tool pprof` looks for them.
func profile(server *httpserver.Server) {
	for path, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/cmdline": pprof.Cmdline, "/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
	} {
		server.HandleOperator("GET "+path, handler)
	}
}

// instanceName is the host's name and the port: in a container the first says it all.
func instanceName(cfg config.Config) string {
	host, err := os.Hostname()
	if err != nil {
		host = "this host" // the page says so
	}
	return host + cfg.HTTP.Addr()[len(cfg.HTTP.Host):]
}
