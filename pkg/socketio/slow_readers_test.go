package socketio

import (
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/engineio"
)

// One sender does not cut off those who read as fast as their lines can: eight messages of 900 KB, sent as fast as
// the server takes them, reach fifty readers on lines of 8 to 24 Mbit/s (ten under the race detector). Without a bound of bytes by sender all
// eight would wait for each of them at once.
func TestOneSenderDoesNotCutOffSlowReaders(t *testing.T) {
	for name, tt := range map[string]struct {
		limits Limits
		cut    bool
	}{
		"bytes by sender are bounded": {Limits{BytesPerSecond: 500_000}, false},
		"bytes are not bounded":       {Limits{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{Limits: tt.limits})
				defer b.end()
				relay(b.Server)
				alice := b.join(nil)
				var readers []*bubbler
				for i := range readersOnLines {
					r := b.join(nil)
					r.setLine(1_000_000 + i*2_000_000/readersOnLines)
					readers = append(readers, r)
				}
				alice.say(8, 900_000)
				time.Sleep(30 * time.Second) // the clock is the bubble's
				if cut := b.Engine().Stats().Closed(engineio.SlowClient) > 0; cut != tt.cut {
					t.Errorf("cut off: %v, want %v", cut, tt.cut)
				}
				for i, r := range readers {
					if got := r.events(); got != 8 && !tt.cut {
						t.Errorf("%d heard %d of 8", i, got)
					}
					r.conn.Close()
				}
				alice.conn.Close()
			})
		})
	}
}
