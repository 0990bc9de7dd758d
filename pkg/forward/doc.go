// Package forward makes sticky sessions unnecessary: a request for a session of
// another instance is handed to that instance, over the instances' own network.
//
//	client ──► balancer ──► front: not my session ──► owner ──► its engine
//	                        looks up the tag of       internal listener
//	                        the session's id
//
// # Use
//
//	f, err := forward.New(forward.Options{Redis: client, Timeout: …, MaxBody: …})
//	engine.NewID, engine.Forward = f.NewID, f.Forward
//	f.Start(handler, server) // what answers requests that come from other instances
//	f.Join(ctx)              // then clients may come
//	…
//	f.Close(ctx)
//
// With affinity in the balancer nothing is forwarded, and all this costs a few
// small Redis commands every three seconds.
//
// # Session ids and the registry
//
// A process has a random tag of 8 characters, and the ids of its sessions begin
// with it; 120 random bits follow, as in any id. Redis maps tags to addresses:
//
//	PREFIXinstances        set of tags
//	PREFIXinstance:TAG     "1 host:port MAC", expires after 12 s, renewed every 3 s
//	PREFIXsecret           the cluster's secret, unless Options.Secret is set
//
// where PREFIX is "socketio-chat:{forward}:". A known tag costs no look-up, and
// is good through an outage of Redis. An unknown one waits for one reading of
// the whole registry that all who wait share; there are at most ten a second,
// so that made-up ids cannot burden Redis.
//
// # Trust
//
// Requests of other instances come in on a listener of their own, never on the
// public port. The side that connects there proves that it knows the secret, and
// so does the other side, for the tag that was meant: an address that now
// belongs to somebody else gets no request. Only after that a connection
// carries HTTP.
//
//	owner ► front   "SCF1" nonce1[32]
//	front ► owner   to[8] from[8] nonce2[32] HMAC("front" to from nonce1 nonce2)
//	owner ► front   HMAC("owner" to from nonce1 nonce2)
//
// Registry entries are authenticated by the same secret: with Options.Secret
// not even somebody who can write to Redis makes an instance connect to an
// address of his choice. Connections are not encrypted; like that to Redis they
// belong into a network that others cannot read.
//
// The client's address travels in a header that is understood on that listener
// only and removed from what clients send. All other headers pass as they came,
// so the owner sees what it would have seen itself. What was forwarded once is
// never forwarded again.
//
// # Failures
//
// If the owner is gone, does not answer, or does not know the session, the
// client is told "Session ID unknown" at once and reconnects. Connecting is
// given a second, an answer as long as the session's heartbeat. Nothing is ever
// sent twice: not a POST, for it may have been taken, and not a poll, for its
// answer may hold packets that exist nowhere else. When the client goes away, so
// does the request at the owner, and the other way round.
//
// An upgrade becomes a tunnel: bytes are copied both ways until one end closes.
// The WebSocket then has a connection on both instances, and dies with either. A
// front that ends asks the owners to send such clients away in good order, and to
// answer polls that pass through it with nothing: those sessions go on.
//
// # Concurrency
//
// All methods of Forwarder may be called from any goroutine. These exist: one
// that keeps the registry, from Start to Close; one that accepts, one for each
// newcomer while it proves itself (at most 2 s), and those of net/http for
// requests of other instances; two for each tunnel. Close ends them all.
// Forward itself runs on its caller's goroutine. An idle tunnel holds two stacks
// and no buffer.
//
// # Limits
//
// A poll under way takes one connection between the two instances, a tunnel
// too. 256 idle connections are kept for each other instance, 30 s at most.
package forward
