//go:build linux

package run

import (
	"context"
	"slices"
	"time"
)

// awaitJoins waits until all clients have heard of every later one, and then of all that may still come; or until
// nothing has been heard for long.
func (r *runner) awaitJoins(ctx context.Context, start time.Duration) error {
	r.begin("joining", 0)
	n := uint64(r.out.Connect.Joined)
	expected := n * (n + 1) / 2
	r.out.Connect.Expected = expected
	from := r.now()
	err := r.wait(ctx, MaxPhase, func() bool {
		s := r.sum()
		patience := max(r.cfg.Drain, time.Second)
		if s.notices >= expected {
			patience = quiet
		}
		return r.now()-max(s.lastNotice, from) > patience
	})
	r.out.Connect.NoticeSeconds = max(r.sum().lastNotice-start, 0).Seconds()
	r.out.Connect.Missed = r.missedJoins()
	return err
}

// missedJoins is how many join notices were lost, at least. The k-th client that a server lets in must hear of itself
// and of everybody after it: n-k+1 notices. Notices do not say whom they mean, and of two clients that come at the same
// moment each may hear of the other; so the clients' counts are compared with n, n-1 … 1 in descending order.
func (r *runner) missedJoins() uint64 {
	var heard []uint64
	for _, w := range r.workers {
		w.ask(func() {
			for _, m := range w.members {
				if m.joined {
					heard = append(heard, m.notices)
				}
			}
		})
	}
	return shortfall(heard)
}

// shortfall sums up how far the counts, in descending order, stay below n, n-1 … 1.
func shortfall(heard []uint64) uint64 {
	slices.Sort(heard)
	missed := uint64(0)
	for i, got := range heard {
		if want := uint64(i + 1); got < want {
			missed += want - got
		}
	}
	return missed
}
