package netpoll

import (
	"testing"
	"testing/synctest"
	"time"
)

// The scheduler is told of one burst in each watchTime, and nothing is set while there are none.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch()
		defer w.close()
		for _, step := range []struct {
			after time.Duration
			begin bool
			set   bool
		}{
			{0, true, true}, // by newWatch
			{watchTime - 1, true, true},
			{1, false, false},
			{time.Hour, false, false},
			{0, true, true},
			{watchTime - 1, true, true}, // which does not set it anew
			{1, false, false},
			{0, true, true},
		} {
			time.Sleep(step.after)
			synctest.Wait()
			if step.begin {
				w.begin()
			}
			if w.set.Load() != step.set {
				t.Errorf("%+v: set is %v", step, !step.set)
			}
		}
	})
}
