package engineio

import (
	"net/http"
	"net/url"
	"strings"
)

// parameters returns the parameters of the protocol in the query of r, and no
// others: one that is there several times has its last value, as in Node's
// URLSearchParams. Clients put their own behind those of a URL that already has some.
func parameters(r *http.Request) url.Values {
	q := make(url.Values, 4)
	for pair := range strings.SplitSeq(rawQuery(r), "&") {
		key, value, _ := strings.Cut(pair, "=")
		key = unescape(key)
		switch key {
		case "EIO", "transport", "sid", "j", "b64", "t":
			q[key] = []string{unescape(value)}
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
