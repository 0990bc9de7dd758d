// Package netpoll reads, writes and waits for sockets past package net: one system
// call without a lock for what a socket takes at once, and one goroutine for all
// sockets that wait for their peers. It knows no protocol.
//
//	           Add            Park                 bytes, or the peer's end
//	socket ────────► running ────────► parked ────────────────────────────┐
//	                    ▲                 │ Claim, Unpark                  ▼
//	                    └─────────────────┴──────────── Handler.Readable, or Reader.Glance
//
// # Ownership
//
// A socket belongs to one goroutine at a time, which alone reads it, parks it, and
// closes it. Parking gives it to the [Poller]; a goroutine that claims it has it again.
// Descriptors are used only while their owner keeps the socket open: the system gives
// their numbers to the next connection as soon as they are closed.
//
// # Goroutines
//
// The Poller has one, from the first Add until Close, which waits for it. It dispatches, and glances at the Readers
// of a wait if they are few: a Handler or a glance must not keep it for longer than some KB take. It starts
// all else by the function that it was made with: one goroutine for the Readers of a wait that are many, and one
// for each that has Work. What has come for three or more sockets of a wait is received by one system
// call where the [Ring] takes it.
//
// # Systems
//
// Only *net.TCPConn, *net.UnixConn and [Lean] have descriptors here: a wrapper may have
// buffered what its socket no longer has. Waiting needs epoll, which is Linux's;
// elsewhere Add reports false and each reader waits for itself.
package netpoll

// Glossary:
//
//	parked    nobody reads the socket; the poller starts a reader when it is readable
//	signaled  a reader runs, and more came meanwhile: it must look again before it parks
//	ending    the peer has sent its last byte: read until there is nothing more
//	lean      a connection whose descriptor the runtime does not poll, until it has to
//	round     the Readers that one wait has found
//	arrival   what has been received for a socket before its owner reads
//	orphaned  the poller has failed or was closed: nobody starts a reader any more
