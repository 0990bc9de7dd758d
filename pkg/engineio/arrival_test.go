//go:build linux

package engineio

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// What comes from many clients at once is received by the ring. Whatever that does, each message is received once, whole and
// in order; a client of which a part may be lost is closed, and nothing behind that part is received.
func TestFaultyRingReceives(t *testing.T) {
	const clients, rounds = 24, 60
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			srv := newTestServer(Options{})
			rnd := rand.New(rand.NewPCG(seed, 7))
			ring := srv.useFaultyRing(rand.New(rand.NewPCG(seed, 8)), 10+int(seed)*60, 100)
			ring.reads = 300
			var writing sync.Mutex // the poller waits for nothing meanwhile
			srv.poller.Inject(func() error {
				writing.Lock()
				defer writing.Unlock()
				return nil
			})
			srv.listen(t, asIs)
			type sender struct {
				alice *wsClient
				here  *peer
				fd    int32
				sent  []message
				bytes []byte // not yet written
			}
			all := make([]*sender, clients)
			for i := range all {
				alice := dialWebSocket(t, srv, 3+i%2)
				here := srv.accept(t)
				all[i] = &sender{alice: alice, here: here, fd: int32(here.transport().fd)}
			}
			for n := range rounds {
				writing.Lock()
				for _, s := range all {
					for range rnd.IntN(3) {
						text := string(asText(pattern(n, rnd.IntN([]int{9, 300, 3000}[rnd.IntN(3)]))))
						s.sent = append(s.sent, message(text))
						s.bytes = append(s.bytes, masked(0x81, []byte("4"+text))...)
					}
					cut := len(s.bytes)
					if n < rounds-1 && rnd.IntN(3) == 0 {
						cut = rnd.IntN(cut + 1)
					}
					_ = s.alice.tryWrite(s.bytes[:cut]) // may be closed
					s.bytes = s.bytes[cut:]
				}
				writing.Unlock()
			}
			for i, s := range all {
				got := s.here.receivedUntil(t, len(s.sent))
				if !slices.Equal(got, s.sent[:len(got)]) {
					t.Errorf("client %d: %d messages are not the first of %d", i, len(got), len(s.sent))
				}
				ring.mu.Lock()
				if len(got) < len(s.sent) && !ring.unsure[s.fd] {
					t.Errorf("client %d was closed after %d of %d messages", i, len(got), len(s.sent))
				}
				ring.mu.Unlock()
			}
			ring.mu.Lock()
			defer ring.mu.Unlock()
			if ring.received == 0 {
				t.Error("nothing was received by the ring")
			}
		})
	}
}

// receivedUntil returns what was received as soon as that is n messages, or the connection has ended.
func (p *peer) receivedUntil(t *testing.T, n int) []message {
	t.Helper()
	timeout := time.After(patience)
	for over := false; ; {
		p.mu.Lock()
		got := slices.Clone(p.received)
		p.mu.Unlock()
		if over || len(got) >= n {
			return got
		}
		select {
		case <-p.came:
		case <-p.ended:
			over = true
		case <-timeout:
			t.Fatalf("received %d of %d messages", len(got), n)
		}
	}
}
