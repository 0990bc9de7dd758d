package engineio

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// However the bytes are split on the way, they mean the same.
func TestFramesSplitAnywhere(t *testing.T) {
	for _, tt := range frameTests {
		t.Run(tt.name, func(t *testing.T) {
			want := readAll(t, feed(tt.in), 1000)
			for i := range min(len(tt.in), 300) {
				if got := readAll(t, feed(tt.in[:i], tt.in[i:]), 1000); !slices.Equal(got, want) {
					t.Fatalf("split at %d:\n got %.500q\nwant %.500q", i, got, want)
				}
			}
			for _, n := range []int{1, 2, 3, 7, 4096} {
				if got := readAll(t, feedBy(tt.in, n), 1000); !slices.Equal(got, want) {
					t.Fatalf("%d bytes at a time:\n got %.500q\nwant %.500q", n, got, want)
				}
			}
		})
	}
}

// A peer that ends in the middle of a frame ends the connection, and what it
// had sent in whole before counts.
func TestFramesTruncatedAnywhere(t *testing.T) {
	for _, tt := range frameTests {
		t.Run(tt.name, func(t *testing.T) {
			whole := readAll(t, feed(tt.in), 1000)
			for i := range min(len(tt.in), 300) {
				got := readAll(t, feed(tt.in[:i]), 1000)
				events, end := got[:len(got)-1], got[len(got)-1]
				if len(events) > len(whole) || !slices.Equal(events, whole[:len(events)]) {
					t.Fatalf("cut at %d: got %.500q, of %.500q", i, got, whole)
				}
				if end != "error: EOF" && end != whole[len(whole)-1] {
					t.Fatalf("cut at %d: ends with %q", i, end)
				}
			}
		})
	}
}

// dialRaw connects without a word.
func dialRaw(t testing.TB, s *testServer) *net.TCPConn {
	t.Helper()
	nc, err := net.Dial("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = nc.Close() })
	return nc.(*net.TCPConn)
}

// upgradeRequest is a client's whole HTTP request for a WebSocket.
func upgradeRequest(query string) []byte {
	return []byte("GET /engine.io/?" + query + " HTTP/1.1\r\n" +
		"Host: localhost\r\n" +
		"Connection: keep-alive, Upgrade\r\n" +
		"Upgrade: WebSocket\r\n" +
		"Sec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
}

// A client need not wait for the answer to its HTTP request before it sends.
func TestEarlyBytes(t *testing.T) {
	srv := serve(t, Options{})
	request := upgradeRequest("EIO=4&transport=websocket")
	frames := join(text("4early"), text("4"+strings.Repeat("x", 20_000)), text("4bird"))
	for _, split := range []int{len(request), len(request) + 1, len(request) + 8, len(request) + 5000, len(request) + len(frames)} {
		nc := dialRaw(t, srv)
		all := join(request, frames)
		if _, err := nc.Write(all[:split]); err != nil {
			t.Fatal(err)
		}
		server := srv.accept(t)
		if _, err := nc.Write(all[split:]); err != nil {
			t.Fatal(err)
		}
		server.want(t, "early", message(strings.Repeat("x", 20_000)), "bird")
		res, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // RFC 6455, 1.3
			t.Fatalf("%v, %v", res, err)
		}
		_ = nc.Close()
		server.wantClosed(t, TransportClose)
	}
}

// Every beginning of a conversation, followed by the end of the TCP connection,
// leaves nothing behind.
func TestConversationTruncatedAnywhere(t *testing.T) {
	srv := serve(t, Options{})
	whole := join(upgradeRequest("EIO=4&transport=websocket"), masked(0x01, []byte("4he")), masked(0x89, nil), masked(0x80, []byte("llo")), masked(0x88, nil))
	for i := 0; i <= len(whole); i += 1 + i%3 {
		nc := dialRaw(t, srv)
		if _, err := nc.Write(whole[:i]); err != nil {
			t.Fatal(err)
		}
		if err := nc.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, nc); err != nil {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	srv.wantLen(t, 0)
	for len(srv.peers) > 0 {
		if e := <-(<-srv.peers).ended; e.reason != TransportClose {
			t.Errorf("closed with %q, %v", e.reason, e.err)
		}
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// CVE-2026-48779: a message in very small fragments must not cost more memory
// than its bytes, nor may endless fragments of nothing grow it.
func TestTinyFragments(t *testing.T) {
	const limit = 200_000
	for _, tt := range []struct {
		name     string
		fragment []byte
		n        int
		wantErr  bool
	}{
		{"one byte each", masked(0x00, []byte{'x'}), limit - 1, false},
		{"one byte each, one too many", masked(0x00, []byte{'x'}), limit, true},
		{"no byte each", masked(0x00, nil), 2 * limit, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batch := bytes.Repeat(tt.fragment, 1000)
			sent := -1
			c := &feedConn{next: func() []byte {
				sent++
				switch {
				case sent == 0:
					return masked(0x01, []byte("4")) // the first byte of the message
				case sent <= tt.n/1000:
					return batch
				case sent == tt.n/1000+1:
					return join(bytes.Repeat(tt.fragment, tt.n%1000), masked(0x80, nil))
				}
				return nil
			}}
			r := newWSReader(transportOf(c), limit, nil)
			bytes := allocated(func() {
				data, _, err := r.next()
				if (err != nil) != tt.wantErr || err == nil && !utf8.Valid(data) {
					t.Errorf("%d bytes, error %v", len(data), err)
				}
			})
			if bytes > 10*limit {
				t.Errorf("allocated %d bytes for a message of at most %d", bytes, limit)
			}
		})
	}
}

// A header that promises a megabyte and delivers nothing costs nothing.
func TestPromisedPayload(t *testing.T) {
	for _, n := range []int{125, 126, 8191, 8192, 65_536, 999_999} {
		c := feed(header(0x82, n), []byte("a little"))
		r := newWSReader(transportOf(c), 1_000_000, nil)
		if got := allocated(func() { _, _, _ = r.next() }); got > 64<<10 {
			t.Errorf("%d bytes promised: %d bytes allocated", n, got)
		}
	}
}

// Without a bound of control frames, a client that pings without end and reads the
// answers is served; one that does not read them is closed, and nobody else is delayed.
func TestPingFlood(t *testing.T) {
	srv := serveSmall(t, Options{QueueBytes: 16 << 10, ControlFrames: -1})
	alice := dialWebSocket(t, srv, 4)
	aliceHere := srv.accept(t)
	mallory := dialSlow(t, srv, 4)
	malloryHere := srv.accept(t)

	ping := masked(0x89, bytes.Repeat([]byte{'!'}, 125))
	flooding := make(chan struct{})
	go func() {
		defer close(flooding)
		flood := bytes.Repeat(ping, 100)
		for mallory.tryWrite(flood) == nil {
		}
	}()
	for malloryHere.Open() {
		alice.sendText(t, "4hello")
		aliceHere.want(t, "hello")
	}
	malloryHere.wantClosed(t, SlowClient)
	mallory.cut()
	<-flooding

	const pings = 30 // the pongs of two rounds fit the queue: one may be written and not yet counted off
	pongs := 0
	alice.ws.SetPongHandler(func(string) error { pongs++; return nil })
	for range 20 {
		alice.write(t, bytes.Repeat(ping, pings))
		alice.sendText(t, "4done")
		aliceHere.want(t, "done")
		aliceHere.sendText("done")
		alice.wantText(t, "4done")
	}
	if pongs != 20*pings {
		t.Errorf("%d pongs, want %d", pongs, 20*pings)
	}
}
