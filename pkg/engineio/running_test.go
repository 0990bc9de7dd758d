package engineio

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// spares is how many goroutines wait for work.
func (r *running) spares() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.spare)
}

// crowd runs n functions at the same time, and returns when they have.
func (r *running) crowd(n int) {
	var all sync.WaitGroup
	together := make(chan struct{})
	for range n {
		all.Add(1)
		r.start(func() {
			defer all.Done()
			<-together
		})
	}
	close(together)
	all.Wait()
	synctest.Wait()
}

// Goroutines wait for more work, and end when there has been none for a while.
func TestRunningKeepsGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r running
		r.crowd(10)
		if n := r.spares(); n != 10 {
			t.Fatalf("%d goroutines wait after work for 10", n)
		}
		r.crowd(3)
		if n := r.spares(); n != 10 {
			t.Errorf("%d goroutines wait: 10 could have done the work", n)
		}
		time.Sleep(trimEvery + time.Millisecond) // what came before it was busy until then, or not
		r.crowd(3)
		time.Sleep(trimEvery)
		synctest.Wait()
		if n := r.spares(); n != 3 {
			t.Errorf("%d goroutines wait where 3 were needed", n)
		}
		time.Sleep(2 * trimEvery)
		synctest.Wait()
		if n := r.spares(); n != 0 || r.armed {
			t.Errorf("%d goroutines wait for nothing", n)
		}
		r.crowd(maxSpare + 20)
		if n := r.spares(); n != maxSpare {
			t.Errorf("%d goroutines wait, want no more than %d", n, maxSpare)
		}
		r.dismiss()
		if err := r.wait(context.Background()); err != nil {
			t.Error(err)
		}
		r.crowd(3)
		if n := r.spares(); n != 0 {
			t.Errorf("%d goroutines wait after they were dismissed", n)
		}
	})
}

// wait returns when no work is done, whoever waits for more; also when work ends
// its goroutine.
func TestRunningWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r running
		defer r.dismiss()
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
