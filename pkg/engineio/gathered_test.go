//go:build unix

package engineio

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"runtime"
	"sync"
	"sync/atomic"
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
	each   int            // one of so many sends is not answered
	reads  int            // one of so many receives is not; 0: none
	unsure map[int32]bool // descriptors whose send was not answered
	lost   int            // how many such there were

	received int // how often something was received
	most     int // bytes of one call of Send
}

// useFaultyRing lets a server that does not listen yet send and receive by a faulty ring.
func (s *testServer) useFaultyRing(rnd *rand.Rand, calls, each int) *faultyRing {
	ring := &faultyRing{rnd: rnd, calls: calls, each: each, unsure: map[int32]bool{}}
	s.flusher.ring.Close()
	s.flusher.ring, s.flusher.noRing = ring, nil
	s.poller = netpoll.New(s.running.start, ring)
	return ring
}

// textOfRound is some text or, in some rounds, more than is copied, or than is gathered.
func textOfRound(rnd *rand.Rand, n int) []byte {
	size := rnd.IntN(300)
	switch n % 20 {
	case 0:
		size = maxGathered + 1
	case 8, 13: // which leave by themselves or with the round before
		size = 4 * maxCopied
	}
	return asText(pattern(n, size))
}

var errRefused = fmt.Errorf("io_uring_enter: %w", syscall.EPERM)

func (r *faultyRing) Send(sends []uring.Send) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	tried, size := r.takeLocked(len(sends)), 0
	for _, s := range sends {
		size += len(s.Data)
	}
	r.most = max(r.most, size)
	for i := range sends[:tried] {
		s := &sends[i]
		switch data := s.Data; r.rnd.IntN(8) {
		case 0:
			s.Err = syscall.EAGAIN
		case 1:
			s.Err = syscall.EINTR
		case 2:
			s.N, s.Err = netpoll.FD(s.FD).Send(data[:r.rnd.IntN(len(data))])
		default:
			if s.N, s.Err = netpoll.FD(s.FD).Send(data); r.rnd.IntN(r.each) == 0 {
				s.Err = uring.ErrUnanswered
				r.unsure[s.FD] = true
				r.lost++
			}
		}
	}
	return tried
}

// takeLocked tells how many of a call it tries.
func (r *faultyRing) takeLocked(n int) (tried int) {
	if r.calls <= 0 {
		return 0
	}
	r.calls--
	return max(0, n-max(0, r.rnd.IntN(8)-4))
}

// Receive does with receives what Send does with sends.
func (r *faultyRing) Receive(rooms []uring.Receive) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	tried := r.takeLocked(len(rooms))
	for i := range rooms[:tried] {
		s := &rooms[i]
		switch r.rnd.IntN(8) {
		case 0:
			s.Err = syscall.EINTR
			continue
		case 1: // never less than there is, as long as there is room
			s.Data = s.Data[:1+r.rnd.IntN(9)]
		}
		var again bool
		if s.N, again, s.Err = netpoll.FD(s.FD).Receive(s.Data); again {
			s.Err = syscall.EAGAIN
		}
		r.received++
		if r.reads > 0 && r.rnd.IntN(r.reads) == 0 {
			s.Err = uring.ErrUnanswered
			r.unsure[s.FD] = true
			r.lost++
		}
	}
	return tried
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
			srv := newTestServer(Options{})
			ring := srv.useFaultyRing(rand.New(rand.NewPCG(seed, 3)), 5+int(seed)*30, 2000)
			srv.listen(t, asIs)
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
				f := NewTextFrame(fmt.Appendf(nil, "%06d", n), textOfRound(rnd, n))
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

// What leaves at once is bounded: a large broadcast takes several calls, and those that stand behind it in the line
// get theirs in between.
func TestEnterIsBounded(t *testing.T) {
	srv := newTestServer(Options{})
	ring := srv.useFaultyRing(rand.New(rand.NewPCG(1, 5)), 1<<30, 1<<30)
	srv.listen(t, asIs)
	text := asText(pattern(0, maxGathered-100))
	b, f := srv.NewBatch(), NewTextFrame(text)
	var clients []*wsClient
	for range 2 * maxEntered / maxGathered {
		clients = append(clients, dialWebSocket(t, srv, 4))
		b.Send(srv.accept(t).Conn, f)
	}
	b.Flush()
	for _, c := range clients {
		c.wantText(t, "4"+string(text))
	}
	ring.mu.Lock()
	defer ring.mu.Unlock()
	if ring.most > maxEntered+writeChunk || ring.most < maxEntered/2 {
		t.Errorf("up to %d bytes left at once", ring.most)
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
		if text := data[7:]; !bytes.Equal(text, asText(pattern(n, len(text)))) {
			t.Errorf("frame %d has other bytes than were sent", n)
			return
		}
	}
}

// The same for polls, whose answers leave by the ring as well.
func TestFaultyRingPolls(t *testing.T) {
	const clients, rounds = 12, 60
	if *withoutFront || runtime.GOOS != "linux" {
		t.Skip("polls do not wait at the front")
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			srv := newTestServer(Options{})
			most := 5 + int(seed)*100
			ring := srv.useFaultyRing(rand.New(rand.NewPCG(seed, 5)), most, 100)
			srv.listen(t, asIs)
			var peers []*peer
			var ended atomic.Int32
			var readers sync.WaitGroup
			for i := range clients {
				alice := dialPolling(t, srv, 3+i%2)
				p := srv.accept(t)
				peers = append(peers, p)
				readers.Go(func() {
					if !pollRounds(t, alice, p, rounds) {
						ended.Add(1)
					}
				})
			}
			b := srv.NewBatch()
			rnd := rand.New(rand.NewPCG(seed, 6))
			for n := range rounds {
				data := textOfRound(rnd, n)
				if n == 1 { // the first that is short: it leaves by the ring
					for _, p := range peers {
						p.wantPolling(t)
					}
				}
				for _, p := range peers {
					b.Send(p.Conn, NewTextFrame(fmt.Appendf(nil, "<%06d>", n), data))
				}
				b.Flush()
				if n%3 == 0 {
					continue // the next comes while the clients are between two polls
				}
				for _, p := range peers {
					<-p.Drained()
				}
			}
			readers.Wait()
			ring.mu.Lock()
			defer ring.mu.Unlock()
			if ring.calls == most {
				t.Error("no answer left by the ring")
			}
			if n := int(ended.Load()); n > ring.lost {
				t.Errorf("%d clients were cut off, %d sends were not answered", n, ring.lost)
			}
		})
	}
}

// pollRounds polls until it has all rounds, each once and in order. It reports false when the session ended before.
func pollRounds(t *testing.T, alice *pollClient, p *peer, rounds int) bool {
	frame := regexp.MustCompile(`4<(\d{6})>`)
	for next := 0; next < rounds; {
		res := alice.do(http.MethodGet, "", nil)
		if res.err != nil || res.status != http.StatusOK {
			if p.Open() {
				t.Errorf("cut off before frame %d, and the session is open: %d, %v", next, res.status, res.err)
			}
			return false
		}
		for _, found := range frame.FindAllStringSubmatch(res.body, -1) {
			if want := fmt.Sprintf("%06d", next); found[1] != want {
				t.Errorf("got frame %q, want %s", found[1], want)
				return true
			}
			next++
		}
	}
	return true
}
