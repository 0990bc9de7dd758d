package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"socketio-chat/pkg/config"
)

var churnCycles = flag.Int("churn", 600, "how many clients TestChurn lets come and go")

// churnSettings make the server give up on its clients within a fraction of a second.
var churnSettings = []string{"HOST=127.0.0.1", "NODE_PORT=0", "LOG_LEVEL=error", "CHAT_JOIN_NOTICE=false",
	"PING_INTERVAL_MS=250", "PING_TIMEOUT_MS=250", "UPGRADE_TIMEOUT_MS=250", "CONNECT_TIMEOUT_MS=400",
	"HEADER_TIMEOUT_MS=400", "BODY_TIMEOUT_MS=400"}

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

// However clients come and however rudely they go: afterwards the server holds what it
// held before. `go test -churn 20000` takes it further.
func TestChurn(t *testing.T) {
	s := startChurnServer(t)
	s.churn(t, 2*len(rudeness)) // what is made once is made now
	s.quiet(t)
	before := measure()
	start := time.Now()
	var silent sync.WaitGroup
	if *churnCycles >= longChurn {
		s.wait(t, &silent)
	}
	s.churn(t, *churnCycles)
	silent.Wait()
	s.quiet(t)
	var after footprint
	eventually(t, fmt.Sprintf("the baseline again: %+v", before), func() bool {
		after = measure()
		return after.goroutines <= before.goroutines && after.descriptors <= before.descriptors
	})
	if after.heap > before.heap+heapSlack {
		t.Errorf("%d KiB live on the heap, %d before", after.heap>>10, before.heap>>10)
	}
	opened := s.chat.io.Engine().Stats().Opened()
	t.Logf("%d cycles in %v, %d sessions; before %+v, after %+v", *churnCycles, time.Since(start).Round(time.Millisecond), opened, before, after)
	if opened < uint64(*churnCycles)/2 {
		t.Errorf("only %d sessions were opened", opened)
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

// churn lets n clients come and go, some at a time, each in the next way.
func (s *churnServer) churn(t testing.TB, n int) {
	const atOnce = 48
	var next atomic.Int64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				way := rudeness[i%len(rudeness)]
				round := i / len(rudeness)
				c := &rudeClient{t: t, addr: s.addr, eio: 3 + round%2, reset: round/2%2 == 0}
				way.do(c)
				c.leave()
			}
		})
	}
	all.Wait()
}
