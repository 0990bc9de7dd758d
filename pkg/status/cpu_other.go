//go:build !unix

package status

import "time"

// cpuTime is not known here.
func cpuTime() time.Duration { return 0 }
