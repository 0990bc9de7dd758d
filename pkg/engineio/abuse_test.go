package engineio

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What costs its sender little and a server much, one test for each. In all of
// them a bystander's conversation must go on.

// A thousand times its size, where it is unpacked.
func TestCompressionBomb(t *testing.T) {
	srv := serve(t, Options{MaxPayload: 1e6})
	alice := newBystander(t, srv)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.Copy(z, io.LimitReader(zeros{}, 20<<20)) // into memory: cannot fail
	_ = z.Close()

	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	for _, encoding := range []string{"gzip", "x-gzip", "deflate", "br", "zstd"} {
		cost := allocated(func() {
			req, _ := http.NewRequest(http.MethodPost, bob.url, bytes.NewReader(packed.Bytes()))
			req.Header.Set("Content-Encoding", encoding)
			roundTrip(bob.http, req)
		})
		if cost > 10<<20 { // the client's part included
			t.Errorf("%s: %d bytes for a body of %d", encoding, cost, packed.Len())
		}
	}
	server.wantClosed(t, ParseError) // what came is no packet; it is never unpacked

	// On a WebSocket compression is offered by clients and never agreed to.
	res := srv.send(t, "GET", "EIO=4&transport=websocket", webSocketHeaders+"Sec-WebSocket-Extensions: permessage-deflate\n")
	if res.status != 101 || res.header.Get("Sec-Websocket-Extensions") != "" {
		t.Errorf("%d, extensions %q", res.status, res.header.Get("Sec-Websocket-Extensions"))
	}
	srv.accept(t)
	var deflated bytes.Buffer
	f, _ := flate.NewWriter(&deflated, flate.BestCompression)
	_, _ = io.Copy(f, io.LimitReader(zeros{}, 1<<20))
	_ = f.Flush()
	mallory := dialWebSocket(t, srv, 4)
	malloryHere := srv.accept(t)
	mallory.write(t, masked(0xc1, deflated.Bytes())) // FIN, RSV1: compressed
	mallory.wantClose(t, 1002, "non-zero rsv bits with no extension negotiated")
	malloryHere.wantClosed(t, TransportError)
	alice.wantUndisturbed(t)
}

// A body that does not tell its length ends where the limit is.
func TestChunkedBodyOverTheLimit(t *testing.T) {
	srv := serve(t, Options{MaxPayload: 10_000})
	alice := newBystander(t, srv)
	for _, chunk := range []int{1, 1000, 100_000} {
		bob := dialPolling(t, srv, 4)
		server := srv.accept(t)
		nc := dialRaw(t, srv)
		fmt.Fprintf(nc, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", bob.sid)
		one := fmt.Sprintf("%x\r\n%s\r\n", chunk, strings.Repeat("4", chunk))
		_, _ = io.WriteString(nc, strings.Repeat(one, 20_000/chunk+1)) // the server may have closed; it never hears the end
		answer := make([]byte, 12)
		if _, err := io.ReadFull(nc, answer); err != nil || string(answer) != "HTTP/1.1 413" {
			t.Errorf("chunks of %d: %q, %v", chunk, answer, err)
		}
		_ = nc.Close()
		server.wantClosed(t, TransportError)
	}
	if got := srv.Stats().PayloadTooLarge(); got != 3 {
		t.Errorf("counted %d", got)
	}
	alice.wantUndisturbed(t)
}

// So does a message, in one frame or in many.
func TestMessageOverTheLimit(t *testing.T) {
	srv := serve(t, Options{MaxPayload: 10_000})
	alice := newBystander(t, srv)
	for i, frames := range [][][]byte{
		{masked(0x81, make([]byte, 10_001))},
		{masked(0x01, make([]byte, 10_000)), masked(0x80, []byte("x"))},
		{header(0x81, math.MaxInt32)}, // promised, never sent
	} {
		mallory := dialWebSocket(t, srv, 4)
		server := srv.accept(t)
		for _, f := range frames {
			mallory.write(t, f)
		}
		mallory.wantClose(t, 1009, "max payload size exceeded")
		server.wantClosed(t, TransportError)
		if got := srv.Stats().PayloadTooLarge(); got != uint64(i+1) {
			t.Errorf("counted %d", got)
		}
	}
	alice.wantUndisturbed(t)
}

// A body has its time, whatever the heartbeat allows.
func TestSlowBody(t *testing.T) {
	srv := serve(t, Options{BodyTimeout: 50 * time.Millisecond})
	alice := newBystander(t, srv)
	for _, length := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
		bob := dialPolling(t, srv, 4)
		server := srv.accept(t)
		nc := dialRaw(t, srv)
		fmt.Fprintf(nc, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n4", bob.sid, length)
		if _, err := io.Copy(io.Discard, nc); err != nil { // until the server ends the connection
			t.Errorf("%s: %v", length, err)
		}
		server.wantClosed(t, TransportError)
	}
	alice.wantUndisturbed(t)
}

// The type that crashed a server of protocol 4, with all kinds of bodies.
func TestOctetStreamPost(t *testing.T) {
	srv := serve(t, Options{})
	alice := newBystander(t, srv)
	for _, body := range []string{"", "4x", "\x00\x01\xff4", strings.Repeat("\xff", 1000), "b"} {
		bob := dialPolling(t, srv, 4)
		server := srv.accept(t)
		if res := bob.do(http.MethodPost, "application/octet-stream", strings.NewReader(body)); res.status != 400 {
			t.Errorf("%.10q: %d", body, res.status)
		}
		server.wantClosed(t, TransportError)
	}
	alice.wantUndisturbed(t)
}

// Session ids that every JavaScript object has, wherever an id goes.
func TestSidOfPrototype(t *testing.T) {
	srv := serve(t, Options{})
	alice := newBystander(t, srv)
	for _, sid := range []string{"__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "%5f%5fproto%5f%5f"} {
		for _, tt := range []struct{ method, transport, headers string }{
			{"GET", "polling", ""}, {"POST", "polling", "Content-Length: 0\n"}, {"DELETE", "polling", ""}, {"GET", "websocket", webSocketHeaders},
		} {
			for _, protocol := range []string{"3", "4"} {
				res := srv.send(t, tt.method, "EIO="+protocol+"&transport="+tt.transport+"&sid="+sid, tt.headers)
				if res.status != 400 || !strings.Contains(res.body, "Session ID unknown") {
					t.Errorf("%s %s, protocol %s: %d %q", tt.method, sid, protocol, res.status, res.body)
				}
			}
		}
	}
	alice.wantUndisturbed(t)
}

type busy struct{}

func (busy) Error() string   { return "come back later" }
func (busy) HTTPStatus() int { return http.StatusTooManyRequests }

// A client that is refused for a while is told so by the status of HTTP too.
func TestRefusalsHaveTheirStatus(t *testing.T) {
	var refusal error
	srv := serve(t, Options{Allow: func(*http.Request) error { return refusal }})
	for _, tt := range []struct {
		err                error
		polling, websocket int
		retry              string
	}{
		{errors.New("not you"), 403, 400, ""},
		{busy{}, 429, 429, "1"},
		{fmt.Errorf("wrapped: %w", busy{}), 429, 429, "1"},
	} {
		refusal = tt.err
		res := srv.send(t, "GET", "EIO=4&transport=polling", "")
		if res.status != tt.polling || res.body != refused(4, tt.err.Error()) || res.header.Get("Retry-After") != tt.retry {
			t.Errorf("polling: %d %q %v", res.status, res.body, res.header)
		}
		res = srv.send(t, "GET", "EIO=4&transport=websocket", webSocketHeaders)
		if res.status != tt.websocket || res.body != tt.err.Error() || res.header.Get("Retry-After") != tt.retry {
			t.Errorf("WebSocket: %d %q %v", res.status, res.body, res.header)
		}
	}
}
