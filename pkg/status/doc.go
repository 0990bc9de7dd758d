// Package status is a page that shows how the server is doing, for those who have no Grafana at
// hand: connections, deliveries, the cluster, lag, slow clients, the process, and first of all what
// needs attention.
//
//	every 2 s   Board.Run ── counters ──► ring of 5 minutes ──┐
//	                                                          ├──► GET /status.json
//	at request  counters, state of all connections ───────────┘        ▲ every 2 s
//	                                                        GET /status, page.js, page.css
//
// # How it is used
//
//	board := status.New(status.Sources{Server: io, …})
//	go board.Run(ctx)
//	for path, handler := range board.Routes() { … }
//
// The page is three files within the binary. It loads nothing from elsewhere, its
// Content-Security-Policy allows nothing else, and it shows numbers and names of this server as text
// only: event names may come from clients.
//
// It belongs on the operators' address: it tells names of namespaces and events, and the last error
// of Redis. It shows no addresses of clients, no session ids and no messages.
//
// # Concurrency
//
// All methods are safe for concurrent use. Run is the only goroutine; it ends with its context. A
// sample is a few hundred atomic loads; only a request looks at each connection (some 50 ns each),
// and it does so at most five times a second, however often it is asked.
package status
