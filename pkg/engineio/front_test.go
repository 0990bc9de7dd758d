//go:build linux

package engineio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/engineio/internal/netpoll"
)

// pair starts a server with the front and one without, which name their sessions
// alike.
func pair(t *testing.T, opts Options, wrap func(http.Handler) http.Handler) [2]*testServer {
	t.Helper()
	var servers [2]*testServer
	for i := range servers {
		o := opts
		var n atomic.Int64
		o.NewID = func() string { return fmt.Sprintf("s%d", n.Add(1)) }
		s := newTestServer(o)
		h := http.Handler(s.Server)
		if wrap != nil {
			h = wrap(h)
		}
		s.http = httptest.NewUnstartedServer(h)
		if i == 0 {
			s.http.Listener = s.Front(s.http.Listener, FrontOptions{Path: "/engine.io/", Handler: h})
		}
		s.http.Start()
		s.closeWith(t)
		servers[i] = s
	}
	return servers
}

// exchange sends bytes, in pieces, and the end of the connection behind them, and
// tells all that comes back. Fields are sorted, and dates only noted.
func (s *testServer) exchange(t *testing.T, pieces ...string) string {
	t.Helper()
	nc := dialRaw(t, s)
	defer nc.Close()
	for _, p := range pieces {
		if _, err := io.WriteString(nc, p); err != nil {
			t.Fatal(err)
		}
	}
	_ = nc.CloseWrite()
	text, err := io.ReadAll(nc)
	if err != nil {
		t.Fatal(err)
	}
	return tellAnswers(t, text)
}

func tellAnswers(t *testing.T, text []byte) string {
	t.Helper()
	var told strings.Builder
	in := bufio.NewReader(bytes.NewReader(text))
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				fmt.Fprintf(&told, "%v\n", err)
			}
			return told.String()
		}
		var fields []string
		for name, values := range res.Header {
			if name == "Date" {
				if _, err := http.ParseTime(values[0]); err != nil {
					t.Error(err)
				}
				values = []string{"…"}
			}
			fields = append(fields, fmt.Sprintf("%s: %q", name, values))
		}
		sort.Strings(fields)
		body, err := io.ReadAll(res.Body)
		fmt.Fprintf(&told, "%s %s\n%s\nclose %v, length %d\n%q %v\n", res.Proto, res.Status, strings.Join(fields, "\n"), res.Close, res.ContentLength, body, err)
		if res.StatusCode == http.StatusSwitchingProtocols {
			rest, _ := io.ReadAll(in)
			fmt.Fprintf(&told, "%x\n", rest)
		}
	}
}

// The front answers as net/http does, whatever it is sent.
func TestFrontAnswersAlike(t *testing.T) {
	const (
		get  = "GET /engine.io/?EIO=4&transport=polling"
		post = "POST /engine.io/?EIO=4&transport=polling"
		head = " HTTP/1.1\r\nHost: chat.example\r\n"
		end  = "\r\n"
		sock = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	)

	tests := []struct {
		name     string
		protocol int // of a session "sN" that is there, 0 for none
		request  string
	}{
		{"handshake", 0, get + head + end},
		{"handshake with an origin", 0, get + head + "Origin: http://page.example\r\n" + end},
		{"handshake of protocol 3 with an origin", 0, "GET /engine.io/?EIO=3&transport=polling" + head + "Origin: http://page.example\r\n" + end},
		{"handshake that is not allowed", 0, get + head + "X-Banned: 1\r\n" + end},
		{"handshake with POST", 0, post + head + "Content-Length: 0\r\n" + end},
		{"handshake of JSONP", 0, get + "&j=1" + head + end},
		{"unknown session", 0, get + "&sid=none" + head + end},
		{"poll for nothing, and gone", 4, get + "&sid=SID" + head + end},
		{"poll with a length, and gone", 4, get + "&sid=SID" + head + "Content-Length: 2\r\n" + end + "hi"},
		{"poll with chunks, and gone", 4, get + "&sid=SID" + head + "Transfer-Encoding: chunked\r\n" + end + "2\r\nhi\r\n0\r\n\r\n"},
		{"poll with half a body, and gone", 4, get + "&sid=SID" + head + "Content-Length: 5\r\n" + end + "hi"},
		{"post", 4, post + "&sid=SID" + head + "Content-Length: 2\r\n" + end + "4x"},
		{"post of protocol 3 with an origin", 3, "POST /engine.io/?EIO=3&transport=polling&sid=SID" + head + "Origin: http://page.example\r\nContent-Length: 4\r\n" + end + "2:4x"},
		{"post of nonsense", 4, post + "&sid=SID" + head + "Content-Length: 2\r\n" + end + "xx"},
		{"post of an end", 4, post + "&sid=SID" + head + "Content-Length: 1\r\n" + end + "1"},
		{"post of bytes", 4, post + "&sid=SID" + head + "Content-Type: application/octet-stream\r\nContent-Length: 2\r\n" + end + "4x"},
		{"post of too much", 4, post + "&sid=SID" + head + "Content-Length: 1001\r\n" + end + strings.Repeat("4", 1001)},
		{"post of chunks", 4, post + "&sid=SID" + head + "Transfer-Encoding: chunked\r\n" + end + "2\r\n4x\r\n0\r\n\r\n"},
		{"post with length and chunks", 4, post + "&sid=SID" + head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + end + "2\r\n4x\r\n0\r\n\r\n"},
		{"post that expects", 4, post + "&sid=SID" + head + "Expect: 100-continue\r\nContent-Length: 2\r\n" + end + "4x"},
		{"two posts", 4, post + "&sid=SID" + head + "Content-Length: 2\r\n" + end + "4x" + post + "&sid=SID" + head + "Content-Length: 2\r\n" + end + "4y"},
		{"post with another protocol", 3, post + "&sid=SID" + head + "Content-Length: 2\r\n" + end + "4x"},
		{"delete", 4, "DELETE /engine.io/?EIO=4&transport=polling&sid=SID" + head + end},
		{"preflight", 4, "OPTIONS /engine.io/?EIO=4&transport=polling&sid=SID" + head + "Access-Control-Request-Method: POST\r\n" + end},
		{"WebSocket", 0, "GET /engine.io/?EIO=4&transport=websocket" + head + sock + end},
		{"WebSocket with an origin", 0, "GET /engine.io/?EIO=4&transport=websocket" + head + "Origin: http://page.example\r\n" + sock + end},
		{"WebSocket that is not allowed", 0, "GET /engine.io/?EIO=4&transport=websocket" + head + "X-Banned: 1\r\n" + sock + end},
		{"WebSocket for a session nobody knows", 0, "GET /engine.io/?EIO=4&transport=websocket&sid=none" + head + sock + end},
		{"WebSocket and frames", 0, "GET /engine.io/?EIO=4&transport=websocket" + head + sock + end + string(text("4x"))},
		{"WebSocket for a session", 4, "GET /engine.io/?EIO=4&transport=websocket&sid=SID" + head + sock + end},
		{"WebSocket with a subprotocol", 0, "GET /engine.io/?EIO=4&transport=websocket" + head + "Sec-WebSocket-Protocol: a, b\r\n" + sock + end},
		{"WebSocket without an upgrade", 0, "GET /engine.io/?EIO=4&transport=websocket" + head + end},
		{"another path", 0, "GET /healthz HTTP/1.1\r\nHost: chat.example\r\n" + end},
		{"nonsense", 0, "hello\r\n\r\n"},
		{"two Hosts", 0, get + head + "Host: other\r\n" + end},
		{"a space before the colon", 0, get + head + "Origin : x\r\n" + end},
	}
	servers := pair(t, Options{MaxPayload: 1000, Allow: func(r *http.Request) error {
		if r.Header.Get("X-Banned") != "" {
			return errors.New("not you")
		}
		return nil
	}}, nil)
	for _, tt := range tests {
		for _, how := range []string{"at once", "in two pieces"} {
			var told [2]string
			for i, s := range servers {
				request := tt.request
				if tt.protocol != 0 {
					request = strings.ReplaceAll(request, "SID", dialPolling(t, s, tt.protocol).sid)
				}
				cut := 0
				if how != "at once" {
					cut = len(request) / 2
				}
				told[i] = s.exchange(t, request[:cut], request[cut:])
			}
			if told[0] != told[1] {
				t.Errorf("%s, %s: with the front:\n%s\nwithout:\n%s", tt.name, how, told[0], told[1])
			}
		}
	}
	if served, handed := servers[0].Stats().Front(); served < 60 || handed < 15 {
		t.Errorf("the front has served %d and handed over %d", served, handed)
	}
	for _, s := range servers {
		s.each((*Conn).Discard)
	}
}

// One connection can be used for everything, one after another, and none of it is
// lost when it goes from the front to net/http.
func TestFrontKeepsConnections(t *testing.T) {
	srv := serve(t, Options{})
	alice := dialPolling(t, srv, 4)
	server := srv.accept(t)
	nc := dialRaw(t, srv)
	defer nc.Close()
	in := bufio.NewReader(nc)
	for i, tt := range []struct{ request, status, body string }{
		{"POST URL HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n4a", "200 OK", "ok"},
		{"GET URL HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "4one"},
		{"POST URL HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n4b", "200 OK", "ok"},
		{"GET URL HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "4two"},
		{"GET URL&j=2 HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", `___eio[2]("4three");`},
		{"OPTIONS URL HTTP/1.1\r\nHost: x\r\n\r\n", "204 No Content", ""},
		{"GET URL HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "4four"},
		{"POST URL HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n4c", "200 OK", "ok"},
	} {
		request := strings.ReplaceAll(tt.request, "URL", "/engine.io/?EIO=4&transport=polling&sid="+alice.sid)
		if strings.HasPrefix(tt.request, "GET") && i%2 == 0 {
			_, message, _ := strings.Cut(strings.TrimSuffix(tt.body, `");`), "4")
			server.sendText(message) // before the poll
		}
		send(t, nc, request)
		if strings.HasPrefix(tt.request, "GET") && i%2 == 1 {
			server.wantPolling(t)
			server.sendText(tt.body[1:])
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(res.Body); string(body) != tt.body || res.Status != tt.status {
			t.Fatalf("request %d: got %s %q, want %s %q", i, res.Status, body, tt.status, tt.body)
		}
	}
	server.want(t, "a", "b", "c")
	if served, handed := srv.Stats().Front(); served < 7 || handed != 0 {
		t.Errorf("the front has served %d and handed over %d", served, handed)
	}
}

func send(t testing.TB, nc net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(nc, text); err != nil {
		t.Fatal(err)
	}
}

// A poll that waits is answered when another comes behind it, which is served then.
func TestFrontPipelined(t *testing.T) {
	srv := serve(t, Options{})
	alice := dialPolling(t, srv, 4)
	server := srv.accept(t)
	nc := dialRaw(t, srv)
	defer nc.Close()
	in := bufio.NewReader(nc)
	poll := "GET /engine.io/?EIO=4&transport=polling&sid=" + alice.sid + " HTTP/1.1\r\nHost: x\r\n\r\n"
	send(t, nc, poll)
	for i := range 20 {
		server.wantPolling(t)
		send(t, nc, poll)
		wantBody(t, in, "6")
		server.wantPolling(t)
		server.sendText(fmt.Sprint(i))
		wantBody(t, in, fmt.Sprint("4", i))
		send(t, nc, poll)
	}
}

func wantBody(t *testing.T, in *bufio.Reader, want string) {
	t.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(res.Body); string(body) != want {
		t.Fatalf("got %q, want %q", body, want)
	}
}

// Connections that send nothing are closed, those that rest longest first.
func TestRestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := restList{timeout: 10 * time.Second}
		var mu sync.Mutex
		var log []string
		begin := time.Now()
		rest := func(name string) *frontConn {
			ours, theirs := net.Pipe()
			fc := &frontConn{nc: theirs, parking: new(netpoll.Parking)}
			l.add(fc)
			fc.parking.Park()
			go func() {
				_, _ = ours.Read(make([]byte, 1))
				mu.Lock()
				defer mu.Unlock()
				log = append(log, fmt.Sprintf("%s after %v", name, time.Since(begin)))
			}()
			return fc
		}
		rest("a")
		time.Sleep(4 * time.Second)
		busy := rest("b")
		last := rest("c")
		time.Sleep(time.Second)
		if !busy.parking.Claim() { // a request came
			t.Error("cannot be claimed")
		}
		l.remove(busy)
		time.Sleep(7 * time.Second)
		l.add(busy)
		busy.parking.Park()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := strings.Join(log, ", "), "a after 10s, c after 14s, b after 22s"; got != want {
			t.Errorf("closed %s, want %s", got, want)
		}
		if l.remove(last); l.head != nil || l.tail != nil || l.armed {
			t.Error("the list is not empty")
		}
	})
}

// Clients poll, post, upgrade, go and come while the server is closed; all ends.
func TestFrontChurn(t *testing.T) {
	for range 3 {
		srv := serve(t, Options{})
		var clients sync.WaitGroup
		var polls atomic.Int64
		for i := range 6 {
			clients.Go(func() {
				client := newHTTPClient(t)
				for round := 0; ; round++ {
					url := srv.url("http", "EIO=4&transport=polling")
					res := request(client, "GET", url, "", nil)
					if res.err != nil || res.status != 200 {
						return
					}
					url += "&sid=" + sid(res.body)
					p := <-srv.peers
					p.echo()
					for n := range 10 {
						answer := make(chan response, 1)
						go func() { answer <- request(client, "GET", url, "", nil) }()
						ctx, cancel := context.WithCancel(context.Background())
						if (n+i)%7 == 6 {
							req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
							go cancel()
							roundTrip(client, req)
						}
						request(client, "POST", url, "text/plain", strings.NewReader("4x"))
						<-answer
						cancel()
						polls.Add(1)
					}
					if round%2 == 0 {
						p.Discard()
					}
				}
			})
		}
		eventually(t, "some polls", func() bool { return polls.Load() > 30 })
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = srv.Close(ctx)
		clients.Wait()
	}
}
