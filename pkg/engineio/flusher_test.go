//go:build unix

package engineio

import "testing"

// A broadcast that is gathered belongs to one worker, which lets it leave with few system
// calls. One that is written to each connection by itself is shared among workers, with a
// ring and without: its bytes are what takes time.
func TestWorkersShareALongBroadcast(t *testing.T) {
	const clients = 200
	short, long := NewTextFrame(make([]byte, 1<<10)), NewTextFrame(make([]byte, maxGathered+1))
	for _, test := range []struct {
		name          string
		ring          bool
		frames        []*Frame
		workers, take int
	}{
		{"short, with a ring", true, []*Frame{short}, 1, clients},
		{"short, without", false, []*Frame{short}, 2, takeAtOnce},
		{"long, with a ring", true, []*Frame{long}, 2, takeAtOnce},
		{"long, without", false, []*Frame{long}, 2, takeAtOnce},
		{"one of two is long", true, []*Frame{short, long}, 2, takeAtOnce},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r running
			ring := &faultyRing{}
			if test.ring {
				ring.calls = 1
			}
			f := &flusher{max: 2, running: &r, ring: ring, worker: func() {}}
			s := &Server{flusher: f}
			conn := func() *Conn { return &Conn{server: s, sender: sender{ws: new(wsTransport)}} }
			b := s.NewBatch()
			for range clients {
				b.Send(conn(), test.frames...)
			}
			b.Flush()
			if f.workers != test.workers {
				t.Errorf("%d workers are started, want %d", f.workers, test.workers)
			}
			w := new(writer)
			if n := len(f.take(w)); n != test.take {
				t.Errorf("a worker takes %d connections, want %d", n, test.take)
			}
			for len(f.take(w)) > 0 {
			}
			if b.Send(conn(), short); b.long {
				t.Error("the next batch counts as long")
			}
			if b.Flush(); f.line.long {
				t.Error("the line counts as long when all that was in it is taken")
			}
		})
	}
}
