// Package admission decides who may open a session: it finds the address a request really comes
// from, and bounds sessions and handshakes, in all and for each address.
//
// # Use
//
//	limiter := admission.New(admission.Options{Connections: 100_000, PerAddress: 1000, …})
//	engineio.Options{Allow: limiter.Allow}          // each handshake, before there is a session
//	socketio.Options{Gate: limiter}                 // Enter when a session opens, Leave when it ends
//
//	handshake ── Allow ─┬─ refused: 429 or 503, and the reason ──► client, log, Stats
//	                    └─ session made ── Enter … Leave
//
// Allow refuses with a text for the client. Enter counts, and is the last word: of handshakes that
// come at the same moment for the last free place Allow may let several pass, Enter one.
//
// # Addresses
//
// The address is that of the TCP peer, unless the peer is one of Options.Proxies: then it is the
// right-most address of the proxy header that is no proxy itself. Everything further left came
// from that address and may be made up, as may the whole header when the peer is no proxy. Only
// the one header that the proxies write is read: most pass the other one on as the client sent it.
//
// An IPv6 address counts as its /64, which is what one customer has. One that stands for an IPv4
// address counts as that: the translators' (RFC 6052, 7915, 8215), 6to4, Teredo. Private and loopback
// addresses (RFC 1918, 4193, 6598; link-local) have no bound of their own unless
// Options.PrivateConnections or PrivateHandshakes are set: in front of a server that faces the public
// these are proxies it was not told of.
//
// # Concurrency and limits
//
// A Limiter may be used from any goroutine and has none itself. It keeps a map entry of 12 bytes for each
// address with sessions, and one of 16 for each with handshakes in the last seconds; nothing for a session. What a
// handshake costs does not grow with the addresses that there are, or were.
package admission
