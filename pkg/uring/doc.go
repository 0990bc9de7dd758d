// Package uring sends to many sockets, or receives from many, with one system call, by Linux' io_uring(7).
//
//	Pool.Send ──► ring: one SEND entry a socket ──► io_uring_enter ──► results, one a socket
//	    ▲                                                                        │
//	    └──── the rest of the entries, if the kernel refused them ◄──────────────┘
//
// A [Pool] has a few rings. A call of [Pool.Send] takes one, fills it with at most
// [Batch] entries, enters the kernel, and has all results when it returns: nothing stays
// in a ring. Sends never wait for a peer (MSG_DONTWAIT), so neither does the call. The
// rings are plain ones: whatever thread the goroutine is on may enter the kernel.
//
// [Pool.Receive] is the same for what has come.
//
// What the kernel has taken is never sent again, and what it has refused was never
// sent: the caller sends that in its own way. After a refusal that will not pass, such
// as a seccomp filter's, the pool is out of use for good and takes nothing any more.
//
// The package starts no goroutine. A Pool is safe for concurrent use.
//
// # Words
//
//	entry       what the kernel is asked to do (SQE); stands in the submission queue
//	completion  what came of one entry (CQE); stands in the completion queue
//	enter       io_uring_enter(2): the kernel takes entries and gives completions
//	consumed    an entry is, once the kernel has taken it: one completion follows
//	withdrawn   an entry is, when the kernel did not take it and will not
//
// # Why not a module
//
// The Go modules for io_uring that exist (iceber/iouring-go, pawelgaczynski/giouring,
// godzie44/go-uring) have had no release in years or none at all, cover all of liburing,
// and hand completions to goroutines through channels, which costs more than the system
// call it saves. What is needed here is two operations and two system calls.
package uring
