package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/config"
	"socketio-chat/pkg/socketio/sockettest"
)

var (
	churnCycles = flag.Int("churn", 600, "how many clients TestChurn lets come and go")
	churnSeed   = flag.Uint64("churn.seed", 0, "what decides how they do; 0: another one each time")
)

// churnSettings make the server give up on its clients within a fraction of a second.
var churnSettings = []string{"HOST=127.0.0.1", "NODE_PORT=0", "LOG_LEVEL=error", "CHAT_JOIN_NOTICE=false",
	"CHAT_HISTORY=50", "RECOVERY_SECONDS=1", "MAX_CONNECTIONS_PER_ADDRESS=100000",
	"PING_INTERVAL_MS=250", "PING_TIMEOUT_MS=1500", "UPGRADE_TIMEOUT_MS=250", "CONNECT_TIMEOUT_MS=1000",
	"HEADER_TIMEOUT_MS=1000", "BODY_TIMEOUT_MS=1000"}

// churnServer is the whole server, page and all, within reach of the test.
type churnServer struct {
	chat *chatParts
	addr string
}

func startChurnServer(t testing.TB) *churnServer {
	t.Helper()
	cfg, err := config.Load(churnSettings, "")
	if err != nil {
		t.Fatal(err)
	}
	log := newLogger(cfg.Log, io.Discard)
	chat, err := newChat(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	server, err := newHTTPServer(cfg, chat, log)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", cfg.HTTP.Addr())
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := server.Shutdown(ctx, chat.Close); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return &churnServer{chat, l.Addr().String()}
}

// quiet waits until nobody is left, in any of the places that know of clients.
func (s *churnServer) quiet(t testing.TB) {
	t.Helper()
	eventually(t, "no session is left", func() bool { return s.chat.Clients() == 0 })
	eventually(t, "no address is counted", func() bool {
		stats := s.chat.limiter.Stats()
		return stats.Sessions == 0 && stats.Addresses == 0
	})
	eventually(t, "no socket and no room is left", func() bool {
		for _, name := range []string{"/", "/chat"} {
			ns := s.chat.io.Of(name)
			if ns.Sockets().Len() != 0 || ns.Adapter().Rooms().Len() != 0 || ns.Adapter().Sids().Len() != 0 {
				return false
			}
		}
		return s.chat.io.Engine().Len() == 0
	})
}

// footprint is what the process holds when it is quiet.
type footprint struct {
	goroutines, descriptors int
	heap                    uint64 // bytes that live
}

func measure() footprint {
	runtime.GC()
	runtime.GC() // what the first one only finalized, and what pools have kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, _ := os.ReadDir("/proc/self/fd")
	return footprint{runtime.NumGoroutine(), len(open), m.HeapAlloc}
}

// heapSlack is by how much a heap may differ that holds the same things.
const heapSlack = 1 << 20

// However clients come, whatever they do and however rudely they go: one that is polite is served all the while,
// and afterwards the server holds what it held before. `go test -churn 20000` takes it further.
func TestChurn(t *testing.T) {
	seed := cmp.Or(*churnSeed, uint64(time.Now().UnixNano()))
	t.Logf("-churn.seed %d", seed)
	s := startChurnServer(t)
	s.churn(t, len(rudeness), inTurn) // what is made once is made now
	s.churn(t, len(rudeness), inTurn)
	s.quiet(t)
	before := measure()
	start := time.Now()
	rude := make(chan struct{})
	go func() {
		defer close(rude)
		var silent sync.WaitGroup
		if *churnCycles >= longChurn {
			s.wait(t, &silent)
		}
		s.churn(t, *churnCycles, atRandom(seed))
		silent.Wait()
	}()
	talks := 0
	t.Run("polite", func(t *testing.T) { talks = s.talk(t, rude) })
	s.quiet(t)
	var after footprint
	defer func() {
		if t.Failed() {
			_ = pprof.Lookup("goroutine").WriteTo(t.Output(), 1)
		}
		t.Logf("before %+v, after %+v", before, after)
	}()
	eventually(t, fmt.Sprintf("the baseline again: %+v", before), func() bool {
		after = measure()
		return after.goroutines <= before.goroutines && after.descriptors <= before.descriptors && after.heap <= before.heap+heapSlack
	})
	opened := s.chat.io.Engine().Stats().Opened()
	t.Logf("%d cycles in %v, %d sessions, %d polite messages", *churnCycles, time.Since(start).Round(time.Millisecond), opened, talks)
	if opened < uint64(*churnCycles)/2 {
		t.Errorf("only %d sessions were opened", opened)
	}
}

// talk is the polite client: until the others have gone it says something and hears it, once, before it goes on. It
// returns how often.
func (s *churnServer) talk(t *testing.T, until <-chan struct{}) (n int) {
	t.Helper()
	alice := sockettest.Connect(t, s.chat.io, chat.Namespace)
	defer func() {
		<-until // also if she fails: the others go on with the server
	}()
	pace := time.NewTicker(5 * time.Millisecond) // that of somebody who talks fast
	defer pace.Stop()
	for {
		select {
		case <-until:
			return n
		case <-pace.C:
		}
		n++
		alice.Emit(chat.MsgToServer, map[string]any{"name": "alice", "text": n})
		for {
			var heard struct {
				Name string `json:"name"`
				Text int    `json:"text"`
			}
			e := alice.Next()
			if e.Name != chat.MsgToClient || len(e.Args) == 0 || e.Args[0].Decode(&heard) != nil || heard.Name != "alice" {
				continue // the others'
			}
			if heard.Text != n {
				t.Fatalf("the polite client heard its message %d, want %d", heard.Text, n)
			}
			break
		}
	}
}

// longChurn is from how many cycles on there is time for clients that make the server wait.
const longChurn = 10_000

// wait adds clients that never answer a close frame: the server gives them five seconds.
func (s *churnServer) wait(t testing.TB, all *sync.WaitGroup) {
	for i := range 200 {
		all.Go(func() {
			c := &rudeClient{t: t, addr: s.addr, eio: 3 + i%2}
			for c.open().join(); len(c.last) > 0; c.hear() {
				continue
			}
			c.leave()
		})
	}
}

// A choice is how the next client behaves, among those that come at the same time.
type choice func(i int, c *rudeClient) (way func(*rudeClient))

// inTurn lets each way have its turn, with both protocols and ends.
func inTurn(i int, c *rudeClient) func(*rudeClient) {
	round := i / len(rudeness)
	c.eio, c.reset = 3+round%2, round/2%2 == 0
	return rudeness[i%len(rudeness)].do
}

// atRandom chooses by a seed. One client in three leaves in the middle of whatever it does.
func atRandom(seed uint64) choice {
	return func(i int, c *rudeClient) func(*rudeClient) {
		rng := rand.New(rand.NewPCG(seed, uint64(i))) // the same for each client, however they are scheduled
		c.eio, c.reset = 3+rng.IntN(2), rng.IntN(2) == 0
		if rng.IntN(3) == 0 {
			c.patience = time.Duration(1 + rng.IntN(int(300*time.Millisecond)))
		}
		return rudeness[rng.IntN(len(rudeness))].do
	}
}

// churn lets n clients come and go, some at a time.
func (s *churnServer) churn(t testing.TB, n int, choose choice) {
	const atOnce = 48
	var next atomic.Int64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				c := &rudeClient{t: t, addr: s.addr}
				choose(i, c)(c)
				c.leave()
			}
		})
	}
	all.Wait()
}
