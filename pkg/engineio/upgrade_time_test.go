package engineio

import (
	"net"
	"strings"
	"testing"
	"time"
)

// pipeUpgrade opens a session by polling and a WebSocket, on a pipe, that names
// it. query is what a request of the session asks for.
func pipeUpgrade(t testing.TB, srv *testServer) (p *pipeClient, server *peer, query string) {
	t.Helper()
	query = "EIO=4&transport=polling"
	query += "&sid=" + sid(srv.request("GET", query, nil).Body.String())
	server = <-srv.peers
	client, end := net.Pipe()
	tr := newWSTransport(end, &srv.running)
	go server.runProbe(tr, newWSReader(tr, 1000, nil))
	p = &pipeClient{nc: client}
	p.start()
	t.Cleanup(func() { _ = client.Close() })
	return p, server, query
}

// How long the steps of an upgrade may take.
func TestUpgradeTimes(t *testing.T) {
	timed(t, "no upgrade after the probe", Options{}, func(t *testing.T, srv *testServer, c clock) {
		ws, server, bob := pipeUpgrade(t, srv)
		ws.send(t, "2probe")
		ws.wantText(t, "3probe")
		c.at(0)
		for i := range 3 { // meanwhile polls do not wait
			if got := srv.request("GET", bob, nil).Body.String(); got != "6" {
				t.Errorf("polled %q", got)
			}
			c.want(time.Duration(i+1) * upgradeCheck)
		}
		ws.wantClose(t, "")
		c.want(10 * s)
		ws.answerClose(t)
		ws.wantEOF(t)
		c.want(10 * s)
		if !server.Open() || server.probing() != nil {
			t.Error("the session did not go on")
		}
	})
	timed(t, "a pending poll is released by the probe", Options{}, func(t *testing.T, srv *testServer, c clock) {
		ws, _, bob := pipeUpgrade(t, srv)
		polled := make(chan string)
		go func() { polled <- srv.request("GET", bob, nil).Body.String() }()
		c.at(upgradeCheck / 2)
		ws.send(t, "2probe")
		if got := <-polled; got != "6" {
			t.Errorf("polled %q", got)
		}
		c.want(upgradeCheck / 2)
	})
	timed(t, "an upgrade is for good", Options{}, func(t *testing.T, srv *testServer, c clock) {
		ws, server, _ := pipeUpgrade(t, srv)
		ws.send(t, "2probe")
		ws.wantText(t, "3probe")
		c.at(9 * s)
		ws.send(t, "5")
		c.at(20 * s) // the time for it is over
		ws.send(t, "4x")
		server.want(t, "x")
		ws.wantText(t, "2") // the heartbeat goes on as it was
		c.want(25 * s)
		ws.send(t, "3")
		ws.wantText(t, "2")
		c.want(50 * s)
	})
	timed(t, "a ping by polling may be answered over the WebSocket", Options{}, func(t *testing.T, srv *testServer, c clock) {
		ws, server, bob := pipeUpgrade(t, srv)
		c.at(9 * s)
		ws.send(t, "2probe")
		ws.wantText(t, "3probe")
		ws.send(t, "4x") // not this time
		ws.wantClose(t, "")
		if got := srv.request("GET", bob, nil).Body.String(); got != "2" {
			t.Errorf("polled %q", got)
		}
		c.want(25 * s)
		if got := srv.request("POST", bob, strings.NewReader("3")).Body.String(); got != "ok" {
			t.Errorf("posted, %q", got)
		}
		if !server.Open() {
			t.Error("closed")
		}
	})
	timed(t, "a poll that ends between the switch and the close", Options{}, func(t *testing.T, srv *testServer, c clock) {
		_, server, bob := pipeUpgrade(t, srv)
		polled := make(chan string)
		go func() { polled <- srv.request("GET", bob, nil).Body.String() }()
		c.at(upgradeCheck / 2)
		// Close wakes the poll, and the switch comes before it runs.
		server.Conn.mu.Lock()
		server.life.state = stateClosing
		server.wakePollLocked()
		server.sender.upgrade(server.sender.probe)
		server.Conn.mu.Unlock()
		if got := <-polled; got != "6" { // the WebSocket has the rest, and the last word
			t.Errorf("polled %q", got)
		}
		c.at(upgradeCheck / 2)
		server.Conn.mu.Lock()
		if !server.life.closing() {
			t.Error("the poll closed a session that is no longer its own")
		}
		server.Conn.mu.Unlock()
	})
}
