// Package reactor drives thousands of TCP client connections from one thread, with Linux's epoll.
//
// A load generator that shares a machine with the server under test must be nearly free itself: a goroutine and a
// buffer for each connection, as package net has it, cost more than many servers do. Here a Loop waits for all its
// connections at once, reads from all that have something by one system call (package uring; where the kernel has no
// io_uring for us, or one has much, by one each), and calls the connection's Handler:
//
//	 epoll ──► Loop.Run ──► read into the loop's buffers ──► Handler.Data (consumes; the rest waits for more)
//	   ▲          │
//	timerfd       └──► Tick, at the time it asked for ──► Conn.Write (one system call; a queue if the peer is slow)
//
// Concurrency: everything of a Loop and its Conns happens on the goroutine that runs Loop.Run, and only handlers and
// functions given to Loop.Do may touch them. Do is the one method for other goroutines. Run returns when its context
// ends, after closing every connection; a Loop cannot be run twice.
//
// Limits: a message that a Handler cannot consume piecewise may have MaxUnconsumed bytes, and MaxQueued bytes may wait
// for a slow peer; beyond either the connection is closed. Plain TCP only, no TLS. Linux only.
package reactor
