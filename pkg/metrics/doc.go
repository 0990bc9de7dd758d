// Package metrics shows what the server does to Prometheus.
//
//	engineio.Server ──┐
//	socketio.Server ──┤ plain counters,       ┌── GET /metrics
//	redisadapter …  ──┼─ read at each scrape ─┤
//	Go, the process ──┘                       └── Table: the same as documentation
//
// # How it is used
//
//	m := metrics.New(metrics.Sources{Server: io, …})
//	mux.Handle("GET /metrics", m)
//
// Nothing is counted here. The other packages count for themselves, in plain numbers that cost them
// next to nothing; a scrape reads them and gives them names. This is the only package that knows
// Prometheus.
//
// # Names
//
// Those that begin with socket_io_ are the names, labels and meanings of the npm packages
// socket.io-prometheus and socket.io-prometheus-metrics, spelling included, so that dashboards made
// for a Node server go on working. Where those count what one instance's code emits to single
// sockets, ours count what broadcasts deliver as well. All others begin with chat_; go_ and process_
// are Prometheus' own.
//
// Every series is there from the start, at zero, except those whose labels are names that come from
// the program or its clients. Of these there are at most 65 namespaces with 65 events each; the rest
// is counted as "other".
//
// # Concurrency
//
// A Metrics may be used from any goroutine; it has none itself. A scrape locks each connection for a
// moment: about a millisecond for 10,000 of them. At most two scrapes run at a time.
package metrics
