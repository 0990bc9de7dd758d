package chaos

import (
	"context"
	"sync"
	"time"
)

// talk makes everybody say something every so often, until the function it returns is called.
func (w *world) talk(every time.Duration) (silence func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, p := range w.people {
		if !p.speaks() {
			continue
		}
		all.Go(func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					p.says()
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// settle lets everybody say one more word, again and again, until one of each has reached everybody: then all that was
// said before has arrived, or never will.
func (w *world) settle() {
	w.t.Helper()
	round := time.NewTicker(500 * time.Millisecond)
	defer round.Stop()
	for end := time.Now().Add(patience); ; {
		last := make(map[string]int)
		for _, p := range w.people {
			if p.speaks() {
				p.says()
				last[p.name] = p.lastSaid()
			}
		}
		reached := func() bool {
			for _, p := range w.people {
				for from, seq := range last {
					if !p.hasHeard(from, seq) {
						return false
					}
				}
			}
			return true
		}
		tick := time.NewTicker(5 * time.Millisecond)
		for again := false; !again; {
			select {
			case <-tick.C:
				if reached() {
					tick.Stop()
					return
				}
			case <-round.C:
				again = true
			}
		}
		tick.Stop()
		if time.Now().After(end) {
			w.t.Fatal("not everybody hears everybody any more")
		}
	}
}
