//go:build !unix

package redisadapter

import "syscall"

// No process can be paused here; the tests that need it fail.
const (
	pauseSignal  = syscall.Signal(0)
	resumeSignal = syscall.Signal(0)
)
