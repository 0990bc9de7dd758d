// Package engineio is an Engine.IO server for protocols 3 and 4: it carries
// ordered text and binary messages over HTTP long polling, JSONP and WebSocket,
// and moves a session from the one to the other without losing any. It knows
// nothing of Socket.IO.
//
// # Use
//
// A [Server] is an http.Handler. For each session it calls Options.OnConnect,
// which returns the [Receiver] of what the client sends. [Conn.Send] sends to
// one client; a [Batch] sends one [Frame], encoded once, to many.
//
//	listener ─► front ─ anything unusual ─► net/http ─┐
//	             │ └─ opens a session ────────────────┤
//	             │ polls, POSTs of sessions           ▼
//	             ▼                               ServeHTTP
//	HTTP request ─ verify ─┬─ GET  ── poll: wait for the outbox ───────────────┐
//	                       ├─ POST ── decode payload ─┐                        │
//	                       └─ WebSocket ── wsReader ──┴─► Receiver             │
//	                                                                           │
//	Send, Batch ──► outbox of the Conn (frames, shared) ──► flusher ── write ──┴─► client
//
// # Front
//
// [Server.Front], on Linux, takes the requests that come over and over off
// net/http: a poll that waits has no goroutine, no request and no buffer, and the
// flusher answers it; a WebSocket opens with one write. What it serves is a strict
// subset of HTTP/1.1, told in plainRequest. Everything else, and whatever comes on
// that connection later, is net/http's, with the same answers. A handler around the
// Server sees every request that opens something, and none of the others.
//
// # Conversation
//
//	server  0{"sid":…,"upgrades":…,"pingInterval":…}     open, the answer to the handshake
//	both    4…                                           messages
//	v4      server 2, client 3                           heartbeat
//	v3      client 2, server 3                           heartbeat
//	both    1                                            close (polling only)
//	client  2probe, server 3probe, client 5              upgrade, on the WebSocket
//	server  6                                            noop, releases a poll for the upgrade
//
// # Concurrency
//
// A session's state is guarded by its mutex, which is never held during I/O or
// a call of the receiver. These goroutines exist:
//
//   - one reader for each WebSocket while there is something to read, or always
//     where the system has no poller for it. It calls the receiver;
//   - on Linux, one poller for the WebSockets that wait for their peers, and for
//     the connections of the front between two requests, whose polls it reads;
//   - one for each other request that the front serves, and one that accepts
//     connections for each Front, until that is closed;
//   - the goroutines of net/http for polling requests, which end with them;
//   - up to GOMAXPROCS flusher workers while there is something to write;
//   - one for each WebSocket whose peer takes less than it is sent, until it
//     has caught up or is closed;
//   - a short one for the last call of each receiver, and the runtime's for
//     each heartbeat;
//   - up to 64 that have done any of this and wait for more, for two seconds.
//
// [Server.Close] waits for all of them but net/http's.
//
// # The end of a WebSocket
//
// Either side sends a close frame and the other answers it; then the server
// ends the TCP connection. A peer that does not answer has 5 seconds. Frames
// that were queued when [Conn.Close] was called leave before the close frame,
// within 30 seconds; after [Conn.Discard] or an error they do not. The status
// code says what was wrong: 1002, 1007 and 1009 as RFC 6455 has them, 1008 with
// "slow client" for SlowClient, none otherwise.
//
// When the server ends ([Conn.Leave], [Server.Close]) there is no close frame:
// behind what was queued it ends its direction of the TCP connection, as the
// system does for a process that is killed, and clients of all kinds connect
// again. A peer has 2 seconds to end the other direction. A poll is answered
// as for a session that is not known.
//
// [Server.Drain] lets clients go elsewhere, a batch at a time; see drain.go.
//
// # Limits
//
// Options bounds the size of what a client sends in one message or body
// (MaxPayload), of what waits for one client (QueueBytes), and every wait. A
// client that exceeds a bound or breaks the protocol loses its own session; no
// other notices. An idle session has no buffers.
//
// What waits for many slow clients is not many times QueueBytes as long as they
// wait for the same broadcasts: those are shared, and a client that is further
// behind than QueueBytes is closed. Each has its own list of them, 16 bytes a
// frame, which counts. What each is sent alone counts for each: who
// sends much of that has to bound the number of connections (Options.Allow).
package engineio
