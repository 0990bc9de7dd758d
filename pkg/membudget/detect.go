package membudget

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// Detect returns the limit of this process in bytes: GOMEMLIMIT, or that of its container; 0 if there is
// none.
func Detect() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit
	}
	return containerLimit(os.ReadFile)
}

// containerLimit reads the limit of the control group, of version 2 or 1, as a container sees it.
func containerLimit(read func(name string) ([]byte, error)) int64 {
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		b, err := read(name)
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
		if err == nil && limit > 0 && limit < unlimited {
			return limit
		}
		return 0 // "max"
	}
	return 0
}

// unlimited is less than what version 1 says for no limit.
const unlimited = 1 << 60
