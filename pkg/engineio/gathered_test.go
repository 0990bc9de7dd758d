//go:build unix

package engineio

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"socketio-chat/pkg/engineio/internal/netpoll"
	"socketio-chat/pkg/uring"
)

// A broadcast leaves by the ring where there is one, and by nothing else where there is
// none: everybody gets it.
func TestBroadcastByRing(t *testing.T) {
	for _, off := range []bool{false, true} {
		t.Run(fmt.Sprintf("off=%v", off), func(t *testing.T) {
			srv := serve(t, Options{NoIOUring: off})
			var clients []*wsClient
			b := srv.NewBatch()
			for i := range 10 {
				clients = append(clients, dialWebSocket(t, srv, 3+i%2))
				b.Send(srv.accept(t).Conn, NewTextFrame([]byte("hello")), NewTextFrame([]byte("all")))
			}
			b.Flush()
			for _, c := range clients {
				c.wantText(t, "4hello")
				c.wantText(t, "4all")
			}
			if off && srv.IOUring() == nil {
				t.Error("it is in use though it is off")
			}
			eventually(t, "the way is counted", func() bool { return (srv.Sent().Batched > 0) == (srv.IOUring() == nil) })
		})
	}
}

// A faultyRing is a ring on a bad day: a socket takes a part or nothing, the kernel leaves
// out the last ones or does not say what it did, and after some calls it refuses for good.
type faultyRing struct {
	mu     sync.Mutex
	rnd    *rand.Rand
	calls  int            // that are left
	unsure map[int32]bool // descriptors whose send was not answered
}

var errRefused = fmt.Errorf("io_uring_enter: %w", syscall.EPERM)

func (r *faultyRing) Send(sends []uring.Send) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls <= 0 {
		return 0
	}
	r.calls--
	tried := len(sends) - max(0, r.rnd.IntN(8)-4)
	for i := range sends[:max(tried, 0)] {
		s := &sends[i]
		switch data := s.Data; r.rnd.IntN(8) {
		case 0:
			s.Err = syscall.EAGAIN
		case 1:
			s.Err = syscall.EINTR
		case 2:
			s.N, s.Err = netpoll.FD(s.FD).Send(data[:r.rnd.IntN(len(data))])
		default:
			if s.N, s.Err = netpoll.FD(s.FD).Send(data); r.rnd.IntN(2000) == 0 {
				s.Err = uring.ErrUnanswered
				r.unsure[s.FD] = true
			}
		}
	}
	return max(tried, 0)
}

func (r *faultyRing) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls <= 0 {
		return errRefused
	}
	return nil
}

func (*faultyRing) Close() {}

// Whatever the ring does, each client gets each frame once, whole and in order; one whose
// send was not answered is closed, since nobody knows, and has no gap until then.
func TestFaultyRing(t *testing.T) {
	const clients, rounds = 24, 120
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			srv := serve(t, Options{})
			ring := &faultyRing{rnd: rand.New(rand.NewPCG(seed, 3)), calls: 5 + int(seed)*30, unsure: map[int32]bool{}}
			srv.flusher.ring.Close()
			srv.flusher.ring, srv.flusher.noRing = ring, nil
			var conns []*Conn
			var readers sync.WaitGroup
			for i := range clients {
				alice := dialWebSocket(t, srv, 3+i%2)
				p := srv.accept(t)
				conns = append(conns, p.Conn)
				readers.Go(func() { readRounds(t, ring, alice, p, rounds) })
			}
			b := srv.NewBatch()
			rnd := rand.New(rand.NewPCG(seed, 4))
			for n := range rounds {
				data := asText(pattern(n, rnd.IntN(300)))
				if n%20 == 0 {
					data = asText(pattern(n, maxGathered+1))
				}
				f := NewTextFrame(fmt.Appendf(nil, "%06d", n), data)
				for _, c := range conns {
					b.Send(c, f)
				}
				if n%3 == 0 {
					continue // two rounds leave together
				}
				b.Flush()
				for _, c := range conns {
					<-c.Drained()
				}
			}
			b.Flush()
			readers.Wait()
			if seed == 0 && !errors.Is(srv.IOUring(), syscall.EPERM) {
				t.Errorf("it is in use still: %v", srv.IOUring())
			}
		})
	}
}

func readRounds(t *testing.T, ring *faultyRing, alice *wsClient, p *peer, rounds int) {
	for n := range rounds {
		_, data, err := alice.tryRead()
		if err != nil {
			ring.mu.Lock()
			unsure := ring.unsure[int32(p.sender.ws.fd)]
			ring.mu.Unlock()
			if !unsure || p.Open() {
				t.Errorf("closed before frame %d of %d: %v", n, rounds, err)
			}
			return
		}
		if got, want := string(data[1:7]), fmt.Sprintf("%06d", n); got != want {
			t.Errorf("got frame %q, want %s", got, want)
			return
		}
	}
}
