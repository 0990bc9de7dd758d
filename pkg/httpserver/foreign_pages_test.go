package httpserver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What a browser and others send, as recorded from Chromium 156, Prometheus 3, the kubelet and curl.
const (
	ownPage   = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0\nAccept-Language: en-US,en;q=0.9\nAccept: */*"
	asScript  = ownPage + "\nSec-Fetch-Site: %s\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: script"
	asWindow  = ownPage + "\nSec-Fetch-Site: %s\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document"
	scrape    = "User-Agent: Prometheus/3.5.0\nAccept: text/plain;version=0.0.4\nAccept-Encoding: gzip\nX-Prometheus-Scrape-Timeout-Seconds: 10"
	probe     = "User-Agent: kube-probe/1.33\nAccept: */*"
	curlsOwn  = "User-Agent: curl/8.5.0\nAccept: */*"
	disguised = "User-Agent: curl/8.5.0\nAccept: */*\nAccept-Language: \nReferer: "
)

// from is what a browser sends of a site.
func from(fields, site string) string { return strings.Replace(fields, "%s", site, 1) }

// Pages of other servers read nothing of the operators' address, by whatever name it goes (DNS rebinding). Prometheus, the kubelet,
// scripts, and people with their browsers do, under the names that they use.
func TestForeignPagesAreKeptOut(t *testing.T) {
	s := newTestServer(t, Options{OperatorHosts: []string{"Ops.example", "box"}})
	for _, path := range []string{"/metrics", "/status.json", "/debug/pprof/profile"} {
		s.HandleOperator("GET "+path, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") }))
	}
	for _, tt := range []struct {
		what, host, path, fields string
		refused                  bool
	}{
		{"Prometheus, by address", "10.0.0.7:9464", "/metrics", scrape, false},
		{"Prometheus, by a service's name", "chat-metrics.prod.svc.cluster.local:9464", "/metrics", scrape, false},
		{"Prometheus, by Compose's name", "chat:9464", "/metrics", scrape, false},
		{"the kubelet", "10.0.0.7:9464", "/readyz", probe, false},
		{"a balancer that says any name", "evil.example", "/healthz", ownPage, false},
		{"a script of the operator's", "chat.prod.example:9464", "/status.json", curlsOwn, false},
		{"no name at all, HTTP/1.0", "", "/metrics", "", false},
		{"the page on this machine", "127.0.0.1:9464", "/status.json", from(asScript, "same-origin"), false},
		{"the page on this machine, IPv6", "[::1]:9464", "/status.json", from(asScript, "same-origin"), false},
		{"the page on this machine, by name", "localhost:9464", "/status.json", from(asScript, "same-origin"), false},
		{"the page through a tunnel", "chat.localhost:8080", "/status.json", from(asScript, "same-origin"), false},
		{"the page in the network, by address", "10.0.0.7:9464", "/status.json", ownPage, false},
		{"the page by the machine's name", "BOX:9464", "/status.json", ownPage, false},
		{"the page by a name of METRICS_HOSTS", "ops.example.", "/status.json", ownPage, false},
		{"an address that is typed", "127.0.0.1:9464", "/metrics", from(asWindow, "none"), false},
		{"a link in a handbook", "127.0.0.1:9464", "/metrics", from(asWindow, "cross-site"), false},

		{"a page that has got this address for its own", "evil.example:9464", "/metrics", ownPage, true},
		{"such a page that denies what it is", "evil.example:9464", "/metrics", disguised, true},
		{"one whose name only ends as ours", "evil-ops.example:9464", "/metrics", ownPage, true},
		{"one whose name begins as an address", "127.0.0.1.evil.example:9464", "/status.json", ownPage, true},
		{"a script of a page elsewhere", "127.0.0.1:9464", "/status.json", from(asScript, "cross-site"), true},
		{"the chat's page on the same machine", "localhost:9464", "/status.json", from(asScript, "same-site"), true},
		{"an image that asks for a profile", "127.0.0.1:9464", "/debug/pprof/profile", from(asScript, "cross-site"), true},
		{"a page that says where it is from", "10.0.0.7:9464", "/metrics", ownPage + "\nOrigin: http://evil.example", true},
		{"a page in a sandbox", "10.0.0.7:9464", "/metrics", ownPage + "\nOrigin: null", true},
		{"a window in a page", "127.0.0.1:9464", "/metrics", strings.Replace(from(asWindow, "cross-site"), "document", "iframe", 1), true},
	} {
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.Host = tt.host
		for line := range strings.Lines(tt.fields) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		s.operator.Handler.ServeHTTP(w, r)
		if refused := w.Code == http.StatusForbidden; refused != tt.refused || refused && strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", tt.what, w.Code, w.Body)
		}
	}
	if got := s.Stats().RefusedPages; got != 10 {
		t.Errorf("%d refusals are counted", got)
	}
}
