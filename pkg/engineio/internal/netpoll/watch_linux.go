package netpoll

import (
	"sync/atomic"
	"syscall"
	"time"
)

// A watch keeps Go's watch thread at its work, at little cost.
//
// Most of what is read and sent here is not told to the scheduler (see maxRaw, and package uring), so its watch thread
// sleeps on when a burst begins. But it is what takes the processor from a goroutine that computes for more than 10 ms: were
// it to sleep, a program's own code could keep all processors from everybody else. It wakes for the next
// timer that it knew of when it went to sleep, and for a system call that the scheduler is told of. So the first burst
// in watchTime makes such a call, and sets a timer, which does nothing but let the next one do so: whatever computes, the
// thread looks after watchTime at the latest.
type watch struct {
	set   atomic.Bool
	timer *time.Timer
}

const watchTime = 50 * time.Millisecond

func newWatch() *watch {
	w := new(watch)
	w.timer = time.AfterFunc(watchTime, func() { w.set.Store(false) })
	w.set.Store(true)
	return w
}

// begin is called when a burst begins, by one goroutine.
func (w *watch) begin() {
	if w.set.CompareAndSwap(false, true) {
		w.timer.Reset(watchTime)
		_, _, _ = syscall.Syscall(syscall.SYS_GETPID, 0, 0, 0) // any that the scheduler is told of
	}
}

func (w *watch) close() { w.timer.Stop() }
