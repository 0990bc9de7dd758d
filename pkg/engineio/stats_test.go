package engineio

import (
	"strings"
	"testing"
	"time"
)

// Every message, packet and write is counted once, over either transport.
func TestStatsOfTraffic(t *testing.T) {
	srv := serve(t, Options{})
	alice, bob := dialWebSocket(t, srv, 4), dialPolling(t, srv, 3)
	alicesPeer, bobsPeer := srv.accept(t), srv.accept(t)
	if alicesPeer.Transport() != WebSocket {
		alicesPeer, bobsPeer = bobsPeer, alicesPeer
	}
	eventually(t, "both open packets are counted", func() bool { return srv.Sent().Frames == 2 && srv.Census().QueuedBytes == 0 })
	before := srv.Sent()

	alice.sendText(t, "4hello")
	alicesPeer.want(t, "hello")
	if res := bob.do("POST", "text/plain", strings.NewReader("3:4ab3:4cd")); res.body != "ok" {
		t.Fatal(res)
	}
	bobsPeer.want(t, "ab", "cd")
	if messages, bytes := srv.Stats().Received(); messages != 3 || bytes != 9 {
		t.Errorf("received %d messages of %d bytes, want 3 of 9", messages, bytes)
	}

	b := srv.NewBatch()
	f := NewTextFrame([]byte("to all"))
	for _, p := range []*peer{alicesPeer, bobsPeer} {
		b.Send(p.Conn, f, f)
	}
	if n := srv.Census(); n.QueuedBytes != 4*f.size() || n.LargestQueue != 2*f.size() || n.Waiting != 2 {
		t.Errorf("while it waits: %+v", n)
	}
	b.Flush()
	alice.wantText(t, "4to all")
	alice.wantText(t, "4to all")
	const body = "7:4to all7:4to all"
	if res := bob.get(t); res.body != body {
		t.Errorf("polled %q", res.body)
	}
	want := Sent{Frames: before.Frames + 4, Bytes: before.Bytes + uint64(2*f.size()) + uint64(len(body)), Writes: before.Writes + 2}
	if srv.IOUring() == nil {
		want.Batched = before.Batched + 1 // what went to alice
	}
	eventually(t, "all that was sent is counted", func() bool { return srv.Sent() == want })
	eventually(t, "nothing is queued any more", func() bool { // it is counted off when it has been written
		n := srv.Census()
		return n.Open == [2][2]int{{1, 0}, {0, 1}} && n.QueuedBytes == 0 && n.Waiting == 0
	})
}

func TestStatsOfRefusals(t *testing.T) {
	srv := serve(t, Options{Origins: []string{"https://good.example"}})
	client := newHTTPClient(t)
	for query, what := range map[string]string{
		"EIO=4&transport=pigeon":           "unknown transport",
		"EIO=4&transport=polling&sid=none": "unknown session",
		"EIO=4&transport=websocket":        "bad request",
	} {
		before := srv.Stats().Refused()[what]
		request(client, "GET", srv.url("http", query), "", nil)
		if n := srv.Stats().Refused()[what]; n != before+1 {
			t.Errorf("%s: %q counted %d times", query, what, n-before)
		}
	}
	request(client, "POST", srv.url("http", "EIO=4&transport=polling"), "text/plain", nil)
	if n := srv.Stats().Refused()["bad method"]; n != 1 {
		t.Errorf("bad method: %d", n)
	}
}

// Connections that no worker has taken yet are seen.
func TestStatsOfWorkers(t *testing.T) {
	srv := serve(t, Options{})
	alice := dialWebSocket(t, srv, 4)
	server := srv.accept(t)
	bob := dialWebSocket(t, srv, 4)
	bobsServer := srv.accept(t)
	eventually(t, "the open packets have left", func() bool { return server.Writable() && bobsServer.Writable() })
	f := srv.flusher
	f.mu.Lock()
	most := f.max
	f.max = 0 // nobody works
	f.mu.Unlock()
	server.sendText("hello")
	if n := srv.Census(); n.Scheduled != 1 || n.Waiting != 1 {
		t.Errorf("%+v", n)
	}
	f.mu.Lock()
	f.max = most
	f.mu.Unlock()
	bobsServer.sendText("work again")
	alice.wantText(t, "4hello")
	bob.wantText(t, "4work again")
}

func TestStatsOfHeartbeats(t *testing.T) {
	timed(t, "round trip", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, _ := dialPipe(t, srv, 4, false)
		alice.send(t, "3") // nobody asked: nothing to measure
		alice.wantText(t, "2")
		c.at(c.now() + 3*time.Second)
		alice.send(t, "3")
		c.at(c.now() + time.Second)
		if s := srv.Stats().RoundTrip(); s.Count != 1 || s.Sum != 3*time.Second {
			t.Errorf("%d round trips of %v", s.Count, s.Sum)
		}
	})
}
