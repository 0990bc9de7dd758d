package httpserver

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"socketio-chat/pkg/ratelog"
)

// The operators' address has no authentication: everybody who reaches it may look. But a browser that reaches it also runs the scripts of pages from
// anywhere, and those must not:
//
//	a page from elsewhere asks for something here       Origin, or Sec-Fetch-Site: cross-site   refused, but for links that people follow
//	a page has got this address for its own, by what    Host: evil.example                      refused, unless the name is known to be ours
//	its name means now (DNS rebinding)
//
// The first could not read the answer, but could make the server write profiles; of the second the name is all that gives it away, since a
// browser tells neither of these fields of a page that asks its own host by http. A program asks under whatever name it knows this address by,
// such as a service's in Kubernetes or Compose, and is no browser: it is never refused. Health is told to everybody.
type foreignPages struct {
	hosts   []string // names that are ours, in lower case
	log     ratelog.Log
	refused atomic.Uint64
}

func newForeignPages(hosts []string, log *slog.Logger) *foreignPages {
	p := &foreignPages{log: ratelog.Log{Logger: log}}
	for _, h := range hosts {
		p.hosts = append(p.hosts, strings.ToLower(h))
	}
	return p
}

// keepOut answers such requests with 403, and leaves the others to h.
func (p *foreignPages) keepOut(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		why := ""
		switch {
		case r.URL.Path == "/healthz" || r.URL.Path == "/readyz":
		case r.Header.Get("Origin") != "" || fromElsewhere(r) && !followsLink(r):
			why = "this address answers no pages of other servers"
		case !p.ours(r.Host) && fromBrowser(r.Header):
			why = "this address answers browsers under its IP address, localhost, its machine's name, and the names in METRICS_HOSTS"
		}
		if why == "" {
			h.ServeHTTP(w, r)
			return
		}
		p.refused.Add(1)
		p.log.Warn(why, "the operators' address refused a web page's request: "+why, slog.String("host", r.Host),
			slog.String("origin", r.Header.Get("Origin")), slog.String("path", r.URL.Path))
		http.Error(w, why, http.StatusForbidden)
	})
}

// ours tells whether a host, with or without a port, can be none that somebody else has given this address: an IP address needs no
// name server.
func (p *foreignPages) ours(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	return slices.Contains(p.hosts, host)
}

// fromElsewhere tells whether a browser says that a page of another origin asks. It does so where nobody on the way can listen: by https, and
// on its own machine.
func fromElsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// followsLink tells whether somebody opens an address in a window of the browser.
func followsLink(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// fromBrowser tells whether a browser asks. Its scripts can change what Accept-Language says, not leave it out.
func fromBrowser(h http.Header) bool {
	for _, name := range []string{"Accept-Language", "Sec-Fetch-Site", "Referer", "Cookie"} {
		if _, there := h[name]; there {
			return true
		}
	}
	return strings.HasPrefix(h.Get("User-Agent"), "Mozilla/")
}
