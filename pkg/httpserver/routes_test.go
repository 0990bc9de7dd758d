package httpserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

func pageFiles() fstest.MapFS {
	return fstest.MapFS{
		"index.html":            {Data: []byte("<!DOCTYPE html><title>chat</title>" + strings.Repeat("<p>words", 50))},
		"favicon.svg":           {Data: []byte("<svg/>")},
		"assets/index-a1b2.js":  {Data: []byte("alert()")},
		"assets/index-a1b2.css": {Data: []byte("p{}")},
		"assets/f.woff2":        {Data: []byte{1}},
		"robots":                {Data: []byte("?")},
	}
}

func TestRoutes(t *testing.T) {
	s := newTestServer(t, Options{Page: pageFiles(), PagePolicy: "default-src 'self'", Client: bundleFiles(), ClientVersion: "1"})
	for _, tt := range []struct {
		method, path string
		status       int
		contentType  string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
		{"GET", "/index.html", 200, "text/html; charset=utf-8"},
		{"GET", "/?room=1", 200, "text/html; charset=utf-8"},
		{"GET", "/favicon.svg", 200, "image/svg+xml"},
		{"GET", "/assets/index-a1b2.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/assets/index-a1b2.css", 200, "text/css; charset=utf-8"},
		{"GET", "/assets/f.woff2", 200, "font/woff2"},
		{"GET", "/robots", 200, "application/octet-stream"},
		{"GET", "/assets/", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/../index.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/%2e%2e/etc/passwd", 404, "text/plain; charset=utf-8"},
		{"GET", "//", 404, "text/plain; charset=utf-8"},
		{"GET", "/nope", 404, "text/plain; charset=utf-8"},
		{"POST", "/nope", 404, "text/plain; charset=utf-8"},
		{"GET", "/socket.io", 404, "text/plain; charset=utf-8"},
		{"GET", "//socket.io/", 404, "text/plain; charset=utf-8"},
		{"GET", "/socket.io/", 418, ""},
		{"POST", "/socket.io/?EIO=4&transport=polling", 418, ""},
		{"OPTIONS", "/socket.io/", 418, ""},
		{"GET", "/socket.io/anything", 418, ""},
		{"GET", "/socket.io/nope.js", 418, ""},
		{"GET", "/socket.io/socket.io.js/", 418, ""},
		{"GET", "/socket.io/socket.io.js", 200, "application/javascript; charset=utf-8"},
		{"GET", "/healthz", 200, "application/json; charset=utf-8"},
		{"POST", "/healthz", 405, "text/plain; charset=utf-8"},
		{"GET", "/readyz", 200, "application/json; charset=utf-8"},
		{"DELETE", "/readyz", 405, "text/plain; charset=utf-8"},
		{"GET", "/healthz/", 404, "text/plain; charset=utf-8"},
	} {
		answer := ask(s, tt.method, tt.path, nil)
		if got := answer.Header.Get("Content-Type"); answer.StatusCode != tt.status || got != tt.contentType {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.path, answer.StatusCode, got, tt.status, tt.contentType)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	s := newTestServer(t, Options{Page: pageFiles(), PagePolicy: "default-src 'self'"})
	index := ask(s, "GET", "/", map[string]string{"Accept-Encoding": "gzip"})
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "no-referrer",
		"Cache-Control":           "no-cache",
		"Content-Encoding":        "gzip",
		"Vary":                    "Accept-Encoding",
	} {
		if got := index.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if text := body(t, index); !strings.HasPrefix(text, "<!DOCTYPE html>") {
		t.Errorf("body is %.40q", text)
	}
	asset := ask(s, "GET", "/assets/index-a1b2.js", nil)
	if got := asset.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("hashed file: Cache-Control %q", got)
	}
	again := ask(s, "GET", "/", map[string]string{"If-None-Match": index.Header.Get("ETag")})
	if again.StatusCode != http.StatusNotModified || again.Header.Get("ETag") != index.Header.Get("ETag") {
		t.Errorf("same tag: status %d, tag %s", again.StatusCode, again.Header.Get("ETag"))
	}
	if asset.Header.Get("ETag") == index.Header.Get("ETag") {
		t.Error("two files have one entity tag")
	}
}

func TestPageNotBuilt(t *testing.T) {
	s := newTestServer(t, Options{})
	answer := ask(s, "GET", "/", nil)
	if text := body(t, answer); answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "go run ./cmd/start") {
		t.Errorf("status %d, body %.60q", answer.StatusCode, text)
	}
	if answer := ask(s, "GET", "/main.js", nil); answer.StatusCode != http.StatusNotFound {
		t.Errorf("another file: status %d", answer.StatusCode)
	}
	if answer := ask(s, "PUT", "/", nil); answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("PUT: status %d", answer.StatusCode)
	}
}

func TestPageWithoutIndex(t *testing.T) {
	if _, err := New(Options{Socket: teapot, Page: fstest.MapFS{"a.js": {}}}); err == nil {
		t.Error("a page without index.html is taken")
	}
}

func TestReadiness(t *testing.T) {
	var redis, canary error
	s := newTestServer(t, Options{Checks: []Check{
		{"redis", func() error { return redis }},
		{"canary", func() error { return canary }},
	}})
	expect := func(status int, want string) {
		t.Helper()
		for _, h := range []http.Handler{s, s.operator.Handler} {
			answer := ask(h, "GET", "/readyz", nil)
			var got, expected any
			if err := json.Unmarshal([]byte(body(t, answer)), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(want), &expected); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != status || !reflect.DeepEqual(got, expected) {
				t.Errorf("%d %v, want %d %v", answer.StatusCode, got, status, expected)
			}
			if answer := ask(h, "GET", "/healthz", nil); answer.StatusCode != 200 {
				t.Errorf("healthz: status %d", answer.StatusCode)
			}
		}
	}
	expect(200, `{"status":"ok","checks":[{"name":"serving","ready":true},{"name":"redis","ready":true},{"name":"canary","ready":true}]}`)
	redis = errors.New("not connected")
	expect(503, `{"status":"unavailable","checks":[{"name":"serving","ready":true},{"name":"redis","ready":false,"reason":"not connected"},{"name":"canary","ready":true}]}`)
	redis, canary = nil, nil
	s.Drain()
	expect(503, `{"status":"unavailable","checks":[{"name":"serving","ready":false,"reason":"shutting down"},{"name":"redis","ready":true},{"name":"canary","ready":true}]}`)
}

func TestOperatorIndex(t *testing.T) {
	s := newTestServer(t, Options{})
	if text := body(t, ask(s.operator.Handler, "GET", "/", nil)); text != "/healthz\n/readyz\n" {
		t.Errorf("index is %q", text)
	}
	s.HandleOperator("GET /status", http.NotFoundHandler())
	if answer := ask(s.operator.Handler, "GET", "/", nil); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/status" {
		t.Errorf("/ answers %d, %q: it should lead to the status page", answer.StatusCode, answer.Header.Get("Location"))
	}
	if answer := ask(s.operator.Handler, "GET", "/socket.io/", nil); answer.StatusCode != 404 {
		t.Errorf("/socket.io/ answers %d at the operators' address", answer.StatusCode)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for _, tt := range []struct {
		fields []string
		want   bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"gzip"}, true},
		{[]string{"deflate, GZIP;q=0.5"}, true},
		{[]string{"br", "x-gzip"}, true},
		{[]string{"*"}, true},
		{[]string{"*;q=0"}, false},
		{[]string{"gzip;q=0, *"}, false},
		{[]string{"gzip; q=0.000"}, false},
		{[]string{"gzip;q=x"}, false},
		{[]string{"identity, br;q=1"}, false},
		{[]string{"gzipped"}, false},
	} {
		if got := acceptsGzip(tt.fields); got != tt.want {
			t.Errorf("%q: %t", tt.fields, got)
		}
	}
}
