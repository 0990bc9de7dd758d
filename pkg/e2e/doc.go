// Package e2e tests the chat server from outside: the clients that people have, over real connections, against the
// processes that are really run.
//
// The tests are written for node:test and live in node/, because the clients do: socket.io-client 1.4.5, 1.7.4,
// 2.5.0, 3.1.3 and 4.8 from npm, and the Node servers that share a Redis with ours. The Go test here builds
// cmd/chat-server, runs them on it and passes their output on.
//
//	node/test/       the tests, a file each client generation and a file each subject
//	node/suite/      what several of those files have in common
//	chaos/           real processes under faults, and what reached whom
//	simulation/      the same in one process on a simulated clock; schedule/ and verdict/ are what both share
//	differential/    random clients against this server and Node's, every answer compared
//	languages/       chatters in other languages than JavaScript
//	node/world/      processes, clients, cables, raw HTTP and WebSockets, the messages that are sent
//	node/reference/  Node servers that do what the seed does: its NestJS 7 gateway and one on NestJS 12, socket.io 2.4.1, socket.io 4.8
//
// # Running
//
//	cd pkg/e2e/node && npm ci      once; needs redis-server, haproxy and nginx too
//	go test ./pkg/e2e              everything, on a server built for it
//	go test ./pkg/e2e -run 'TestEndToEnd/hostile'    files whose name contains "hostile"
//
// Without node_modules the test is skipped, except in CI (CI=true), where it fails. The tests themselves are checked
// against the servers they took their expectations from; what differs there is marked in the tests with the reason:
//
//	cd pkg/e2e/node && REFERENCE=nest node --test       (or s2, s4)
//
// # Limits
//
// Test files run two at a time; each has processes and ports of its own, a private redis-server included, so that
// several runs can go on at once on one machine. Every wait has a deadline (E2E_PATIENCE_MS, 60 s).
package e2e
