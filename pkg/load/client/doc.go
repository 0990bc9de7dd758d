// Package client is a Socket.IO client made for load: it speaks just enough of the protocols to keep thousands of
// sessions, costs next to nothing for a message, and checks nothing that does not matter to a measurement.
//
// A session, over WebSocket (protocol 4 on the right, where they differ):
//
//	us                                               server
//	── GET /socket.io/?EIO=…&transport=websocket ──►
//	◄─ 101 Switching Protocols ─────────────────────
//	◄─ 0{"sid":…,"pingInterval":25000,…} ───────────          engine: open
//	── 40/chat,  (EIO3: 40/chat?username=…) ───────►          join the namespace
//	◄─ 40/chat,{"sid":…}  (EIO3: 40/chat) ──────────          Events.Joined
//	── 42/chat,["msgToServer",…] ──────────────────►          Client.Send
//	◄─ 42/chat,["msgToClient",…] ───────────────────          Events.Packet
//	◄─ 2 ── 3 ─►  (EIO3: ── 2 ─► ◄─ 3)                        heartbeat
//
// Polling carries the same packets in GET and POST bodies, on two connections that are kept alive. The default
// transport begins with polling, probes a WebSocket and moves over, as browsers do; Joined comes after the move.
//
// Options.Dialect lets the same clients speak to servers outside the protocol, for comparison: one channel of Centrifuge's
// JSON protocol, or of NATS.
//
// Clients are made by a Group, which holds what the clients of one reactor loop share. Nothing here may be used but on
// that loop, and all events come from it. A client never reconnects: Left is its last event, and says why.
//
// Limits: plain HTTP and WebSocket without TLS, extensions or cookies; a message of at most reactor.MaxUnconsumed bytes.
package client
