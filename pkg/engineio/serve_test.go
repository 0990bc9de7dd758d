package engineio

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

// refused is the body of a refusal over HTTP.
func refused(code int, message string) string {
	b, _ := json.Marshal(map[string]any{"code": code, "message": message}) // keys in this order, too
	return string(b)
}

var (
	unknownTransport = refused(0, "Transport unknown")
	unknownSID       = refused(1, "Session ID unknown")
	badMethod        = refused(2, "Bad handshake method")
	badRequest       = refused(3, "Bad request")
)

const webSocketHeaders = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"

// send writes a request as it is given, for net/http's client would mend it,
// and reads the answer.
func (s *testServer) send(t testing.TB, method, query, headers string) response {
	t.Helper()
	nc := dialRaw(t, s)
	req := method + " /engine.io/?" + query + " HTTP/1.1\r\nHost: chat.example\r\n" + strings.ReplaceAll(headers, "\n", "\r\n") + "\r\n"
	if _, err := nc.Write([]byte(req)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(nc), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	defer res.Body.Close()
	if res.StatusCode == http.StatusSwitchingProtocols {
		return response{status: res.StatusCode, header: res.Header}
	}
	body := make([]byte, max(res.ContentLength, 0))
	if method != http.MethodHead && len(body) > 0 {
		if _, err := res.Body.Read(body); err != nil && err.Error() != "EOF" {
			t.Fatal(err)
		}
	}
	return response{status: res.StatusCode, body: string(body), header: res.Header}
}

// Which requests get in, and what the others are told: status, code and text
// are those of engine.io 6.6, except where the comment says so.
func TestVerify(t *testing.T) {
	srv := serve(t, Options{
		Allow: func(r *http.Request) error {
			if r.Header.Get("X-Banned") != "" {
				return errors.New("not you")
			}
			return nil
		},
	})
	polling3, polling4 := dialPolling(t, srv, 3), dialPolling(t, srv, 4)
	ws4 := dialWebSocket(t, srv, 4)
	for range 3 {
		srv.accept(t)
	}
	const v4 = "EIO=4&transport="
	tests := []struct {
		name, method, query, headers string
		status                       int
		body                         string // prefix
	}{
		{"polling, protocol 4", "GET", v4 + "polling", "", 200, `0{"sid":"`},
		{"polling, protocol 3", "GET", "EIO=3&transport=polling", "", 200, `118:0{"sid":"`},
		{"polling, no protocol means 3", "GET", "transport=polling", "", 200, `118:0{"sid":"`},
		{"polling, unknown protocol means 3", "GET", "EIO=5&transport=polling", "", 200, `118:0{"sid":"`},
		{"empty sid is none", "GET", v4 + "polling&sid=", "", 200, `0{"sid":"`},
		{"repeated transport: the last counts", "GET", v4 + "websocket&transport=polling", "", 200, `0{"sid":"`},
		{"websocket", "GET", v4 + "websocket", webSocketHeaders, 101, ""},
		{"websocket, headers in other letters", "GET", v4 + "websocket", strings.ReplaceAll(strings.ToLower(webSocketHeaders), "dghlihnhbxbszsbub25jzq==", "dGhlIHNhbXBsZSBub25jZQ=="), 101, ""},
		{"websocket, connection with several tokens", "GET", v4 + "websocket", strings.Replace(webSocketHeaders, "Connection: ", "Connection: keep-alive, ", 1), 101, ""},

		{"no transport", "GET", "EIO=4", "", 400, unknownTransport},
		{"unknown transport", "GET", v4 + "carrier-pigeon", "", 400, unknownTransport},
		{"transport=__proto__", "GET", v4 + "__proto__", "", 400, unknownTransport},
		{"transport=constructor", "GET", v4 + "constructor", "", 400, unknownTransport},
		{"unknown transport, upgrade", "GET", v4 + "carrier-pigeon", webSocketHeaders, 400, "Transport unknown"},
		{"unknown sid", "GET", v4 + "polling&sid=nobody", "", 400, unknownSID},
		{"sid=__proto__", "GET", v4 + "polling&sid=__proto__", "", 400, unknownSID},
		{"sid=__proto__, POST", "POST", v4 + "polling&sid=__proto__", "Content-Length: 0\n", 400, unknownSID},
		{"sid=__proto__, upgrade", "GET", v4 + "websocket&sid=__proto__", webSocketHeaders, 400, "Session ID unknown"},
		{"POST handshake", "POST", v4 + "polling", "Content-Length: 0\n", 400, badMethod},
		{"PUT handshake", "PUT", v4 + "polling", "Content-Length: 0\n", 400, badMethod},
		{"HEAD handshake", "HEAD", v4 + "polling", "", 400, ""},
		{"OPTIONS that asks nothing", "OPTIONS", v4 + "polling", "", 204, ""},
		{"POST handshake, upgrade", "POST", v4 + "websocket", webSocketHeaders, 400, "Bad handshake method"},
		{"websocket without upgrade", "GET", v4 + "websocket", "", 400, badRequest},
		{"websocket, upgrade to something else", "GET", v4 + "websocket", "Connection: Upgrade\nUpgrade: h2c\n", 400, badRequest},
		{"websocket, Upgrade without Connection", "GET", v4 + "websocket", "Upgrade: websocket\n", 400, badRequest},
		// Node answers 101 and closes the WebSocket.
		{"polling, upgrade", "GET", v4 + "polling", webSocketHeaders, 400, "Bad request"},
		{"websocket, old version", "GET", v4 + "websocket", strings.Replace(webSocketHeaders, "13", "8", 1), 101, ""},
		{"websocket, older version", "GET", v4 + "websocket", strings.Replace(webSocketHeaders, "13", "7", 1), 426, ""},
		{"websocket, no key", "GET", v4 + "websocket", "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n", 400, ""},
		{"websocket, short key", "GET", v4 + "websocket", strings.Replace(webSocketHeaders, "dGhl", "", 1), 400, ""},
		{"forbidden", "GET", v4 + "polling", "X-Banned: yes\n", 403, refused(4, "not you")},
		{"forbidden, upgrade", "GET", v4 + "websocket", webSocketHeaders + "X-Banned: yes\n", 400, "not you"},

		{"session of protocol 4 asked for with 3", "GET", "EIO=3&transport=polling&sid=" + polling4.sid, "", 400, badRequest},
		{"session of protocol 3 asked for with 4", "GET", v4 + "polling&sid=" + polling3.sid, "", 400, badRequest},
		{"upgrade of protocol 4 with 3", "GET", "EIO=3&transport=websocket&sid=" + polling4.sid, webSocketHeaders, 400, "Bad request"},
		{"polling session asked for as websocket", "GET", v4 + "websocket&sid=" + polling4.sid, "", 400, badRequest},
		{"websocket session polled", "GET", v4 + "polling&sid=" + sid(ws4.open), "", 400, badRequest},
		{"websocket session posted to", "POST", v4 + "polling&sid=" + sid(ws4.open), "Content-Length: 0\n", 400, badRequest},
		{"websocket session upgraded", "GET", v4 + "websocket&sid=" + sid(ws4.open), webSocketHeaders, 101, ""}, // and closed
		// Node answers 101 and closes the WebSocket.
		{"polling session upgraded to polling", "GET", v4 + "polling&sid=" + polling4.sid, webSocketHeaders, 400, "Bad request"},
		{"PUT to a session", "PUT", v4 + "polling&sid=" + polling4.sid, "Content-Length: 0\n", 500, ""},
		{"HEAD of a session", "HEAD", v4 + "polling&sid=" + polling4.sid, "", 500, ""},
		{"OPTIONS of a session", "OPTIONS", v4 + "polling&sid=" + polling4.sid, "", 204, ""},
		{"POST upgrade of a session", "POST", v4 + "websocket&sid=" + polling4.sid, webSocketHeaders, 405, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := srv.send(t, tt.method, tt.query, tt.headers)
			if res.status != tt.status || !strings.HasPrefix(res.body, tt.body) || tt.status == 400 && strings.HasPrefix(tt.body, "{") && res.body != tt.body {
				t.Errorf("got %d %q, want %d %q", res.status, res.body, tt.status, tt.body)
			}
			contentType := res.header.Get("Content-Type")
			switch {
			case strings.HasPrefix(tt.body, "{"), tt.name == "HEAD handshake":
				if contentType != "application/json" {
					t.Errorf("Content-Type %q", contentType)
				}
			case tt.status == 200 && contentType != "text/plain; charset=UTF-8":
				t.Errorf("Content-Type %q", contentType)
			}
		})
	}
	// None of it harmed the sessions there are.
	ws4.sendText(t, "4x")
	polling3.post(t, "2:4x")
	polling4.post(t, "4x")
}

// A client that names subprotocols gets the first; one that offers compression
// gets none.
func TestWebSocketNegotiation(t *testing.T) {
	srv := serve(t, Options{})
	res := srv.send(t, "GET", "EIO=4&transport=websocket", webSocketHeaders+
		"Sec-WebSocket-Protocol: chat, superchat\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\n")
	if res.status != 101 || res.header.Get("Sec-Websocket-Protocol") != "chat" || res.header.Get("Sec-Websocket-Extensions") != "" {
		t.Errorf("%d %v", res.status, res.header)
	}
	res = srv.send(t, "GET", "EIO=4&transport=websocket", webSocketHeaders)
	if _, ok := res.header["Sec-Websocket-Protocol"]; res.status != 101 || ok {
		t.Errorf("%d %v", res.status, res.header)
	}
}

// The open packet tells the client what it may do, in Node's order of keys.
func TestOpenPacket(t *testing.T) {
	opts := Options{PingInterval: 25 * time.Second, PingTimeout: 1500 * time.Millisecond, MaxPayload: 12345,
		NewID: func() string { return "some-id" }}
	const tail = `"pingInterval":25000,"pingTimeout":1500,"maxPayload":12345}`
	for _, tt := range []struct {
		name, transport string
		transports      []string
		want            string
	}{
		{"polling", Polling, nil, `{"sid":"some-id","upgrades":["websocket"],` + tail},
		{"polling only", Polling, []string{Polling}, `{"sid":"some-id","upgrades":[],` + tail},
		{"websocket", WebSocket, nil, `{"sid":"some-id","upgrades":[],` + tail},
		{"websocket only", WebSocket, []string{WebSocket}, `{"sid":"some-id","upgrades":[],` + tail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := opts
			opts.Transports = tt.transports
			srv := serve(t, opts)
			var got string
			if tt.transport == Polling {
				got = dialPolling(t, srv, 4).open
			} else {
				got = dialWebSocket(t, srv, 4).open
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if len(tt.transports) == 1 {
				other := map[string]string{Polling: WebSocket, WebSocket: Polling}[tt.transport]
				if res := srv.send(t, "GET", "EIO=4&transport="+other, ""); res.body != unknownTransport {
					t.Errorf("%s: %d %q", other, res.status, res.body)
				}
			}
		})
	}
}

// What a receiver can know of its connection.
func TestConnDescribesItself(t *testing.T) {
	srv := serve(t, Options{})
	before := time.Now()
	for _, tt := range []struct {
		protocol  int
		transport string
		conn      *peer
	}{
		{3, Polling, func() *peer { dialPolling(t, srv, 3, "&user=a%20b"); return srv.accept(t) }()},
		{4, WebSocket, func() *peer { dialPlain(t, srv, "EIO=4&transport=websocket&user=a%20b"); return srv.accept(t) }()},
	} {
		c := tt.conn
		if c.Protocol() != tt.protocol || c.Transport() != tt.transport || !c.Open() || len(c.ID()) != 20 {
			t.Errorf("protocol %d, transport %s, open %v, id %q", c.Protocol(), c.Transport(), c.Open(), c.ID())
		}
		h := c.Handshake()
		if h.Query().Get("user") != "a b" || h.Host != srv.addr() || h.TLS || h.Time.Before(before) ||
			!strings.HasPrefix(h.RequestURI, "/engine.io/?EIO=") || !strings.HasPrefix(h.RemoteAddr, "127.0.0.1:") ||
			h.Header.Get("User-Agent") == "" && tt.transport == Polling {
			t.Errorf("handshake %+v", h)
		}
	}
}

// A session id that the program gives twice opens no second session and does
// not disturb the first.
func TestIDsAreUnique(t *testing.T) {
	srv := serve(t, Options{NewID: func() string { return "same" }})
	alice := dialWebSocket(t, srv, 4)
	server := srv.accept(t)
	if res := srv.send(t, "GET", "EIO=4&transport=polling", ""); res.status != http.StatusServiceUnavailable {
		t.Errorf("got %d %q", res.status, res.body)
	}
	dialPlain(t, srv, "EIO=4&transport=websocket").wantCut(t)
	alice.sendText(t, "4still me")
	server.want(t, "still me")

	ids := make(map[string]bool)
	for range 1000 {
		ids[newID()] = true
	}
	if len(ids) != 1000 {
		t.Errorf("1000 ids, %d different", len(ids))
	}
}

func TestOptionsDefaults(t *testing.T) {
	o := Options{}.withDefaults()
	if o.NewID == nil || o.Logger == nil {
		t.Error("no default for NewID or Logger")
	}
	o.NewID, o.Logger = nil, nil
	want := Options{PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second, UpgradeTimeout: 10 * time.Second,
		WriteTimeout: 20 * time.Second, BodyTimeout: 45 * time.Second, MaxPayload: 1e6, HeadBytes: 16384, Parameters: 100, QueueBytes: 1 << 20, ControlFrames: 100, Transports: []string{"polling", "websocket"}}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("got %+v", o)
	}
	defer func() {
		if recover() == nil {
			t.Error("a server without OnConnect")
		}
	}()
	NewServer(Options{})
}
