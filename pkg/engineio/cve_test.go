package engineio

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// What brought other servers of this protocol down, or let others in, one test
// for each. In all of them a bystander's conversation must go on.

// A bystander is a client whose conversation nothing may disturb.
type bystander struct {
	client *wsClient
	server *peer
}

func newBystander(t testing.TB, s *testServer) bystander {
	return bystander{dialWebSocket(t, s, 4), s.accept(t)}
}

func (b bystander) wantUndisturbed(t testing.TB) {
	t.Helper()
	b.client.sendText(t, "4still there?")
	b.server.want(t, "still there?")
	b.server.sendText("yes")
	b.client.wantText(t, "4yes")
}

// CORS allowed every origin when a list was given.
func TestCVE_2020_28481(t *testing.T) {
	srv := serve(t, Options{Origins: []string{"https://good.example"}})
	res := srv.send(t, "GET", "EIO=3&transport=polling", "Origin: https://evil.example\n")
	if res.status != 403 || res.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", res.status, res.header)
	}
	res = srv.send(t, "GET", "EIO=3&transport=websocket", "Origin: https://evil.example\n"+webSocketHeaders)
	if res.status != 400 || srv.Len() != 0 {
		t.Errorf("%d, %d connections", res.status, srv.Len())
	}
}

// Large POSTs took memory and time out of proportion.
func TestCVE_2020_36048(t *testing.T) {
	srv := serve(t, Options{MaxPayload: 100_000})
	alice := newBystander(t, srv)
	for protocol := 3; protocol <= 4; protocol++ {
		bob := dialPolling(t, srv, protocol)
		server := srv.accept(t)
		bytes := allocated(func() {
			for range 10 {
				bob.do(http.MethodPost, "text/plain", io.LimitReader(zeros{}, 10<<20))
			}
		})
		if bytes > 20<<20 { // the client's part included
			t.Errorf("100 MB of POSTs took %d bytes", bytes)
		}
		// Nor do many packets in one body.
		if protocol == 4 {
			bob.tryPost(strings.Repeat("3\x1e", 49_999) + "3")
		} else {
			bob.tryPost(strings.Repeat("0:", 49_999) + "1:6")
		}
		server.Discard()
	}
	alice.wantUndisturbed(t)
}

// A WebSocket frame with reserved bits, sent together with the handshake,
// raised an exception that nobody caught.
func TestCVE_2022_21676(t *testing.T) {
	srv := serve(t, Options{})
	alice := newBystander(t, srv)
	bob := dialPolling(t, srv, 4)
	srv.accept(t)
	for _, query := range []string{"EIO=4&transport=websocket", "EIO=4&transport=websocket&sid=" + bob.sid} {
		for _, first := range []byte{0xa1, 0x91, 0xb1, 0xf1} {
			nc := dialRaw(t, srv)
			if _, err := nc.Write(join(upgradeRequest(query), masked(first, []byte("4x")))); err != nil {
				t.Fatal(err)
			}
			_ = nc.CloseWrite()
			answer, err := io.ReadAll(nc)
			if err != nil || !bytes.Contains(answer, []byte("\x03\xeanon-zero rsv bits")) { // 1002
				t.Errorf("answered %q, %v", answer, err)
			}
		}
	}
	alice.wantUndisturbed(t)
}

// So did a connection that was reset while it was upgraded.
func TestCVE_2022_41940(t *testing.T) {
	srv := serve(t, Options{})
	alice := newBystander(t, srv)
	bob := dialPolling(t, srv, 4)
	bobHere := srv.accept(t)
	for _, query := range []string{"EIO=4&transport=websocket", "EIO=4&transport=websocket&sid=" + bob.sid,
		"EIO=4&transport=websocket&sid=nobody", "EIO=4&transport=polling"} {
		for range 10 {
			nc := dialRaw(t, srv)
			if _, err := nc.Write(upgradeRequest(query)); err != nil {
				t.Fatal(err)
			}
			_ = nc.SetLinger(0)
			_ = nc.Close() // RST
		}
	}
	alice.wantUndisturbed(t)
	srv.wantLen(t, 2)
	bobHere.wantProbe(t, false)
	bob.wantStillPolling(t, bobHere)
}

// Names that every JavaScript object knows were taken for transports.
func TestCVE_2023_31125(t *testing.T) {
	srv := serve(t, Options{})
	alice := newBystander(t, srv)
	for _, name := range []string{"__proto__", "constructor", "toString", "hasOwnProperty", "webtransport", ""} {
		for _, headers := range []string{"", webSocketHeaders} {
			if res := srv.send(t, "GET", "EIO=4&transport="+name, headers); res.status != 400 || !strings.Contains(res.body, "Transport unknown") {
				t.Errorf("transport=%s: %d %q", name, res.status, res.body)
			}
			if name == "" {
				continue
			}
			if res := srv.send(t, "GET", "EIO=4&transport=websocket&sid="+name, headers); res.status != 400 || !strings.Contains(res.body, "Session ID unknown") {
				t.Errorf("sid=%s: %d %q", name, res.status, res.body)
			}
		}
	}
	alice.wantUndisturbed(t)
}

// More header fields than the HTTP server counts left a WebSocket handshake
// without the header it needs.
func TestCVE_2024_37890(t *testing.T) {
	srv := serve(t, Options{HeadBytes: 1 << 20})
	alice := newBystander(t, srv)
	var many strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&many, "X-%d: x\n", i)
	}
	for _, headers := range []string{many.String() + webSocketHeaders, webSocketHeaders + many.String()} {
		if res := srv.send(t, "GET", "EIO=4&transport=websocket", headers); res.status != 101 {
			t.Errorf("%d %q", res.status, res.body)
		}
	}
	alice.wantUndisturbed(t)
}

// A message in tiny fragments cost many times its size (see also
// TestTinyFragments).
func TestCVE_2026_48779(t *testing.T) {
	srv := serve(t, Options{MaxPayload: 50_000, ControlFrames: -1}) // otherwise TestControlFramesAreBounded's
	alice := newBystander(t, srv)
	mallory := dialWebSocket(t, srv, 4)
	server := srv.accept(t)
	mallory.write(t, masked(0x01, []byte("4")))
	mallory.write(t, bytes.Repeat(masked(0x00, []byte{'x'}), 49_999))
	mallory.write(t, masked(0x80, nil))
	server.want(t, message(strings.Repeat("x", 49_999)))
	mallory.write(t, masked(0x01, []byte("4")))
	mallory.write(t, bytes.Repeat(masked(0x00, []byte{'x'}), 50_000))
	mallory.wantClose(t, 1009, "max payload size exceeded")
	server.wantClosed(t, TransportError)
	alice.wantUndisturbed(t)
}
