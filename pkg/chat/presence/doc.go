// Package presence knows who is in which room, on this instance and the others.
//
//	Enter, Leave, Rename ──► crowd of this instance ─┐
//	                              │ beat: what changed│ sum of all: People, and what changed ──► Options.Changed, at most once a beat
//	                              ▼                   │
//	Options.Gossip ──► other instances ──► Registry.Hear: their crowds
//
// Each instance tells the others, once a beat, the new counts of the names whose count has changed, with a version that grows by one each time;
// when nothing has, that it lives. An instance that misses a version, or hears of another for the first time, asks for all of it. One that has
// not been heard of for [Lost] is gone, with everybody on it. While this instance does not reach the others at all ([Options].Joined), what it
// knows of them stays, and is marked as partial.
//
// A name is a text; the name "" stands for guests, who are only counted. A room is a text, the lobby "". A Registry has one goroutine, which
// Close ends. All methods are safe for concurrent use.
package presence
