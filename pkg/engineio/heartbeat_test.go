package engineio

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const s = time.Second

// A clock tells how long ago its test began, and moves its time on.
type clock struct {
	testing.TB
	start time.Time
}

// at moves the time on to d after the start.
func (c clock) at(d time.Duration) {
	c.Helper()
	synctest.Wait()
	if c.now() > d {
		c.Fatalf("it is %v already, not %v", c.now(), d)
	}
	time.Sleep(d - c.now())
	synctest.Wait()
}

func (c clock) now() time.Duration { return time.Since(c.start) }

// want expects that it is d now: what was waited for came then.
func (c clock) want(d time.Duration) {
	c.Helper()
	if c.now() != d {
		c.Fatalf("it came at %v, want %v", c.now(), d)
	}
}

// timed runs a test on a clock of its own, against a server with Node's times.
func timed(t *testing.T, name string, opts Options, f func(t *testing.T, srv *testServer, c clock)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := newPipeServer(opts)
			f(t, srv, clock{t, time.Now()})
			srv.each((*Conn).Discard)
			if err := srv.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	})
}

// Protocol 4: the server pings 25 s after the last pong and expects the next
// within 20 s.
func TestHeartbeatV4(t *testing.T) {
	timed(t, "answered", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		alice.wantText(t, "2")
		c.want(25 * s)
		alice.send(t, "3")
		alice.wantText(t, "2")
		c.want(50 * s)
		c.at(69 * s) // just in time
		alice.send(t, "3")
		alice.wantText(t, "2")
		c.want((69 + 25) * s)
		if !server.Open() {
			t.Error("closed")
		}
	})
	timed(t, "not answered", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		alice.wantText(t, "2")
		server.wantClosed(t, PingTimeout)
		c.want((25 + 20) * s)
		alice.wantClose(t, "")
		alice.wantEOF(t)
		c.want((25 + 20 + 5) * s) // the close frame was not answered either
	})
	timed(t, "busy client", Options{}, func(t *testing.T, srv *testServer, c clock) {
		// Another packet than the pong shows that the client lives, once.
		alice, server := dialPipe(t, srv, 4, false)
		alice.wantText(t, "2")
		c.at(35 * s)
		alice.send(t, "4x")
		c.at(50 * s)
		alice.send(t, "4y")
		server.want(t, "x", "y")
		server.wantClosed(t, PingTimeout)
		c.want((35 + 20) * s)
	})
	timed(t, "busy client, pong in the end", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		alice.wantText(t, "2")
		c.at(44 * s)
		alice.send(t, "4x")
		c.at(60 * s)
		alice.send(t, "3")
		server.want(t, "x")
		alice.wantText(t, "2")
		c.want((60 + 25) * s)
		c.at(100 * s)
		alice.send(t, "4y") // and each ping has its own grace
		server.want(t, "y")
		server.wantClosed(t, PingTimeout)
		c.want((100 + 20) * s)
	})
	timed(t, "messages before the ping count for nothing", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		c.at(24 * s)
		alice.send(t, "4x")
		server.want(t, "x")
		alice.wantText(t, "2")
		c.want(25 * s)
	})
	timed(t, "unasked pong", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, _ := dialPipe(t, srv, 4, false)
		c.at(10 * s)
		alice.send(t, "3")
		alice.wantText(t, "2")
		c.want((10 + 25) * s)
	})
	timed(t, "ping is the server's", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		alice.send(t, "2")
		if err := server.wantClosed(t, TransportError); err != errHeartbeatWay {
			t.Error(err)
		}
		alice.wantClose(t, "")
	})
	timed(t, "a message that never ends", Options{}, func(t *testing.T, srv *testServer, c clock) {
		// Its fragments and the pings of WebSocket between them are no heartbeat: nobody holds memory with them for longer.
		alice, server := dialPipe(t, srv, 4, false)
		alice.write(t, masked(0x01, nil))
		for at := 10 * s; at < 45*s; at += 10 * s {
			c.at(at)
			alice.write(t, masked(0x00, asText(pattern(0, 1000))))
			alice.write(t, masked(0x89, nil))
		}
		server.wantClosed(t, PingTimeout)
		c.want((25 + 20) * s)
	})
	timed(t, "pings of many leave together", Options{}, func(t *testing.T, srv *testServer, c clock) {
		var clients []*pipeClient
		for _, ms := range []time.Duration{0, 1, 150, 499, 500, 501} {
			c.at(ms * time.Millisecond)
			alice, _ := dialPipe(t, srv, 4, false)
			clients = append(clients, alice)
		}
		for i, due := range []time.Duration{25 * s, 25*s + s/2, 25*s + s/2, 25*s + s/2, 25*s + s/2, 26 * s} {
			clients[i].wantText(t, "2")
			c.want(due)
		}
	})
	timed(t, "short times", Options{PingInterval: s, PingTimeout: s / 2}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 4, false)
		alice.wantText(t, "2")
		c.want(s)
		server.wantClosed(t, PingTimeout)
		c.want(s + s/2)
	})
}

// Protocol 3: the client pings every 25 s; the server waits 20 s longer.
func TestHeartbeatV3(t *testing.T) {
	timed(t, "pings", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 3, false)
		for i := range 4 {
			c.at(time.Duration(i) * 25 * s)
			alice.send(t, "2")
			alice.wantText(t, "3")
		}
		server.wantClosed(t, PingTimeout)
		c.want((75 + 45) * s)
	})
	timed(t, "any packet is a sign of life", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 3, false)
		for i, packet := range []string{"4x", "6", "b4eA==", "4y"} {
			c.at(time.Duration(i+1) * 40 * s)
			alice.send(t, packet)
		}
		server.want(t, "x", "binary 78", "y")
		server.wantClosed(t, PingTimeout)
		c.want((4*40 + 45) * s)
	})
	timed(t, "silence", Options{}, func(t *testing.T, srv *testServer, c clock) {
		_, server := dialPipe(t, srv, 3, false)
		server.wantClosed(t, PingTimeout)
		c.want(45 * s)
	})
	timed(t, "data in a ping is not sent back", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, _ := dialPipe(t, srv, 3, false)
		alice.send(t, "2probe")
		alice.wantText(t, "3")
	})
	timed(t, "pong is the server's", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 3, false)
		alice.send(t, "3")
		server.wantClosed(t, TransportError)
		alice.wantClose(t, "")
	})
}

// Polling has the same heartbeats, in its payloads.
func TestHeartbeatPolling(t *testing.T) {
	handshake := func(srv *testServer, protocol string) (query string, server *peer) {
		query = "EIO=" + protocol + "&transport=polling"
		query += "&sid=" + sid(srv.request("GET", query, nil).Body.String())
		return query, <-srv.peers
	}
	timed(t, "protocol 4", Options{}, func(t *testing.T, srv *testServer, c clock) {
		bob, server := handshake(srv, "4")
		if got := srv.request("GET", bob, nil).Body.String(); got != "2" {
			t.Errorf("polled %q", got)
		}
		c.want(25 * s)
		c.at(30 * s)
		srv.request("POST", bob, strings.NewReader("3"))
		if got := srv.request("GET", bob, nil).Body.String(); got != "2" {
			t.Errorf("polled %q", got)
		}
		c.want(55 * s)
		if got := srv.request("GET", bob, nil).Body.String(); got != "1" { // and no pong comes
			t.Errorf("polled %q", got)
		}
		c.want(75 * s)
		server.wantClosed(t, PingTimeout)
	})
	timed(t, "protocol 3", Options{}, func(t *testing.T, srv *testServer, c clock) {
		bob, server := handshake(srv, "3")
		c.at(44 * s)
		srv.request("POST", bob, strings.NewReader("1:2"))
		if got := srv.request("GET", bob, nil).Body.String(); got != "1:3" {
			t.Errorf("polled %q", got)
		}
		server.wantClosed(t, PingTimeout)
		c.want((44 + 45) * s)
	})
	timed(t, "abandoned", Options{}, func(t *testing.T, srv *testServer, c clock) {
		_, four := handshake(srv, "4")
		_, three := handshake(srv, "3")
		four.wantClosed(t, PingTimeout)
		three.wantClosed(t, PingTimeout)
		c.want(45 * s)
		if srv.Len() != 0 || srv.Stats().Closed(PingTimeout) != 2 {
			t.Errorf("%d connections left", srv.Len())
		}
	})
}

// A deadline that was found over just before it is moved must not count.
func TestMovedDeadline(t *testing.T) {
	timed(t, "moved too late", Options{}, func(t *testing.T, srv *testServer, c clock) {
		alice, server := dialPipe(t, srv, 3, false)
		srv.deadlines.mu.Lock()
		srv.deadlines.unlinkLocked(server.Conn) // as if it had come
		srv.deadlines.mu.Unlock()
		server.Conn.mu.Lock()
		server.setDeadlineLocked(10 * s)
		server.Conn.mu.Unlock()
		if server.onDeadline() || !server.Open() {
			t.Error("closed by a deadline that was moved")
		}
		server.wantClosed(t, PingTimeout)
		c.want(10 * s)
		alice.wantClose(t, "")
	})
}
