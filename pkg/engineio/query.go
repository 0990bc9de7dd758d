package engineio

import (
	"net/http"
	"net/url"
	"strings"
)

// A query has the parameters of the protocol, see Server.ServeHTTP. What is absent is empty.
type query struct {
	eio, transport, sid, b64 string
	t                        string  // tells one request from another
	callback                 *string // j, which asks for JSONP; nil: it is not there
}

// protocol is 4, or 3 whatever else is asked for, as in Node.
func (q *query) protocol() int {
	if q.eio == "4" {
		return 4
	}
	return 3
}

// parameters returns what the query of r has of the protocol's. A parameter
// that is there several times has its last value, as in Node's
// URLSearchParams. Clients put their own behind those of a URL that already has some.
func parameters(r *http.Request) (q query) {
	for pair := range strings.SplitSeq(rawQuery(r), "&") {
		key, value, _ := strings.Cut(pair, "=")
		switch unescape(key) {
		case "EIO":
			q.eio = unescape(value)
		case "transport":
			q.transport = unescape(value)
		case "sid":
			q.sid = unescape(value)
		case "b64":
			q.b64 = unescape(value)
		case "t":
			q.t = unescape(value)
		case "j":
			index := unescape(value)
			q.callback = &index
		}
	}
	return q
}

// rawQuery is the query of r without a fragment. A target has none by RFC 9112,
// but some clients send what stands in their URL, and Node drops it.
func rawQuery(r *http.Request) string {
	if path, _, _ := strings.Cut(r.RequestURI, "?"); strings.Contains(path, "#") {
		return ""
	}
	raw, _, _ := strings.Cut(r.URL.RawQuery, "#")
	return raw
}

// unescape decodes a part of a query. What is wrongly escaped stays as it is, as in
// Node.
func unescape(part string) string {
	if strings.IndexByte(part, '%') < 0 && strings.IndexByte(part, '+') < 0 {
		return part
	}
	if text, err := url.QueryUnescape(part); err == nil {
		return text
	}
	return part
}
