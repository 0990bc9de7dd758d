// Package line is a network in memory whose lines can be cut, jammed and slowed: for bubbles of testing/synctest, where nothing may wait
// for the world outside.
//
//	side A ── Write ──► chunks, each with its time of arrival ──► Read ── side B
//	       ◄─ Read ──── chunks ◄───────────────────────────────── Write ──
//
// A [Line] carries any number of connections; what befalls it befalls all of them. What is written takes the line's delay, and a little
// more or less, to arrive: connections are dealt their own random numbers, in the order in which they are made, so that a seed says how
// long everything takes. Unlike net.Pipe a writer does not wait for its reader, as with the buffers of a kernel, and no lock is held while
// anybody waits: a bubble's clock would stand still for it.
//
// A Line has one mutex, each direction of a connection another one, taken in that order. There are no goroutines but those of timers.
package line
