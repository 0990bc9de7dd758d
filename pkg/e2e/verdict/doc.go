// Package verdict compares what people in a chat heard with what was said, while faults happened, and holds it to what the chat promises.
// Package chaos uses it for real processes, package simulation for simulated ones.
//
// A word is surely said if its speaker heard it itself, or a later word of the same connection: it was received in order. It is due to
// a listener's session (a connection and those that recovered it) if the session began before it was said and lasted to the end of the
// run, or if the listener heard a later word of the same connection of the speaker: order then proves that the earlier one was lost.
//
// Incidents excuse sessions that were not recovered: they know which faults happened when, and the reasons that the servers gave.
//
// Words:
//
//	stay      one connection of a person to one process
//	session   a stay and those that recovered it
//	run       what somebody surely said during one stay, in order
//	ending    how a process ended that is not there any more
//	strike    a fault that happened, to Redis or to one process
//	outage    when a process was not reachable through Redis
//	excuse    why a session could not be recovered, by the faults
package verdict
