// Package bench measures the chat server against the best there is, on this machine, in one go: the Node servers that
// users have, the strongest servers of the protocol, and package floor, the least that Go must pay.
//
//	for each row of the table
//	  for each repeat
//	    for each variant (a server, its settings, a load)      interleaved: what disturbs the machine disturbs all
//	      start the server ─► run the load ─► stop the server  fresh processes, own ephemeral ports, loopback only
//	  medians ─► ratios, spread ─► pass, short or skipped     over 20 % spread: as many repeats again
//
// A server's CPU is its processes' user and system time over the measured window, from /proc. The load client runs
// beside the server on the same processors, for all variants alike.
//
// Everything runs on the goroutine of Run, one trial at a time; processes are stopped before Run returns. The whole
// table is bounded: every phase of a load has a longest time, every server must be ready within readyWithin.
package bench
