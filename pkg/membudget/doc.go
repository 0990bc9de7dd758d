// Package membudget keeps a process within its memory: before the kernel kills it, it refuses what is new
// and lets those go that hold most.
//
//	budget := membudget.New(membudget.Options{Limit: membudget.Detect(), Holders: …})
//	go budget.Run(ctx)
//	…
//	err := budget.Admit() // for each new session: nil, or why not, with HTTP status 503
//
// # How it works
//
// Run looks at the heap, more often the fuller it is. Garbage does not count: when there seems to be too
// much it collects before it believes that.
//
//	0            ── refuse ──────── shed ──────── Limit
//	all is well     │  nothing new    │  holders shed, in their order, until it is below "refuse";
//	                │  gets in        │  of one kind the largest first, of equal ones the newest
//
// They shed as well when nothing new has got in for three seconds.
//
// The room above the marks is for what comes while it collects. Of a large limit "refuse" is at 85 % and
// "shed" at 90 %, of a small one, such as 300 MiB, at two thirds and 72 %. Go's own limit is set above
// them, unless GOMEMLIMIT is lower, so that the collector works harder before anybody has to go.
//
// # Limits
//
// It measures what Go allocates, not memory that C code or the kernel (socket buffers) takes. What grows
// by a fifth of Limit within the 10 ms between two looks is seen too late.
//
// A Budget is safe for concurrent use. A nil *Budget has no limit.
package membudget
