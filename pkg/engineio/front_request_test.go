package engineio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

const (
	plainPoll   = "GET /engine.io/?EIO=4&transport=polling&t=abc&sid=s1 HTTP/1.1\r\nHost: chat.example\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
	plainPost   = "POST /engine.io/?EIO=4&transport=polling&sid=s1 HTTP/1.1\r\nHost: chat.example:80\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 2\r\n\r\n4x"
	plainSocket = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: chat.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://chat.example\r\n\r\n"
)

func TestPlainRequest(t *testing.T) {
	with := func(request string, oldNew ...string) string {
		changed := strings.NewReplacer(oldNew...).Replace(request)
		if changed == request {
			t.Fatalf("%q is not in the request", oldNew)
		}
		return changed
	}
	for _, tt := range []struct {
		name, request string
		plain         bool
	}{
		{"poll", plainPoll, true},
		{"post", plainPost, true},
		{"WebSocket", plainSocket, true},
		{"names and values in other cases", with(plainSocket, "Host", "hOST", "Upgrade: websocket", "upgrade:WebSocket\t"), true},
		{"Connection as browsers have it", with(plainSocket, ": Upgrade", ": keep-alive, Upgrade"), true},
		{"parameters nobody knows", with(plainPoll, "t=abc", "token=a%20b&&x"), true},
		{"protocol 3", with(plainPoll, "EIO=4", "EIO=3&b64=1"), true},
		{"UTF-8 in a value", with(plainPoll, "*/*", "é"), true},

		{"another path", with(plainPoll, "/engine.io/", "/engine.io/x"), false},
		{"no query", "GET /engine.io/ HTTP/1.1\r\nHost: x\r\n\r\n", false},
		{"absolute form", with(plainPoll, "/engine.io/", "http://chat.example/engine.io/"), false},
		{"HTTP/1.0", with(plainPoll, "HTTP/1.1", "HTTP/1.0"), false},
		{"HEAD", with(plainPoll, "GET", "HEAD"), false},
		{"two spaces", with(plainPoll, " HTTP", "  HTTP"), false},
		{"a fragment", with(plainPoll, "sid=s1", "sid=s1#&sid=s2"), true},
		{"a fragment before what is needed", with(plainPoll, "EIO=4", "#EIO=4"), false},
		{"an empty line behind it", plainPoll + "\r\n", true},
		{"empty lines behind a post", plainPost + "\r\n\n", true},
		{"JSONP", with(plainPoll, "t=abc", "j=0"), false},
		{"no EIO", with(plainPoll, "EIO=4&", ""), false},
		{"EIO twice", with(plainPoll, "t=abc", "EIO=3"), false},
		{"sid twice", with(plainPoll, "t=abc", "sid=s2"), false},
		{"an empty sid", with(plainPoll, "sid=s1", "sid="), false},
		{"an escaped key", with(plainPoll, "t=abc", "s%69d=s2"), false},
		{"an escaped value", with(plainPoll, "sid=s1", "sid=%731"), false},
		{"a semicolon", with(plainPoll, "t=abc", "t=a;sid=s2"), false},
		{"another transport", with(plainPoll, "polling", "pigeon"), false},

		{"no Host", with(plainPoll, "Host", "Ghost"), false},
		{"two Hosts", with(plainPoll, "Accept: */*", "Host: chat.example"), false},
		{"a strange Host", with(plainPoll, "chat.example", "chat/example"), false},
		{"folding", with(plainPoll, "Accept: */*", "Accept: */*\r\n x"), false},
		{"a bare LF", with(plainPoll, "*/*\r\n", "*/*\n"), false},
		{"a bare CR", with(plainPoll, "*/*", "*\r*"), false},
		{"NUL", with(plainPoll, "*/*", "\x00"), false},
		{"a space before the colon", with(plainPost, "Content-Length:", "Content-Length :"), false},
		{"a line without a colon", with(plainPoll, "Accept: */*", "Accept"), false},
		{"an empty name", with(plainPoll, "Accept", ""), false},
		{"Connection: close", with(plainPoll, "keep-alive", "close"), false},
		{"a GET with a length", with(plainPoll, "Accept: */*", "Content-Length: 0"), false},
		{"a GET with a body", plainPoll + "x", false},
		{"two requests", plainPoll + plainPoll, false},

		{"no length", with(plainPost, "Content-Length: 2\r\n", ""), false},
		{"two lengths", with(plainPost, "Content-Length: 2", "Content-Length: 2\r\nContent-Length: 2"), false},
		{"a list of lengths", with(plainPost, ": 2", ": 2, 2"), false},
		{"a signed length", with(plainPost, ": 2", ": +2"), false},
		{"a length in hexadecimal", with(plainPost, ": 2", ": 0x2"), false},
		{"a long length", with(plainPost, ": 2", ": 18446744073709551618"), false},
		{"too short a body", with(plainPost, ": 2", ": 3"), false},
		{"too long a body", with(plainPost, ": 2", ": 1"), false},
		{"chunks", with(plainPost, "Content-Length: 2", "Transfer-Encoding: chunked"), false},
		{"length and chunks", with(plainPost, "Content-Length: 2", "Content-Length: 2\r\nTransfer-Encoding: chunked"), false},
		{"Expect", with(plainPost, "Content-Length: 2", "Content-Length: 2\r\nExpect: 100-continue"), false},
		{"an upgrade with a POST", with(plainPost, "Content-Length: 2", "Content-Length: 2\r\nUpgrade: websocket"), false},

		{"WebSocket without its upgrade", with(plainPoll, "polling", "websocket"), true}, // which the handler refuses
		{"an upgrade for polling", with(plainSocket, "transport=websocket", "transport=polling"), false},
		{"h2c", with(plainSocket, "Upgrade: websocket", "Upgrade: h2c"), false},
		{"another version", with(plainSocket, "13", "8"), false},
		{"a short key", with(plainSocket, "dGhl", "dG"), false},
		{"two keys", with(plainSocket, "Origin: http://chat.example", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), false},
		{"a subprotocol", with(plainSocket, "Origin: http://chat.example", "Sec-WebSocket-Protocol: a"), true},
		{"bytes behind an upgrade", plainSocket + "\x81\x80", false},
	} {
		var q plainRequest
		if got := q.parse([]byte(tt.request), "/engine.io/") && q.session && q.missing == 0; got != tt.plain {
			t.Errorf("%s: plain is %v, want %v", tt.name, got, tt.plain)
		}
		checkPlain(t, []byte(tt.request))
	}
}

// No part of a request is one.
func TestPlainRequestTruncated(t *testing.T) {
	for _, request := range []string{plainPoll, plainPost, plainSocket} {
		for n := range request {
			var q plainRequest
			if q.parse([]byte(request[:n]), "/engine.io/") && q.missing == 0 {
				t.Errorf("%q is plain", request[:n])
			}
		}
	}
}

// checkPlain compares what is plain with what net/http reads from the same bytes:
// the same request, and nothing behind it.
func checkPlain(t *testing.T, b []byte) {
	t.Helper()
	var q plainRequest
	if !q.parse(b, "/engine.io/") {
		return
	}
	in := bufio.NewReaderSize(bytes.NewReader(b), 1<<16)
	r, err := http.ReadRequest(in)
	if err != nil {
		t.Fatalf("net/http refuses %q: %v", b, err)
	}
	body, err := io.ReadAll(r.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) && q.missing > 0 {
		err = nil
	}
	if err != nil || !bytes.Equal(body, q.body) {
		t.Fatalf("net/http reads the body of %q as %q, %v; the front as %q", b, body, err, q.body)
	}
	if left, _ := io.ReadAll(in); len(trimBlank(left)) > 0 {
		t.Fatalf("net/http finds another request in %q: %q", b, left)
	}
	query := parameters(r)
	if q.session && (r.URL.Path != "/engine.io/" || query.sid != string(q.sid) || query.transport != string(q.transport) ||
		query.protocol() != q.protocol || query.callback != nil) {
		t.Fatalf("net/http reads %q as %+v, the front as %+v", b, r, q)
	}
	if r.Method != string(q.method) || isUpgrade(r) != q.webSocket || (r.Method == http.MethodPost) != q.post || r.ContentLength != int64(len(q.body)+q.missing) ||
		r.Header.Get("Origin") != string(q.origin) || r.Header.Get("Content-Type") != string(q.contentType) || len(r.TransferEncoding) > 0 || r.Close {
		t.Fatalf("net/http reads %q as %+v, the front as %+v", b, r, q)
	}
	ours, err := q.request(context.Background(), "")
	if err != nil {
		return // then it is handed over
	}
	if !reflect.DeepEqual(ours.Header, r.Header) || ours.Host != r.Host || ours.RequestURI != r.RequestURI || !reflect.DeepEqual(ours.URL, r.URL) ||
		ours.ContentLength != r.ContentLength || ours.Method != r.Method {
		t.Fatalf("net/http makes\n%+v of %q, the front\n%+v", r, b, ours)
	}
}

// Requests of other kinds are served by the front as well, if there is one way only to
// read them.
func TestPlainRequestsOfOtherKinds(t *testing.T) {
	const host = " HTTP/1.1\r\nHost: chat.example\r\n"
	for _, tt := range []struct {
		name, request string
		plain         bool
		missing       int
	}{
		{"an asset", "GET /assets/index.js" + host + "Accept-Encoding: gzip\r\n\r\n", true, 0},
		{"the page", "GET /" + host + "\r\n", true, 0},
		{"HEAD", "HEAD /healthz" + host + "\r\n", true, 0},
		{"a preflight", "OPTIONS /engine.io/?EIO=4&transport=polling&sid=a" + host + "Access-Control-Request-Method: POST\r\n\r\n", true, 0},
		{"DELETE", "DELETE /engine.io/?EIO=4" + host + "\r\n", true, 0},
		{"JSONP", "GET /engine.io/?EIO=3&transport=polling&j=0" + host + "\r\n", true, 0},
		{"a POST elsewhere", "POST /login" + host + "Content-Length: 2\r\n\r\nab", true, 0},
		{"a POST that has come in part", "POST /engine.io/?EIO=4&transport=polling&sid=a" + host + "Content-Length: 9000\r\n\r\nab", true, 8998},
		{"a long POST and more", "POST /login" + host + "Content-Length: 2\r\n\r\nabc", false, 0},
		{"PUT", "PUT /" + host + "Content-Length: 0\r\n\r\n", false, 0},
		{"TRACE", "TRACE /" + host + "\r\n", false, 0},
		{"CONNECT", "CONNECT chat.example:80" + host + "\r\n", false, 0},
		{"OPTIONS of the server", "OPTIONS *" + host + "\r\n", false, 0},
		{"the absolute form", "GET http://chat.example/" + host + "\r\n", false, 0},
		{"HTTP/1.0", "GET / HTTP/1.0\r\nHost: chat.example\r\n\r\n", false, 0},
		{"two requests", "GET /" + host + "\r\nGET /" + host + "\r\n", false, 0},
		{"a HEAD with a length", "HEAD /" + host + "Content-Length: 0\r\n\r\n", false, 0},
		{"another upgrade", "GET /" + host + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", false, 0},
		{"an upgrade elsewhere", strings.Replace(plainSocket, "/engine.io/", "/other/", 1), false, 0},
		{"Connection: close", "GET /" + host + "Connection: close\r\n\r\n", false, 0},
	} {
		var q plainRequest
		if got := q.parse([]byte(tt.request), "/engine.io/"); got != tt.plain || got && q.missing != tt.missing {
			t.Errorf("%s: plain is %v, want %v; %d bytes are missing", tt.name, got, tt.plain, q.missing)
		}
		checkPlain(t, []byte(tt.request))
	}
}

func FuzzPlainRequest(f *testing.F) {
	for _, request := range []string{plainPoll, plainPost, plainSocket, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"} {
		f.Add([]byte(request))
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkPlain(t, b) })
}
