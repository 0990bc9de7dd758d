package engineio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// How long the ends of a connection may take.
func TestCloseTimes(t *testing.T) {
	timed(t, "the peer never answers the close frame", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		server.Close()
		server.wantClosed(t, ForcedClose)
		c.want(0)
		alice.wantClose(t, "")
		alice.wantEOF(t)
		c.want(5 * s)
	})
	timed(t, "the peer sends on instead", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		server.Close()
		for range 4 {
			alice.send(t, "4too late")
			time.Sleep(s)
		}
		server.wantClosed(t, ForcedClose)
		alice.wantClose(t, "")
		alice.wantEOF(t)
		c.want(5 * s)
	})
	timed(t, "the peer takes nothing", Options{}, func(t *testing.T, srv *testServer, c clock) {
		_, server := dialPipe(t, srv, 4, true)
		server.sendText("x")
		err := server.wantClosed(t, SlowClient)
		c.want(20 * s)
		if !isTimeout(err) {
			t.Error(err)
		}
	})
	timed(t, "the peer takes nothing while it is closed", Options{WriteTimeout: time.Hour}, func(t *testing.T, srv *testServer, c clock) {
		_, server := dialPipe(t, srv, 4, true)
		c.at(20 * s) // the heartbeat must not cut what the close is given
		server.sendText("x")
		server.Close()
		server.wantClosed(t, ForcedClose)
		c.want((20 + 30) * s)
	})
	timed(t, "the peer closes in the middle of a message to it", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		alice.stop(t)
		server.sendText("long")
		c.at(s) // it is being written
		if _, err := alice.nc.Write(masked(0x88, []byte("\x03\xe8"))); err != nil {
			t.Fatal(err)
		}
		server.wantClosed(t, TransportClose)
		c.at(3 * s)
		alice.start()
		alice.wantText(t, "4long")
		alice.wantClose(t, "\x03\xe8")
		alice.wantEOF(t)
		c.want(3 * s) // nothing is waited for
	})
	timed(t, "nobody polls for the close packet", Options{}, func(t *testing.T, srv *testServer, c clock) {
		_ = sid(srv.request("GET", "EIO=4&transport=polling", nil).Body.String())
		server := <-srv.peers
		c.at(10 * s)
		server.Close()
		server.wantClosed(t, ForcedClose)
		c.want((10 + 30) * s)
	})
	timed(t, "nobody polls, and heartbeats are short", Options{PingInterval: 3 * s, PingTimeout: 2 * s}, func(t *testing.T, srv *testServer, c clock) {
		_ = srv.request("GET", "EIO=4&transport=polling", nil)
		server := <-srv.peers
		c.at(s)
		server.Close()
		server.wantClosed(t, ForcedClose)
		c.want((1 + 5) * s)
	})
}

// However often and however concurrently a connection is ended, it ends once.
func TestCloseIsIdempotent(t *testing.T) {
	srv := serve(t, Options{})
	for i := range 20 {
		var server *peer
		if i%2 == 0 {
			dialWebSocket(t, srv, 4)
		} else {
			dialPolling(t, srv, 4)
		}
		server = srv.accept(t)
		var all sync.WaitGroup
		for j := range 8 {
			all.Go(func() {
				switch j % 4 {
				case 0:
					server.Close()
				case 1:
					server.Discard()
				case 2:
					server.sendText("x")
				case 3:
					<-server.Done()
				}
			})
		}
		all.Wait()
		server.wantClosed(t, ForcedClose)
		server.Close()
		server.Discard()
		if server.Open() || server.Writable() || server.sendText("x") || server.Send() {
			t.Error("a closed connection takes frames")
		}
		<-server.Done()
	}
	if n := srv.Stats().Closed(ForcedClose); n != 20 {
		t.Errorf("%d closed, want 20", n)
	}
}

// Close sends what is queued first.
func TestCloseFlushes(t *testing.T) {
	srv := serveSmall(t, Options{QueueBytes: 64 << 20})
	alice := dialSlow(t, srv, 4)
	server := srv.accept(t)
	const n = 40
	for i := range n {
		server.Send(NewBinaryFrame(pattern(i, 100_000)))
	}
	server.Close()
	for i := range n {
		alice.wantBinary(t, pattern(i, 100_000))
	}
	alice.wantClose(t, 1005, "")
	server.wantClosed(t, ForcedClose)
}

// pattern returns n bytes that tell their position.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16) ^ byte(i>>8)*31 ^ byte(i)*7 ^ byte(seed)
	}
	return b
}

// Server.Close waits for receivers, and no longer than its context allows.
func TestServerClose(t *testing.T) {
	srv := serve(t, Options{})
	alice := dialWebSocket(t, srv, 4)
	aliceHere := srv.accept(t)
	bob := dialPolling(t, srv, 4)
	bobHere := srv.accept(t)
	dialPolling(t, srv, 4) // carol, who does not poll any more
	carolHere := srv.accept(t)
	release := aliceHere.holdReceive()
	defer release()
	alice.sendText(t, "4one")
	aliceHere.want(t, "one") // and Receive does not return

	ctx, cancel := context.WithCancel(context.Background())
	closed := make(chan error, 1)
	go func() { closed <- srv.Close(ctx) }()
	bob.wantGone(t)
	alice.wantCut(t)
	alice.sendText(t, "4too late")
	select {
	case err := <-closed:
		t.Fatalf("Close returned %v with a Receive running", err)
	default:
	}
	cancel()
	if err := <-closed; !errors.Is(err, context.Canceled) {
		t.Errorf("Close returned %v", err)
	}
	bobHere.wantClosed(t, ServerShutdown)
	carolHere.wantClosed(t, ServerShutdown)

	// Nobody gets in any more, over either transport.
	if res := srv.send(t, "GET", "EIO=4&transport=polling", ""); res.status != 503 {
		t.Errorf("handshake with a closed server: %d %q", res.status, res.body)
	}
	if _, res, err := websocket.DefaultDialer.Dial(srv.url("ws", "EIO=4&transport=websocket"), nil); err == nil || res == nil || res.StatusCode != 503 {
		t.Errorf("WebSocket handshake with a closed server: %v, %v", res, err)
	}

	release()
	if err := srv.Close(context.Background()); err != nil {
		t.Error(err)
	}
	aliceHere.wantClosed(t, ServerShutdown)
}

// A server that is closed while clients come lets each in or refuses it, and
// forgets none.
func TestServerCloseRacesWithHandshakes(t *testing.T) {
	for range 20 {
		srv := serve(t, Options{})
		var all sync.WaitGroup
		client := newHTTPClient(t)
		for i := range 6 {
			all.Go(func() {
				if i%2 == 0 {
					request(client, "GET", srv.url("http", "EIO=4&transport=polling"), "", nil)
					return
				}
				nc, err := net.Dial("tcp", srv.addr())
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprintf(nc, "%s", upgradeRequest("EIO=4&transport=websocket"))
				_, _ = nc.Read(make([]byte, 10))
				_ = nc.Close()
			})
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() { all.Wait(); cancel() }() // polling clients that do not come back
		_ = srv.Close(ctx)
		all.Wait()
		if err := srv.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if srv.Len() != 0 {
			t.Errorf("%d connections left", srv.Len())
		}
	}
}
