// Package httpserver is the server's face to HTTP: it routes requests, serves the page
// and the client bundles, answers health checks, and begins and ends listening.
//
//	           ┌─ /socket.io/socket.io.js …  client bundles, as Node's server answers
//	request ───┼─ /socket.io/…               Options.Socket (polling, WebSocket)
//	           ├─ /healthz, /readyz          is it alive; should it get clients
//	           └─ everything else            the page's files
//
//	operator ──── /healthz, /readyz          the same, on an address of its own,
//	              …                          and what HandleOperator adds
//
// # How it is used
//
//	server, err := httpserver.New(httpserver.Options{Socket: io, Page: page, …})
//	go server.Serve(listener)
//	…
//	server.Drain()                        // /readyz answers 503 from here on
//	err = server.Shutdown(ctx, io.Close)  // ends sessions, then connections
//
// New reads all files into memory, so that a request never touches a file system; the
// compressed form of each is made at its first use. Without a built page, / answers with
// a page that tells how to build it.
//
// # The front
//
// Options.Front may serve requests before net/http sees them: it gets each listener and
// returns one for the rest. What begins something passes through the same handler. A new
// connection may stay silent for the 60 s below and a kept-alive one for the 75 s; a
// request that did not come whole at once is net/http's, and so are its limits.
//
// # Concurrency
//
// A Server may be used from any goroutine. It starts none itself beyond those of
// net/http, one a connection; a WebSocket leaves net/http's care when Options.Socket
// takes it over, which is why Shutdown needs a function that closes those.
//
// # Limits
//
// Headers must arrive within 60 s and 32 KiB, a request's body within 30 s (Options can change
// both times); a kept-alive connection may be idle for 75 s (Options.IdleTimeout). Connections that have no request to be
// answered are at most Options.MaxIdle, and give way before the process has used up its descriptors; so do, when nobody
// waits, answers that their clients do not read, but for those of Options.Socket. A body that no handler wants is waited
// for half a second. Once an answer has begun its client has 60 s to read it, unless the handler sets a time of its own;
// nothing bounds when it begins, since a long poll is answered when there is something to say: Options.Socket bounds
// that with its heartbeat.
package httpserver
