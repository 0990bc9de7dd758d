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
// # Running
//
//	go test ./pkg/e2e/chaos                     the short form, as in CI
//	go test ./pkg/e2e/chaos -v -long            the long form: all faults, for longer (task chaos)
//	go test ./pkg/e2e/chaos -v -run Soak -soak 10m      churn and chat on two instances (task soak)
//
// It needs redis-server; npm clients take part if they are installed (npm ci in pkg/e2e/node). CHAT_SERVER names the
// binary to test, or one is built.
package chaos
