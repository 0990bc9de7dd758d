// Package message writes the chat messages of a load run and recognises them again when they come back.
//
// Every text begins with a mark of fixed width that tells who sent it, as which in its order, and when:
//
//	~ 3f2a 0007 0000012c 00a41f3e ........
//	│ │    │    │        │        └ padding to the wanted size
//	│ │    │    │        └ microseconds since the run began, 8 hexadecimal digits (71 minutes)
//	│ │    │    └ sequence number of that sender, from 0, 8 digits
//	│ │    └ sender, 4 digits
//	│ └ run, 4 digits: messages of others are not taken for ours
//	└ MarkByte
//
// (without the spaces). All messages of a run have the same length, so a receiver compares what surrounds the mark
// with two memory comparisons and never parses JSON. A server that rebuilds its JSON (key order, spacing) is still
// understood, by a slower path.
//
// A Format is immutable and may be used by any number of goroutines.
package message
