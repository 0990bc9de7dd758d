// Package run carries out one load run against servers that keep the chat contract, and measures it.
//
//	connect ──► (join notices) ──► warm-up ──► window ──► drain ──► count
//	 ramp         until quiet       sending     sending    what is under way
//	                                │◄─── Counts are exact over all of it ──►│
//	                                            │◄─ rates, CPU, latency ─►│
//
// Latency is that of the messages sent in the window, wherever it ends for them, from the moment they were due (at a
// fixed rate) or written (closed loop) until the receiver has read them. At a fixed rate a slow server therefore cannot
// slow down the clients and so look faster.
//
// Concurrency: Run's goroutine coordinates; each worker has a goroutine with a reactor loop of its own, which owns its
// clients, histograms and counters. The workers publish their counters atomically for the coordinator, which asks for
// everything else through reactor.Loop.Do. Workers end before Run returns. The Observer is called by Run's goroutine.
//
// Limits: see Config; whatever is asked for, a run ends by itself.
package run
