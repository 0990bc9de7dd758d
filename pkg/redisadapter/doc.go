// Package redisadapter joins the instances of a Socket.IO server, and Node's servers of both
// generations, through one Redis.
//
// # What it is
//
// Builder makes a socket.Adapter for each namespace. An Adapter does what it is asked to do for the
// sockets of this instance, which is socketio.LocalAdapter's work, and tells the others over Redis'
// publish and subscribe:
//
//	namespace /chat   namespace /        every instance, Node's too
//	  Adapter          Adapter
//	     │ Broadcast, fetchSockets …
//	     ▼
//	 ┌─ hub (one a Builder) ────────────────────────┐
//	 │ queue ─► publisher ── PUBLISH, pipelined ────┼──►  Redis   socket.io#/chat#           broadcasts
//	 │             ▲ heartbeats                     │             socket.io#/chat#room#      … to one room
//	 │             ▼                                │             socket.io-request#/chat#   what is asked
//	 │ adapters ◄─ subscriber ◄── messages ─────────┼───  Redis   socket.io-response#/chat#  what is answered, also …#uid#
//	 └──────────────────────────────────────────────┘             socket.io-peers#/chat#     ours only
//	     │ BroadcastEncoded: raw JSON, decoded by nobody
//	     ▼
//	  LocalAdapter ──► clients
//
// The formats are those of socket.io-redis 5.4 (socket.io 2.x: "generation 2") and
// @socket.io/redis-adapter 8 (socket.io 4.x: "generation 4"), so that a cluster can hold nodes of
// all kinds at once; the packages below describe them. The types are those of the
// library socket.io-go-redis, whose RedisAdapter interface Adapter implements: code written for the
// library goes on compiling.
//
// # Modes
//
// Builder.Mode chooses how messages go through Redis; all members of a cluster have the same.
//
//	PubSub   PUBLISH and SUBSCRIBE, with Node's classic adapters of both generations
//	Sharded  SPUBLISH and SSUBSCRIBE, with createShardedAdapter; for a Redis Cluster 7
//	Streams  XADD and XREAD, with @socket.io/redis-streams-adapter; loses nothing while Redis is away
//
// The picture above is that of PubSub. A mode is a transport (the commands) and a format; everything
// else is the same for all. Arrows are imports; the formats know neither Redis nor adapters:
//
//	redisadapter ──► internal/hub ──────► internal/streams ──► internal/cluster ──► internal/wire   requests, broadcasts, entries as values
//	     │             queue, publisher,    entries of a stream   messages of the        ▲
//	     │             subscriber, modes                          sharded mode           │
//	     ├───────────► internal/classic   messages of mode PubSub ───────────────────────┤
//	     └───────────► internal/recovery  sessions that change their instance ───────────┘
//
// In mode Streams broadcasts, joins, leaves and disconnects are entries of one stream, which each instance reads from an offset of its
// own; what wants an answer goes over publish and subscribe all the same:
//
//	queue ─► publisher ── XADD ──►  Redis   the stream "socket.io" ── XREAD BLOCK ──► reader ─► adapters
//	                 └─ PUBLISH ──►  Redis   socket.io#/chat#       ──────────────► subscriber ─► adapters
//
// In mode Sharded on a Redis Cluster each namespace has a hub of its own, connected to the server that
// has the slot of its channel; other channels of ours are named so that they are in the same slot. When
// the slot moves or its server fails, the connections follow. All of ours goes over the namespace's
// channel, for its order; Node's adapter gives broadcasts to single rooms channels of their own, to
// which it subscribes at whichever server has them. On a single Redis one hub is enough.
//
//	socket.io#/chat#          broadcasts, requests, and answers for Node nodes in a Redis Cluster
//	socket.io#/chat#uid#      answers to one instance
//	socket.io#/chat#room#     from Node: broadcasts to one room
//	socket.io-peers#/chat#n#  ours only
//
// Redis may be one server, a master that Sentinels name (redis.NewFailoverClient), or a
// Redis Cluster.
//
// # How it is used
//
//	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
//	cluster := &redisadapter.Builder{Redis: types.NewRedisClient(ctx, client), Logger: log}
//	server := socketio.NewServer(socketio.Options{Adapter: cluster})
//	…
//	cluster.Join(ctx) // then listen: a client that comes before may miss what others say
//	ready := cluster.Status().Joined
//	…
//	server.Close(ctx)
//	cluster.Close(ctx)
//
// # What is promised
//
// A message reaches every instance that is subscribed at that moment at most once, and each
// sender's messages in its order. A payload arrives as it was sent: key order, number spelling,
// every JSON value, binary. (Node nodes keep less: their codec has no half surrogate pairs, no
// integers beyond a double, and no member "__proto__".)
//
// Without Redis the instance serves its own clients. It tries again with growing, jittered pauses,
// and counts itself joined only when a heartbeat that it published has come back over its
// subscriptions. What is sent meanwhile waits, in order, bounded in bytes and in age; after a break
// it is held until the other instances are back as well, 2.5 s at most. What Redis loses all the
// same (instances that are not subscribed, a connection that breaks with messages under way) is the
// nature of publish and subscribe; the sender's side is counted in Status, the receiver's as a gap.
//
// In mode Streams a broadcast reaches every instance once, also when connections break, Redis stands
// still, or it is restarted with its data: publishes wait (64 MiB and 10 minutes by default), one
// whose outcome is unknown is looked for in the stream and repeated only if it is not there, and
// readers go on where they were. What is lost all the same is found out and counted, in Status and
// by OnGap: what was trimmed before it was read, given up by its sender, or missing when Redis comes
// back with less than it had (no persistence, a replica that was behind). An instance that had read
// nothing of what Redis has forgotten cannot notice that itself: those that had read or written some of
// it tell all others. Only what nobody alive has seen is in no counter: written by an instance that has
// ended since, and forgotten before another read it or began behind it. Entries of Node nodes have
// no numbers; of those only trimming and lost data is noticed, and a Node node does not repeat.
//
// With socketio.Options.Recovery a client finds its session on whichever instance it comes back to,
// in every mode; package recovery tells how. Its instance hands the session over when it is asked, or leaves
// it in Redis when it ends in order: keys "<key>-session#…", "<key>-session-log#…" and "<key>-session-last#…",
// which expire. A gap in what an instance has received makes it refuse those who were away then. With a Parser of the
// application's, sessions are recovered on the same instance only.
//
// # Concurrency
//
// All exported methods are safe for concurrent use. The hub has a publisher and a subscriber
// goroutine, and one more that watches the subscriber's connection; in mode Streams one that reads the
// stream, over a third connection, and hands entries to the adapters as the subscriber does. They
// end with Builder.Close, which waits for them, or with the client's Context. The publisher owns its connection and takes
// from the queue, which is the only thing senders touch: nothing blocks on Redis but ServerCount.
// The subscriber hands messages to the adapters one after another and must not be held up: the
// application's handlers and callbacks run on goroutines that exist while there is work, in order
// for each namespace. A handler may wait for other instances; it holds up the other handlers of its
// namespace only. The adapter's own events (join-room and its kin) are the exception: when another
// instance makes a socket join, their listeners run on the subscriber.
//
// # Limits
//
// A message may have 16 MiB (MaxMessage), 2,048 levels of nesting and 255 binary values when it
// comes from Redis. Node nodes are shown nothing deeper than 512 levels, they would die of it.
// Calls that ask the other instances end after the requests timeout (5 s), with what has been
// answered and an error. An acknowledgement carries one argument between instances, and generation
// 2 nodes take no part in broadcasts that want acknowledgements, nor in serverSideEmit. In a Redis
// Cluster all goes through one master: that of the key, which in modes PubSub and Streams spreads
// every published message to all servers; in mode Sharded that of each namespace, and nothing is
// spread. There Node nodes must have redis-adapter 8.3, and subscriptionMode "static" if they send to
// a socket of ours by its id: by default they expect ids of 20 characters, and nobody listens.
//
// The stream keeps about 100,000 entries and about 64 MiB (StreamLength, StreamBytes); Node's adapter
// keeps 10,000, and the lowest of a cluster counts. Node's option streamCount must stay 1. Redis
// needs to be 5 or later; from 7 on the number of trimmed entries is exact.
package redisadapter
