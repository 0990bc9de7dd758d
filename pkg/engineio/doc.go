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
//	listener ─► front ─ requests with more than one reading ─► net/http ─┐
//	             │ └─ all other requests ──────► FrontOptions.Handler ◄──┘
//	             │ polls, POSTs of sessions           ▼
//	             ▼                               ServeHTTP
//	HTTP request ─ verify ─┬─ GET  ── poll: wait for the outbox ───────────────┐
//	                       ├─ POST ── decode payload ─┐                        │
//	                       └─ WebSocket ── wsReader ──┴─► Receiver             │
//	                                                                           │
//	Send, Batch ──► sender: outbox (frames, shared) ──► flusher: turn ─────────┴─► client
//
// # A connection
//
// A Conn is made of parts, each a struct in a file of its own with its rule:
//
//	lifetime    open, closing or closed, and by what reason; Conn.mu
//	sender      the queue of frames, and the poll or WebSocket that takes them; Conn.mu
//	heartbeat   whether a ping waits for its pong; Conn.mu
//	deadline    when the Conn is looked at again, and its place in the wheel (deadlines)
//	intake      what comes from the client, to the Receiver: a mutex of its own, and atomics
//	signals     Done and Drained; Conn.mu
//
// Codecs and sockets are packages of their own, which know no session: internal/packet,
// payload, utf and wsframe turn bytes into packets and headers and back; internal/netpoll
// reads, writes and waits for sockets.
//
// # Front
//
// [Server.Front], on Linux, stands before net/http and serves what can be read in one
// way only (see plainRequest). A poll that waits has no goroutine, no request and no
// buffer there, and the flusher answers it; a WebSocket opens with one write. All other
// plain requests, for whatever path, go to FrontOptions.Handler, and their connections
// come back to the front: one preflight or asset on a proxy's pooled connection costs
// nothing afterwards. Chunked bodies, HTTP/1.0, pipelined requests and the like are
// net/http's, and so is whatever comes on that connection later, with the same answers.
//
// # Glossary
//
//	session     what a client opens by its handshake: a Conn, until Receiver.Closed
//	transport   what carries it: polls and POSTs, or one WebSocket (wsTransport)
//	frame       one packet, encoded once for all its receivers (Frame)
//	outbox      the frames that wait for one session, in order, bounded by QueueBytes
//	flusher     the workers that write outboxes to WebSockets and answer polls
//	turn        what a connection writes at one time: all that was in its outbox
//	poll        a GET that asks for packets; pending while it waits for some
//	probe       a WebSocket that asks to take a session over from polling
//	upgrade     the moment from which everything goes over that WebSocket
//	front       what answers requests before net/http; see above
//	plain       a request that the front serves
//	resting     a connection of the front without a request, in a restList
//	parked      a socket that waits for its peer without a goroutine (netpoll)
//	sever       to end the server's direction of TCP, without a close frame
//	leave       to end so that the client connects again, elsewhere
//	linger      to read on, for a bounded time, until the peer has ended its side
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
// # Writing
//
// A WebSocket has one writer at a time, the one that has begun to write: a turn of the flusher,
// the answer to the handshake and the probe, the close frame; see ws_write.go. A write tries what
// the socket takes at once. What waits for a peer waits in one place, with a deadline that the
// peer's progress extends; see write_waiting.go.
//
// Where Linux' io_uring can be used, a flusher worker gathers what up to 256 connections have
// to write and lets it leave with one system call; see gathered.go. So does the poller receive
// what has come for several. Otherwise, and for what is long, each connection's is a send(2),
// or recv(2), of its own. [Server.IOUring] tells which it is.
//
// # Concurrency
//
// Conn.mu is never held during I/O or a call of the receiver; where locks nest, it is
// taken before those of Server, deadlines, flusher and running. The lock that the receiver
// is called under, its connection's alone, is taken before Conn.mu. These goroutines exist:
//
//   - one reader for each WebSocket while there is something to read, or always
//     where the system has no poller for it. It calls the receiver. Heartbeats that came
//     by themselves have none, or share one: those that one wait of the poller has found;
//   - on Linux, one poller for the WebSockets that wait for their peers, whose heartbeats
//     it reads, and for the connections of the front between two requests, whose polls it reads;
//   - one for each other request that the front serves, until it is answered or
//     [Server.Close] ends its context, and one that accepts connections for each
//     Front, until that is closed;
//   - the goroutines of net/http for polling requests, which end with them;
//   - up to GOMAXPROCS flusher workers while there is something to write;
//   - one for each WebSocket whose peer takes less than it is sent, until it
//     has caught up or is closed;
//   - a short one for the last call of each receiver, and one of the
//     runtime's while heartbeats are due.
//
// [Server.Close] waits for all of them but net/http's.
//
// # The end of a WebSocket
//
// Either side sends a close frame and the other answers it; then the server
// ends the TCP connection. A peer that does not answer has 5 seconds; one that floods on
// meanwhile is read with pauses, 16 MB at most. Frames
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
// frame, which counts. Frames sent to a single client are not shared: a program that
// sends many of them has to limit the number of connections (Options.Allow).
package engineio
