//go:build unix

package status

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used so far, in its own code and in the system's.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil { // never, with these arguments
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
