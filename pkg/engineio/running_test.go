package engineio

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// wait returns when no work is done; also when work ends its goroutine.
func TestRunningWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r running
		var done atomic.Int64
		for i := range 20 {
			r.start(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				done.Add(1)
				if i%3 == 0 {
					runtime.Goexit()
				}
			})
		}
		if err := r.wait(context.Background()); err != nil || done.Load() != 20 {
			t.Errorf("%v, with %d done", err, done.Load())
		}
		r.start(func() { time.Sleep(time.Second) })
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if r.wait(ctx) == nil {
			t.Error("wait returned while work was done")
		}
		_ = r.wait(context.Background())
	})
}
