// Package fakeredis is as much of a Redis as this server's adapter asks for, in memory, on connections that are handed to it, with faults.
// It is for bubbles of testing/synctest: nothing in it holds a lock while it waits.
//
//	net.Conn ── session (one goroutine each) ── command ──► Server: keys, streams, subscriptions (one mutex)
//	net.Conn ◄── answers, messages ─────────────────────────┘
//
// It speaks RESP2. Its commands are HELLO (refused: go-redis goes on without), CLIENT, SELECT, PING, TIME; SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE
// and their opposites, PUBLISH, SPUBLISH, PUBSUB; GET, SET, DEL; XADD, XREAD, XRANGE, XINFO STREAM, XLEN; MULTI and EXEC.
// Anything else is an unknown command. Answers are those of Redis 7.
//
// Faults: [Server.Kill] ends the process, [Server.Start] starts another one with the data of before, or without the latest of it;
// [Server.Stop] makes it stand still as SIGSTOP does; [Server.KillClients] is CLIENT KILL. A session ends with its connection.
package fakeredis
