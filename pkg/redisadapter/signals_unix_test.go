//go:build unix

package redisadapter

import "syscall"

// pauseSignal makes a process stand still, resumeSignal go on.
const (
	pauseSignal  = syscall.SIGSTOP
	resumeSignal = syscall.SIGCONT
)
