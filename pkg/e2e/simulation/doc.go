// Package simulation lets a cluster of chat servers live through schedules of faults in one process, on a simulated clock: the nemesis of
// package chaos without processes, some hundred times as fast, and with the same result for the same seed as far as the scheduling of
// goroutines allows.
//
//	person ── front line ── server: chat, socketio, redisadapter ── back line ──┐
//	person ── front line ── server: chat, socketio, redisadapter ── back line ──┼── Redis (package fakeredis)
//	person ── front line ── server: chat, socketio, redisadapter ── back line ──┘
//
// A run is a bubble of testing/synctest: its clock moves on when nothing else does. Lines are those of package line, which can be cut, jammed
// and slowed; the Redis can be killed, with and without its data, stopped, and made to close connections. Servers are put together as
// cmd/chat-server does, end in order as it does (drain, hand over, close), or drop dead: their lines are cut first.
//
// People say numbers, lose their lines, come back elsewhere, and ask for their sessions. Packages schedule and verdict, shared with chaos,
// draw the faults and judge what was heard. Beside what they hold every mode to:
//
//   - pubsub: a word that is lost across instances is in a counter of the sender's (dropped, unknown) or of the receiver's (gaps), and where
//     the receivers had no gap, no more words are lost than the sender counts;
//   - streams: nothing is lost while Redis keeps its data; if it loses some, readers count gaps or what they missed;
//   - a session is recovered, unless a fault explains why not: see excuses.go of package verdict. How many are not without an excuse is told, by the server's
//     reason; with -everybody each one is a violation, so that its shortest schedule is found. TestFound
//     keeps those that were mended;
//   - afterwards nothing is queued, nobody is there who has left, Redis holds nothing for good, and no goroutine is left.
//
// # Running
//
//	go test ./pkg/e2e/simulation                                a few seeds in each mode, as in CI
//	go test ./pkg/e2e/simulation -seed 1 -seeds 1000 -v         (task simulate)
//	go test ./pkg/e2e/simulation -modes both -schedule '1.2s kill 0 800ms' -seed 7 -v
//
// A seed at which the clock stands still is told after two minutes: somebody waits for a lock whose holder waits for the time. It need not be a
// fault: a server that closes a client's connection while its session is looked for waits for the end of that search, in real time up to 8 s.
//
// A violation is printed with its seed, and with the shortest schedule that still shows it, for -schedule. -log prints what the servers log.
package simulation
