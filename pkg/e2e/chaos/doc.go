// Package chaos breaks what a cluster of chat servers stands on, while people chat on it, and counts what reached whom.
//
//	Go and npm clients ── front proxy ── chat-server ── back proxy ──┐
//	Go and npm clients ── front proxy ── chat-server ── back proxy ──┼── redis-server
//	Go and npm clients ── front proxy ── chat-server ── back proxy ──┘
//
// Everything is a real process; only the cables are ours. Each row of the table of modes (what the servers are configured
// to promise) meets each row of the table of faults. A run prints one line for each pair: what was said, who should have
// heard it, what was lost on the speaker's own instance and across instances, what the servers themselves counted as lost,
// what came twice or out of order, and how long it took until everybody heard everybody again.
//
// What is promised is asserted:
//
//   - nothing twice, nothing out of order, and nothing lost on the speaker's own instance, in no mode, by no fault;
//   - pubsub: what is lost across instances is in the servers' counters;
//   - streams: nothing is lost across instances while Redis keeps its data;
//   - recovery: a client that moved, or whose line was cut, gets what it missed.
//
// # Nemesis
//
// TestChaos lets one fault happen at a time. TestNemesis draws schedules from seeds, in which any of them happen, also at the
// same time: instances are killed, ended, stopped, added, removed, and replaced by an older version (CHAT_SERVER_OLD names its
// binary); Redis is killed, stopped and restarted, its clients are killed; lines are cut, jammed and slowed. Afterwards
// everything is mended, and a checker compares what everybody heard with what was said:
//
//   - in no mode is anything lost on the speaker's own instance, twice or out of order, however often its session moves;
//   - streams: nothing is lost across instances, but by a process that was killed or that said what it gave up;
//   - recovery: a session that was recovered is complete, and at most one in fifty of those that ask is not recovered, unless
//     its instance was killed or another fault explains it (see package verdict); the reasons are told;
//   - history: every word that was acknowledged is in it, once, in order, and all instances tell the same; but what waited for
//     Redis in a process that was killed or that said what it gave up;
//   - goroutines, descriptors and memory of all instances are as in the beginning, and Redis has no more keys for good.
//
// Packages schedule and verdict draw the schedules and judge; package simulation uses them, too, in one process and for many more seeds.
// The same seed draws the same schedule; what the machine makes of it may differ. A violation is printed with its seed, and
// with the shortest schedule that still shows it, for -schedule.
//
// # Fairness
//
// TestFairness lets one client flood a server in every way that costs it little, while others talk, and tells how long
// their echoes take beside those of a quiet server. It asserts that everybody hears everything, no times.
//
// # Running
//
//	go test ./pkg/e2e/chaos                     the short form, as in CI
//	go test ./pkg/e2e/chaos -v -long            the long form: all faults, for longer (task chaos)
//	go test ./pkg/e2e/chaos -v -run Nemesis -nemesis 60s -seed 1 -seeds 20      (task nemesis)
//	go test ./pkg/e2e/chaos -v -run Fairness -fair 10s   floods, and what they do to others
//	go test ./pkg/e2e/chaos -v -run Soak -soak 10m      churn and chat on two instances (task soak)
//
// It needs redis-server; npm clients take part if they are installed (npm ci in pkg/e2e/node). CHAT_SERVER names the
// binary to test, or one is built.
package chaos
