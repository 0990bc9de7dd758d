package engineio

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// allowEIO3: false.
func TestProtocolsThatAreNotSpoken(t *testing.T) {
	srv := serve(t, Options{Protocols: []int{4}})
	for _, query := range []string{"EIO=3&transport=", "transport=", "EIO=5&transport="} {
		if res := srv.send(t, "GET", query+"polling", ""); res.status != 400 || res.body != refused(5, "Unsupported protocol version") {
			t.Errorf("%s: %d %q", query, res.status, res.body)
		}
		if res := srv.send(t, "GET", query+"websocket", webSocketHeaders); res.status != 400 || res.body != "Unsupported protocol version" {
			t.Errorf("%s, WebSocket: %d %q", query, res.status, res.body)
		}
	}
	dialPolling(t, srv, 4)
	if n := srv.Stats().Refused()["bad protocol"]; n != 6 {
		t.Errorf("%d counted", n)
	}
}

// allowUpgrades: false. A client that upgrades all the same may, as with Node.
func TestUpgradesThatAreNotOffered(t *testing.T) {
	srv := serve(t, Options{NoUpgrades: true})
	for protocol := 3; protocol <= 4; protocol++ {
		bob := dialPolling(t, srv, protocol)
		server := srv.accept(t)
		if !strings.Contains(bob.open, `"upgrades":[],`) {
			t.Errorf("got %s", bob.open)
		}
		ws := bob.startUpgrade(t, srv)
		ws.probe(t)
		ws.sendText(t, "5")
		ws.sendText(t, "4x")
		server.want(t, "x")
	}
}

// initialPacket: it comes with the open packet.
func TestInitialPacket(t *testing.T) {
	srv := serve(t, Options{InitialPacket: NewTextFrame([]byte("welcome"))})
	for protocol, want := range map[int]string{3: "8:4welcome", 4: "\x1e4welcome"} {
		bob := dialPolling(t, srv, protocol)
		server := srv.accept(t)
		if !strings.HasSuffix(string(bob.first), want) {
			t.Errorf("protocol %d: %q", protocol, bob.first)
		}
		server.sendText("more")
		if got := bob.poll(t); !strings.HasSuffix(got, "4more") || strings.Contains(got, "welcome") {
			t.Errorf("protocol %d: %q", protocol, got)
		}
		ws := dialWebSocket(t, srv, protocol)
		srv.accept(t)
		ws.wantText(t, "4welcome")
	}
}

// headers and initial_headers.
func TestHeadersOfAnswers(t *testing.T) {
	srv := serve(t, Options{Headers: func(h http.Header, r *http.Request, initial bool) {
		h.Set("X-Seen", fmt.Sprint(r.Method, " ", initial))
	}})
	res := srv.send(t, "GET", "EIO=4&transport=polling", "")
	if got := res.header.Get("X-Seen"); got != "GET true" {
		t.Errorf("handshake: %q", got)
	}
	srv.accept(t)
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	if res := bob.tryPost("4x"); res.header.Get("X-Seen") != "POST false" {
		t.Errorf("POST: %v", res.header)
	}
	server.want(t, "x")
	server.sendText("y")
	if res := bob.get(t); res.header.Get("X-Seen") != "GET false" || res.body != "4y" {
		t.Errorf("poll: %v", res)
	}
	if res := srv.send(t, "GET", "EIO=4&transport=websocket", webSocketHeaders); res.header.Get("X-Seen") != "GET true" {
		t.Errorf("WebSocket: %v", res.header)
	}
	if res := srv.send(t, "GET", "EIO=4&transport=websocket&sid="+bob.sid, webSocketHeaders); res.header.Get("X-Seen") != "GET false" {
		t.Errorf("upgrade: %v", res.header)
	}
	if res := srv.send(t, "GET", "EIO=4&transport=pigeon", ""); res.header.Get("X-Seen") != "" {
		t.Errorf("refusal: %v", res.header)
	}
}

// connection_error.
func TestRefusedRequestsAreTold(t *testing.T) {
	var mu sync.Mutex
	var told []string
	srv := serve(t, Options{Protocols: []int{4}, Origins: []string{"https://good.example"}, Parameters: 10,
		Allow: func(r *http.Request) error {
			if r.Header.Get("X-Banned") != "" {
				return fmt.Errorf("not you")
			}
			return nil
		},
		OnRefused: func(e Refused) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprintf("%d %s %s", e.Code, e.Message, e.Request.Header.Get("X-Case")))
		}})
	for i, tt := range []struct{ method, query, headers, want string }{
		{"GET", "EIO=4&transport=pigeon", "", "0 Transport unknown"},
		{"GET", "EIO=4&transport=polling&sid=x", "", "1 Session ID unknown"},
		{"PUT", "EIO=4&transport=polling", "Content-Length: 0\n", "2 Bad handshake method"},
		{"GET", "EIO=4&transport=websocket", "", "3 Bad request"},
		{"GET", "EIO=4&transport=polling" + strings.Repeat("&a", 10), "", "3 the query has more than 10 parameters"},
		{"GET", "EIO=4&transport=polling", "X-Banned: 1\n", "4 not you"},
		{"GET", "EIO=4&transport=polling", "Origin: https://evil.example\n", "4 Forbidden"},
		{"GET", "EIO=3&transport=polling", "", "5 Unsupported protocol version"},
		{"GET", "EIO=4&transport=polling", "", ""},
	} {
		srv.send(t, tt.method, tt.query, tt.headers+fmt.Sprintf("X-Case: %d\n", i))
		mu.Lock()
		got := strings.Join(told, ", ")
		told = nil
		mu.Unlock()
		want := tt.want
		if want != "" {
			want += fmt.Sprint(" ", i)
		}
		if got != want {
			t.Errorf("%s %s: got %q, want %q", tt.method, tt.query, got, want)
		}
	}
}
