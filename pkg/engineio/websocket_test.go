package engineio

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// startUpgrade opens a WebSocket that names bob's session.
func (c *pollClient) startUpgrade(t testing.TB, s *testServer) *wsClient {
	t.Helper()
	return dialPlain(t, s, fmt.Sprintf("EIO=%s&transport=websocket&sid=%s", c.protocol(), c.sid))
}

func (c *pollClient) protocol() string {
	_, p, _ := strings.Cut(c.url, "EIO=")
	return p[:1]
}

// probe sends a probe and expects its answer.
func (c *wsClient) probe(t testing.TB) {
	t.Helper()
	c.sendText(t, "2probe")
	c.wantText(t, "3probe")
}

// wantRefusedUpgrade expects that a WebSocket may not name bob's session now.
func (c *pollClient) wantRefusedUpgrade(t testing.TB, s *testServer) {
	t.Helper()
	ws := c.startUpgrade(t, s)
	ws.wantCloseFrame(t, 1005, "") // opened and closed, as in Node
	ws.write(t, masked(0x88, nil))
	ws.wantEOF(t)
}

// wantStillPolling expects that bob's session is as good as before.
func (c *pollClient) wantStillPolling(t testing.TB, server *peer) {
	t.Helper()
	if server.Transport() != Polling {
		t.Errorf("transport %s", server.Transport())
	}
	packet, answer := "4still here", "4me too"
	if c.protocol() == "3" {
		packet, answer = "11:"+packet, "7:"+answer
	}
	c.post(t, packet)
	server.want(t, "still here")
	server.sendText("me too")
	c.wantPoll(t, answer)
}

// The upgrade, step by step.
func TestUpgrade(t *testing.T) {
	for _, protocol := range []int{3, 4} {
		srv := serve(t, Options{})
		bob := dialPolling(t, srv, protocol)
		server := srv.accept(t)
		noop := map[int]string{3: "1:6", 4: "6"}[protocol]

		poll := bob.startPoll()
		server.wantPolling(t)
		ws := bob.startUpgrade(t, srv)
		ws.probe(t)
		wantAnswer(t, poll, 200, noop) // released for the upgrade
		if server.Transport() != Polling || srv.Stats().Upgraded() != 0 {
			t.Error("upgraded by the probe alone")
		}
		server.sendText("between probe and upgrade")
		ws.sendText(t, "5")
		ws.wantText(t, "4between probe and upgrade")
		if server.Transport() != WebSocket || srv.Stats().Upgraded() != 1 || srv.Stats().Opened() != 1 {
			t.Errorf("transport %s, %d upgraded, %d opened", server.Transport(), srv.Stats().Upgraded(), srv.Stats().Opened())
		}
		ws.sendText(t, "4hello")
		server.want(t, "hello")

		// The old transport is no way in any more, nor is a second WebSocket.
		if res := bob.tryPost("4x"); res.body != badRequest {
			t.Errorf("POST after the upgrade: %d %q", res.status, res.body)
		}
		if res := bob.get(t); res.body != badRequest {
			t.Errorf("poll after the upgrade: %d %q", res.status, res.body)
		}
		bob.wantRefusedUpgrade(t, srv)

		ws.sendText(t, "4bye")
		ws.write(t, masked(0x88, nil))
		ws.wantCloseFrame(t, 1005, "")
		ws.wantEOF(t)
		server.want(t, "bye")
		server.wantClosed(t, TransportClose)
	}
}

// Polls that come while a WebSocket proves itself are released soon, for the
// client needs them to end before it can switch; a poll that is pending when it
// switches all the same ends then.
func TestPollsDuringUpgrade(t *testing.T) {
	srv := serve(t, Options{})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	ws := bob.startUpgrade(t, srv)
	ws.probe(t)
	for range 3 {
		bob.wantPoll(t, "6")
	}
	poll := bob.startPoll()
	server.wantPolling(t)
	ws.sendText(t, "5")
	wantAnswer(t, poll, 200, "6")
	server.sendText("hello")
	ws.wantText(t, "4hello")
}

// Whatever comes instead of the probe or the upgrade ends the WebSocket, and
// the session goes on polling and may try again.
func TestFailedUpgrade(t *testing.T) {
	for _, tt := range []struct {
		name   string
		frames []byte
		code   int
		reason string
	}{
		{"another ping", text("2prob"), 1005, ""},
		{"a message", text("4x"), 1005, ""},
		{"a message after the probe", join(text("2probe"), text("4x")), 1005, ""},
		{"a close packet", text("1"), 1005, ""},
		{"the server's answer", text("3probe"), 1005, ""},
		{"no packet", text("nonsense"), 1005, ""},
		{"a binary message", masked(0x82, []byte("2probe")), 1005, ""},
		{"a close frame", masked(0x88, []byte("\x03\xe8")), 1000, ""},
		{"a breach of the protocol", []byte{0x81, 1, '5'}, 1002, "frames from client to server must be masked"},
		{"invalid UTF-8", text("2probe\xff"), 1007, "invalid UTF-8 in a text message"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, Options{})
			bob := dialPolling(t, srv, 3)
			server := srv.accept(t)
			ws := bob.startUpgrade(t, srv)
			ws.write(t, tt.frames)
			if tt.name == "a message after the probe" {
				ws.wantText(t, "3probe")
			}
			ws.wantCloseFrame(t, tt.code, tt.reason)
			if tt.name != "a close frame" {
				ws.answerClose()
			}
			ws.wantEOF(t)
			bob.wantStillPolling(t, server)

			again := bob.startUpgrade(t, srv)
			again.sendText(t, "2probe")
			again.write(t, masked(0x89, []byte("ping"))) // control frames are answered meanwhile
			pong := make(chan string, 1)
			again.ws.SetPongHandler(func(data string) error { pong <- data; return nil })
			again.wantText(t, "3probe")
			again.sendText(t, "5")
			server.sendText("welcome")
			again.wantText(t, "4welcome")
			if p := <-pong; p != "ping" {
				t.Errorf("pong %q", p)
			}
			if n := srv.Stats().Upgraded(); n != 1 {
				t.Errorf("%d upgrades counted", n)
			}
		})
	}
}

// A WebSocket that is cut, or says nothing, before the switch costs the session
// nothing.
func TestAbandonedUpgrade(t *testing.T) {
	for _, probe := range []bool{false, true} {
		t.Run(fmt.Sprintf("cut, probe %v", probe), func(t *testing.T) {
			srv := serve(t, Options{})
			bob := dialPolling(t, srv, 4)
			server := srv.accept(t)
			ws := bob.startUpgrade(t, srv)
			if probe {
				ws.probe(t)
			}
			server.wantProbe(t, true)
			bob.wantRefusedUpgrade(t, srv)
			ws.cut()
			server.wantProbe(t, false)
			bob.wantStillPolling(t, server)
		})
		t.Run(fmt.Sprintf("silent, probe %v", probe), func(t *testing.T) {
			srv := serve(t, Options{UpgradeTimeout: 20 * time.Millisecond})
			bob := dialPolling(t, srv, 4)
			server := srv.accept(t)
			ws := bob.startUpgrade(t, srv)
			if probe {
				ws.sendText(t, "2probe") // the answer may come or the time be over
				server.wantProbe(t, false)
			} else {
				ws.wantClose(t, 1005, "")
			}
			bob.wantStillPolling(t, server)
		})
	}
}

// wantProbe waits until a WebSocket proves itself, or none does.
func (p *peer) wantProbe(t testing.TB, want bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("an upgrade under way: %v", want), func() bool { return p.probing() != nil == want })
}

func (p *peer) probing() *wsTransport {
	p.Conn.mu.Lock()
	defer p.Conn.mu.Unlock()
	return p.Conn.sender.probe
}

func TestCloseDuringUpgrade(t *testing.T) {
	start := func(t *testing.T) (*pollClient, *peer, *wsClient) {
		srv := serve(t, Options{})
		bob := dialPolling(t, srv, 4)
		server := srv.accept(t)
		ws := bob.startUpgrade(t, srv)
		ws.probe(t)
		return bob, server, ws
	}
	t.Run("the poll learns it", func(t *testing.T) {
		bob, server, ws := start(t)
		server.sendText("last words")
		server.Close()
		bob.wantPoll(t, "4last words\x1e1")
		ws.wantClose(t, 1005, "")
		server.wantClosed(t, ForcedClose)
	})
	t.Run("the upgrade goes on", func(t *testing.T) {
		_, server, ws := start(t)
		server.sendText("last words")
		server.Close()
		ws.sendText(t, "5")
		ws.wantText(t, "4last words")
		ws.wantClose(t, 1005, "")
		server.wantClosed(t, ForcedClose)
	})
	t.Run("the upgrade goes on, nothing queued", func(t *testing.T) {
		_, server, ws := start(t)
		server.Close()
		ws.sendText(t, "5")
		ws.wantClose(t, 1005, "")
		server.wantClosed(t, ForcedClose)
	})
	t.Run("discard", func(t *testing.T) {
		bob, server, ws := start(t)
		server.Discard()
		ws.wantClose(t, 1005, "")
		server.wantClosed(t, ForcedClose)
		bob.wantGone(t)
	})
	t.Run("the client closes by POST", func(t *testing.T) {
		bob, server, ws := start(t)
		bob.post(t, "1")
		ws.wantClose(t, 1005, "")
		server.wantClosed(t, TransportClose)
	})
}

// Both race for the session: exactly one of the outcomes, and nothing is left.
func TestUpgradeRacesWithClose(t *testing.T) {
	srv := serve(t, Options{})
	for i := range 40 {
		bob := dialPolling(t, srv, 4)
		server := srv.accept(t)
		ws := bob.startUpgrade(t, srv)
		ws.probe(t)
		server.sendText("last words")
		go ws.tryWrite(text("5")) //nolint:errcheck // the session may be over
		if i%2 == 0 {
			server.Discard()
		} else {
			server.Close()
		}
		if typ, data, err := ws.tryRead(); err == nil && (typ != 1 || string(data) != "4last words") {
			t.Errorf("got %q", data)
		}
		ws.cut()
		if e := <-server.ended; e.reason != ForcedClose && e.reason != TransportClose {
			t.Errorf("closed with %q, %v", e.reason, e.err)
		}
	}
	srv.wantLen(t, 0)
}

// A client that sends probes and reads no answer must not hold up the goroutine
// that ends the session.
func TestProbeFlood(t *testing.T) {
	srv := serveSmall(t, Options{})
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	ws := dialWith(t, srv, "EIO=4&transport=websocket&sid="+bob.sid, smallReader)
	server.wantProbe(t, true)
	probe := server.probing()
	probe.fill(t)
	go ws.tryWrite([]byte(strings.Repeat(string(text("2probe")), 5000))) //nolint:errcheck // the server may have ended it
	waiting := 0
	eventually(t, "an answer waits", func() bool {
		if waiting++; !probe.isWriting() {
			waiting = 0
		}
		return waiting == 20
	})
	server.Discard() // must return although that write waits
	if !probe.isWriting() {
		t.Error("Discard waited for the peer")
	}
	server.wantClosed(t, ForcedClose)
	ws.cut()
}

func (t *wsTransport) isWriting() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writing
}

// fill writes until the peer, who reads nothing, takes nothing any more.
func (t *wsTransport) fill(tb testing.TB) {
	full := 0
	eventually(tb, "the socket's buffers are full", func() bool {
		for n := 1; n > 0; {
			n, _ = t.fd.Send(make([]byte, 1<<10))
			if full++; n > 0 {
				full = 0
			}
		}
		return full == 20
	})
}

// Nothing is lost, doubled or reordered while a session changes its transport
// and both sides send throughout.
func TestUpgradeKeepsOrder(t *testing.T) {
	const n = 300
	for _, protocol := range []int{3, 4} {
		for round := range 5 {
			t.Run(fmt.Sprintf("protocol %d, round %d", protocol, round), func(t *testing.T) {
				srv := serve(t, Options{})
				bob := dialPolling(t, srv, protocol)
				server := srv.accept(t)
				server.answerWith(func(m message) { server.sendText("s" + string(m[1:])) })
				c := &upgrader{pollClient: bob, v: protocol, startAt: 20 * round}
				got := c.run(t, srv, n)
				for i := range n {
					server.want(t, message(fmt.Sprint("c", i)))
				}
				if len(got) != n {
					t.Errorf("the client got %d messages, want %d", len(got), n)
				}
				for i, m := range got {
					if m != fmt.Sprint("s", i) {
						t.Fatalf("the client's message %d is %q", i, m)
					}
				}
			})
		}
	}
}
