package engineio

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
)

// However many clients take nothing, over WebSocket or by never polling: what waits for
// all of them together is little more than what waits for one, because a broadcast is
// one frame; those who read get everything meanwhile; and when it gets too much the slow
// ones go, each told why.
func TestManySlowClients(t *testing.T) {
	const slowOnes, size, queue = 150, 32 << 10, 1 << 20
	srv := serveSmall(t, Options{QueueBytes: queue})
	var slow []*peer
	var urls []string
	client := newHTTPClient(t)
	for i := range slowOnes {
		if i%2 == 0 {
			dialSlow(t, srv, 3+i/2%2)
		} else {
			url := srv.url("http", "EIO=4&transport=polling")
			urls = append(urls, url+"&sid="+sid(request(client, http.MethodGet, url, "", nil).body))
		}
		slow = append(slow, srv.accept(t))
	}
	alice, bob := dialWebSocket(t, srv, 4), dialPolling(t, srv, 4)
	aliceHere, bobHere := srv.accept(t), srv.accept(t)
	everybody := append([]*peer{aliceHere, bobHere}, slow...)

	before := liveHeap()
	n := 0
	broadcast := func() {
		b := srv.NewBatch()
		data := asText(pattern(n, size))
		f := NewTextFrame(data)
		for _, p := range everybody {
			b.Send(p.Conn, f)
		}
		b.Flush()
		n++
		alice.wantText(t, "4"+string(data)) // now, whatever the others do
		bob.wantPoll(t, "4"+string(data))
	}
	for n < queue/size-1 {
		broadcast()
	}
	for _, p := range slow {
		if !p.Open() {
			t.Fatal("a client was closed before its queue was full")
		}
	}
	if grown := liveHeap() - before; grown > 8*queue {
		t.Errorf("%d KiB wait for %d clients of which each may have %d KiB", grown>>10, slowOnes, queue>>10)
	}
	open := func() (count int) {
		for _, p := range slow {
			if p.Open() {
				count++
			}
		}
		return count
	}
	for open() > 0 {
		if n > 10*queue/size {
			t.Fatalf("%d slow clients are still there", open())
		}
		broadcast()
	}
	for _, p := range slow {
		p.wantClosed(t, SlowClient)
	}
	if closed := srv.Stats().Closed(SlowClient); closed != slowOnes || !aliceHere.Open() || !bobHere.Open() {
		t.Errorf("%d closed", closed)
	}
	for _, url := range urls {
		if res := request(client, http.MethodGet, url, "", nil); res.status != 400 || res.body != `{"code":1,"message":"Session ID unknown: slow client"}` {
			t.Fatalf("a poll too late: %d %q", res.status, res.body)
		}
	}
}

// liveHeap is how many bytes are in use after all garbage is gone.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Messages of a few bytes fill a queue by their number.
func TestTinyFramesAreBounded(t *testing.T) {
	const queue = 64 << 10
	srv := serve(t, Options{QueueBytes: queue})
	dialPolling(t, srv, 4)
	server := srv.accept(t)
	f := NewTextFrame(nil)
	sent := 0
	for ; server.Send(f); sent++ {
		if sent > queue/frameCost {
			t.Fatalf("%d frames wait", sent)
		}
	}
	if sent < queue/frameCost/2 {
		t.Errorf("only %d frames could wait", sent)
	}
	server.wantClosed(t, SlowClient)
}

// What is said to one client alone is bounded for that client, however it is sent: pongs
// for a flood of pings, refusals, acknowledgements.
func TestAnswersAreBounded(t *testing.T) {
	srv := serveSmall(t, Options{QueueBytes: 64 << 10})
	mallory := dialSlow(t, srv, 4)
	server := srv.accept(t)
	server.answerWith(func(m message) { server.sendText(string(m)) })
	server.mu.Lock()
	server.forget = true
	server.mu.Unlock()
	ping, text := masked(0x89, make([]byte, 125)), masked(0x81, append([]byte{'4'}, make([]byte, 1000)...))
	for i := 0; server.Open(); i++ {
		raw := ping
		if i%2 == 0 {
			raw = text
		}
		if mallory.tryWrite(raw) != nil {
			break
		}
	}
	server.wantClosed(t, SlowClient)
}

// Only the latest are remembered.
func TestGoneSlowIsBounded(t *testing.T) {
	var g goneSlow
	for i := range 3 * goneSlowLimit {
		g.add(fmt.Sprint(i))
	}
	if len(g.ids) != goneSlowLimit || len(g.ring) != goneSlowLimit {
		t.Errorf("%d and %d are remembered", len(g.ids), len(g.ring))
	}
	for i, want := range map[int]bool{0: false, 2*goneSlowLimit - 1: false, 2 * goneSlowLimit: true, 3*goneSlowLimit - 1: true} {
		if got := g.text(fmt.Sprint(i)) != ""; got != want {
			t.Errorf("%d is remembered: %v", i, got)
		}
	}
}
