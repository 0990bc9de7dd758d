package engineio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A client that is let go gets what was queued, is told, and what it sent before it
// read that is received.
func TestLeave(t *testing.T) {
	for _, protocol := range []int{3, 4} {
		t.Run(fmt.Sprintf("WebSocket, protocol %d", protocol), func(t *testing.T) {
			srv := serve(t, Options{})
			alice := dialWebSocket(t, srv, protocol)
			server := srv.accept(t)
			server.sendText("queued")
			if !server.Leave() || server.Leave() {
				t.Error("Leave does not tell whether the connection was open")
			}
			if server.Open() || server.sendText("too late") {
				t.Error("it takes frames after Leave")
			}
			alice.wantText(t, "4queued")
			alice.sendText(t, "4before I knew") // the end stands unread in front of it
			server.want(t, "before I knew")
			alice.wantCut(t)
			server.wantClosed(t, ServerShutdown)
		})
		t.Run(fmt.Sprintf("polling, protocol %d", protocol), func(t *testing.T) {
			srv := serve(t, Options{})
			bob := dialPolling(t, srv, protocol)
			server := srv.accept(t)
			poll := bob.startPoll()
			server.wantPolling(t)
			server.Leave()
			before := "4before"
			if protocol == 3 {
				before = "7:4before"
			}
			if res := await(t, poll); res.status != http.StatusBadRequest || res.body != unknownSID {
				t.Fatalf("poll: %d %q", res.status, res.body)
			}
			if protocol == 4 {
				sooner := dialPolling(t, srv, 4)
				soonerHere := srv.accept(t)
				soonerHere.sendText("queued")
				soonerHere.Leave()
				sooner.wantPoll(t, "4queued")
				sooner.wantGone(t)
				sooner.post(t, "1") // as socket.io-client does then
				soonerHere.wantClosed(t, ServerShutdown)
			}
			bob.post(t, before)
			server.want(t, "before")
			bob.wantGone(t)
			server.wantClosed(t, ServerShutdown)
			bob.wantGone(t)
		})
	}
}

// What is queued for a client that reads slowly arrives before the end, whole.
func TestLeaveFlushes(t *testing.T) {
	srv := serveSmall(t, Options{QueueBytes: 64 << 20})
	alice := dialSlow(t, srv, 4)
	server := srv.accept(t)
	const n = 40
	for i := range n {
		server.Send(NewBinaryFrame(pattern(i, 100_000)))
	}
	server.Leave()
	alice.sendText(t, "4unread while the rest arrives")
	for i := range n {
		alice.wantBinary(t, pattern(i, 100_000))
	}
	server.want(t, "unread while the rest arrives")
	alice.wantCut(t)
	alice.cut()
	server.wantClosed(t, ServerShutdown)
}

// A WebSocket that has not been answered yet is, before it ends.
func TestLeaveBeforeTheOpenPacket(t *testing.T) {
	srv := newTestServer(Options{})
	onConnect := srv.opts.OnConnect
	srv.opts.OnConnect = func(c *Conn) Receiver {
		c.Leave()
		return onConnect(c)
	}
	srv.listen(t, asIs)
	alice := dialWebSocket(t, srv, 4)
	alice.wantCut(t)
	alice.cut()
	srv.accept(t).wantClosed(t, ServerShutdown)
}

// Close after Leave means it: nothing more is received.
func TestCloseAfterLeave(t *testing.T) {
	srv := serve(t, Options{})
	alice := dialWebSocket(t, srv, 4)
	server := srv.accept(t)
	server.Leave()
	server.Close()
	alice.sendText(t, "4ignored")
	alice.wantCut(t)
	server.wantClosed(t, ServerShutdown)
}

// How long leaving may take.
func TestLeaveTimes(t *testing.T) {
	timed(t, "the peer never ends its direction", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialHalfClosing(t, srv, 4)
		server.Leave()
		alice.wantEOF(t)
		c.want(0)
		c.at(s)
		alice.send(t, "4still here")
		server.want(t, "still here")
		server.wantClosed(t, ServerShutdown)
		c.want(2 * s)
	})
	timed(t, "the connection cannot be ended by halves", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		server.Leave()
		alice.wantClose(t, "\x03\xe9server shutting down")
		c.want(0)
		server.wantClosed(t, ServerShutdown)
		c.want(5 * s)
		alice.wantEOF(t)
	})
	timed(t, "the peer takes nothing", Options{WriteTimeout: time.Hour}, func(t *testing.T, srv *testServer, c clock) {
		_, server := dialPipe(t, srv, 4, true)
		server.sendText("x")
		server.Leave()
		server.wantClosed(t, ServerShutdown)
		c.want(30 * s)
	})
	timed(t, "nobody polls", Options{}, func(t *testing.T, srv *testServer, c clock) {
		_ = srv.request("GET", "EIO=4&transport=polling", nil)
		server := <-srv.peers
		server.Leave()
		server.wantClosed(t, ServerShutdown)
		c.want(30 * s)
	})
	timed(t, "after a poll was answered", Options{}, func(t *testing.T, srv *testServer, c clock) {
		query := "EIO=4&transport=polling"
		query += "&sid=" + sid(srv.request("GET", query, nil).Body.String())
		server := <-srv.peers
		server.Leave()
		if res := srv.request("GET", query, nil); res.Code != http.StatusBadRequest || res.Body.String() != unknownSID {
			t.Fatalf("polled %d %q", res.Code, res.Body)
		}
		c.at(s / 2)
		_ = srv.request("GET", query, nil) // prolongs nothing
		_ = srv.request("POST", query, strings.NewReader("4late"))
		server.want(t, "late")
		server.wantClosed(t, ServerShutdown)
		c.want(s)
	})
}

// A drain that is given no time waits less for clients that do not end their side.
func TestDrainAtOnce(t *testing.T) {
	timed(t, "WebSocket and polling", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, _ := dialHalfClosing(t, srv, 4)
		query := "EIO=4&transport=polling"
		query += "&sid=" + sid(srv.request("GET", query, nil).Body.String())
		go srv.request("GET", query, nil)
		synctest.Wait()
		if err := srv.Drain(t.Context(), 0); err != nil {
			t.Error(err)
		}
		c.want(4 * s / 10)
		alice.wantEOF(t)
	})
}

// Drain spreads the closes over the time it is given, and needs less for a few.
func TestDrainIsPaced(t *testing.T) {
	for _, tt := range []struct {
		clients int
		over    time.Duration
		want    time.Duration // until the last has been told
	}{
		{1, 15 * s, 0},
		{10, 15 * s, 0},
		{11, 15 * s, s / 10},
		{45, 15 * s, 4 * s / 10},
		{400, 2 * s, 19 * s / 10}, // 20 at a time
		{400, 0, 0},
	} {
		timed(t, fmt.Sprintf("%d clients over %v", tt.clients, tt.over), Options{}, func(t *testing.T, srv *testServer, c clock) {
			var all sync.WaitGroup
			var last sync.Mutex
			var told time.Duration
			for range tt.clients {
				alice, server := dialPipe(t, srv, 4, false)
				all.Go(func() {
					alice.wantClose(t, "\x03\xe9server shutting down")
					last.Lock()
					told = max(told, time.Since(c.start))
					last.Unlock()
					alice.answerClose(t)
					server.wantClosed(t, ServerShutdown)
				})
			}
			if err := srv.Drain(t.Context(), tt.over); err != nil {
				t.Error(err)
			}
			all.Wait()
			if told != tt.want {
				t.Errorf("the last was told after %v, want %v", told, tt.want)
			}
			if n := srv.Stats().Closed(ServerShutdown); n != uint64(tt.clients) || srv.Len() != 0 {
				t.Errorf("%d closed, %d left", n, srv.Len())
			}
		})
	}
}

// Clients that go by themselves meanwhile are not waited for.
func TestDrainOfClientsThatGo(t *testing.T) {
	timed(t, "all gone", Options{}, func(t *testing.T, srv *testServer, c clock) {
		var peers []*peer
		for range 100 {
			alice, server := dialPipe(t, srv, 4, false)
			peers = append(peers, server)
			go func() {
				for f := range alice.frames { // only those that are told answer
					if f.Header.OpCode == 8 {
						alice.answerClose(t)
					}
				}
			}()
		}
		time.AfterFunc(s/4, func() {
			for _, p := range peers {
				p.Discard()
			}
		})
		if err := srv.Drain(t.Context(), 10*s); err != nil {
			t.Error(err)
		}
		c.want(3 * s / 10)
	})
}

func TestDrainEndsWithItsContext(t *testing.T) {
	timed(t, "while it paces", Options{}, func(t *testing.T, srv *testServer, c clock) {
		for range 30 {
			_, server := dialPipe(t, srv, 4, true)
			server.sendText("never read")
		}
		ctx, cancel := context.WithTimeout(t.Context(), s/10+s/20)
		defer cancel()
		if err := srv.Drain(ctx, 10*s); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "10 do not know yet") {
			t.Error(err)
		}
		c.want(s/10 + s/20)
	})
	timed(t, "while it waits", Options{}, func(t *testing.T, srv *testServer, c clock) {
		_, server := dialPipe(t, srv, 4, true)
		server.sendText("never read")
		ctx, cancel := context.WithTimeout(t.Context(), 3*s)
		defer cancel()
		if err := srv.Drain(ctx, 0); !errors.Is(err, context.DeadlineExceeded) || srv.Len() != 1 {
			t.Error(err)
		}
		c.want(3 * s)
	})
}

// Without clients there is nothing to wait for; and nobody gets in, before an upgrade
// or anything else has happened.
func TestDrainRefuses(t *testing.T) {
	srv := serve(t, Options{})
	if err := srv.Drain(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"polling", "websocket"} {
		req, err := http.NewRequest(http.MethodGet, srv.url("http", "EIO=4&transport="+transport), nil)
		if err != nil {
			t.Fatal(err)
		}
		if transport == WebSocket {
			for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket",
				"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
				req.Header.Set(name, value)
			}
		}
		res, err := newHTTPClient(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusServiceUnavailable || !res.Close {
			t.Errorf("%s: %d, connection ends: %v", transport, res.StatusCode, res.Close)
		}
	}
}

// Clients of all kinds talk while the server drains: what a client wrote before it read
// that it shall go arrives, once and in order.
func TestNothingSentIsLostInADrain(t *testing.T) {
	srv := serve(t, Options{})
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	started := make(chan struct{}, 24)
	for i := range 24 {
		alice := dialWebSocket(t, srv, 3+i%2)
		server := srv.accept(t)
		sent := 0
		all.Go(func() {
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				alice.wantCut(t)
			}()
			for told := false; !told; {
				select {
				case <-closed:
					told = true
				default:
					alice.sendText(t, fmt.Sprintf("4%d", sent))
					if sent++; sent == 20 {
						started <- struct{}{}
					}
				}
			}
			_ = alice.tcp().CloseWrite()
			for i := range sent {
				server.want(t, message(fmt.Sprint(i)))
			}
			server.wantClosed(t, ServerShutdown)
		})
	}
	for range cap(started) {
		<-started
	}
	if err := srv.Drain(ctx, s/2); err != nil {
		t.Error(err)
	}
	all.Wait()
}
