//go:build linux

package run

import (
	"testing"
	"time"
)

// Over all workers, message k is due k/rate after the start and belongs to sender k mod senders.
func TestPace(t *testing.T) {
	p := pacer{start: time.Second, interval: float64(time.Second) / 400, senders: 4}
	for number, want := range []time.Duration{0, 2500 * time.Microsecond, 5 * time.Millisecond} {
		if got := p.due(number); got != time.Second+want {
			t.Errorf("message %d is due at %v, want %v", number, got, time.Second+want)
		}
	}
	// No drift, even after a long time with an odd rate.
	p.interval = float64(time.Second) / 3
	if got, want := p.due(3*3600), time.Second+time.Hour; got < want-time.Microsecond || got > want+time.Microsecond {
		t.Errorf("after an hour: %v, want %v", got, want)
	}
}
