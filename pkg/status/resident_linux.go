package status

import (
	"bytes"
	"os"
	"strconv"
)

// residentMemory is what the process occupies of the machine's memory, in bytes: what ps, top and a container's limit count.
func residentMemory() uint64 {
	text, err := os.ReadFile("/proc/self/statm") // size resident shared …, in pages
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
