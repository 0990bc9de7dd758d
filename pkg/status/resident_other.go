//go:build !linux

package status

// residentMemory is not known here.
func residentMemory() uint64 { return 0 }
