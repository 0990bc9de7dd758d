package engineio

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
)

// A plainRequest is an HTTP/1.1 request that the front serves. parse accepts one
// form only, and leaves whatever differs from it to net/http:
//
//	GET, HEAD, OPTIONS, DELETE or POST SP "/" … SP HTTP/1.1 CRLF
//	name ":" OWS value OWS CRLF …                 no folding, no bare CR or LF
//	CRLF
//	body                                          POST only
//	empty lines                                   which belong to nothing
//
// There is exactly one Host. A POST has exactly one Content-Length, of plain
// digits; all others have none, and no body. So there is one way only to tell where
// the request ends. Nothing but empty lines is behind it: a server ignores those before
// the next request (RFC 9112, 2.2), and small clients end each request with one. The
// head has come whole; of a body some may be missing. Transfer-Encoding, Expect,
// Trailer, any Connection but keep-alive, and any Upgrade but a session's to a WebSocket
// are not plain.
//
// All fields are parts of the bytes that were parsed.
type plainRequest struct {
	method    []byte
	post      bool
	webSocket bool // an upgrade that is right in every detail
	target    []byte
	lines     []byte // between the first line and the empty one
	body      []byte // as far as it has come
	missing   int    // bytes of the body that have not

	// session tells that the request is one of this protocol in its usual form: the
	// parameters below are in its query, once each, and stand for themselves.
	session   bool
	sid       []byte
	transport []byte // polling or websocket
	protocol  int    // 3 or 4

	// Values of fields; nil if absent.
	host, origin, contentType, connection, upgrade, key, version, length []byte
}

// maxFields is more fields than any request that is served here should have.
const maxFields = 64

// parse reports whether b is plain. path is where the server is mounted.
func (q *plainRequest) parse(b []byte, path string) bool {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return false
	}
	line, lines, _ := bytes.Cut(b[:end+2], []byte("\r\n"))
	*q = plainRequest{lines: lines, body: b[end+4:]}
	if !q.parseLine(line) || !q.parseFields() || !q.framed() || !q.validHost() {
		return false
	}
	q.session = q.isSession(path)
	if q.upgrade != nil {
		return q.session && q.isUpgrade()
	}
	return q.connection == nil || foldsTo(q.connection, "keep-alive")
}

func (q *plainRequest) parseLine(line []byte) bool {
	method, target, _ := bytes.Cut(line, []byte{' '})
	switch string(method) {
	case http.MethodPost:
		q.post = true
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodDelete:
	default:
		return false
	}
	target, ok := bytes.CutSuffix(target, []byte(" HTTP/1.1"))
	if !ok || len(target) == 0 || target[0] != '/' {
		return false
	}
	for _, c := range target {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	q.method, q.target = method, target
	return true
}

// isSession tells whether the request is one of the protocol in its usual form.
func (q *plainRequest) isSession(path string) bool {
	ours := len(q.target) > len(path) && string(q.target[:len(path)]) == path && q.target[len(path)] == '?'
	return ours && (q.post || string(q.method) == http.MethodGet) && q.parseQuery(q.query(path))
}

// forEngine tells whether the path is the one where the server is mounted.
func (q *plainRequest) forEngine(path string) bool {
	rest, ok := bytes.CutPrefix(q.target, []byte(path))
	return ok && (len(rest) == 0 || rest[0] == '?' || rest[0] == '#')
}

// query is what rawQuery returns.
func (q *plainRequest) query(path string) []byte {
	query, _, _ := bytes.Cut(q.target[len(path)+1:], []byte{'#'})
	return query
}

// parseQuery finds the parameters of the protocol. It reports false if any of them comes
// twice, or in another spelling.
func (q *plainRequest) parseQuery(query []byte) bool {
	var eio []byte
	for more := true; more; {
		var pair []byte
		pair, query, more = bytes.Cut(query, []byte{'&'})
		key, value, _ := bytes.Cut(pair, []byte{'='})
		if !literal(key) || bytes.IndexByte(value, ';') >= 0 {
			return false
		}
		var param *[]byte
		switch string(key) {
		case "EIO":
			param = &eio
		case "transport":
			param = &q.transport
		case "sid":
			param = &q.sid
		case "j": // JSONP
			return false
		default:
			continue
		}
		if *param != nil || len(value) == 0 || !literal(value) {
			return false
		}
		*param = value
	}
	switch string(eio) {
	case "3":
		q.protocol = 3
	case "4":
		q.protocol = 4
	}
	return q.protocol != 0 && (string(q.transport) == Polling || string(q.transport) == WebSocket)
}

// literal tells that a part of a query stands for itself. It is short: to look for
// one byte after another is quicker than bytes.ContainsAny.
func literal(b []byte) bool {
	for _, c := range b {
		if c == '%' || c == '+' || c == ';' {
			return false
		}
	}
	return true
}

func (q *plainRequest) parseFields() bool {
	n := 0
	for rest := q.lines; len(rest) > 0; n++ {
		name, value, after, ok := cutField(rest)
		if !ok || n == maxFields {
			return false
		}
		rest = after
		var field *[]byte
		switch {
		case foldsTo(name, "host"):
			field = &q.host
		case foldsTo(name, "content-length"):
			field = &q.length
		case foldsTo(name, "connection"):
			field = &q.connection
		case foldsTo(name, "origin"):
			field = &q.origin
		case foldsTo(name, "content-type"):
			field = &q.contentType
		case foldsTo(name, "upgrade"):
			field = &q.upgrade
		case foldsTo(name, "sec-websocket-key"):
			field = &q.key
		case foldsTo(name, "sec-websocket-version"):
			field = &q.version
		case foldsTo(name, "transfer-encoding"), foldsTo(name, "expect"), foldsTo(name, "trailer"):
			return false
		default:
			continue
		}
		if *field != nil || len(value) == 0 {
			return false
		}
		*field = value
	}
	return true
}

// framed checks where the request ends.
func (q *plainRequest) framed() bool {
	if !q.post {
		ok := q.length == nil && blank(q.body)
		q.body = nil
		return ok
	}
	if len(q.length) == 0 || len(q.length) > 6 {
		return false
	}
	n := 0
	for _, c := range q.length {
		if c < '0' || c > '9' {
			return false
		}
		n = 10*n + int(c-'0')
	}
	if n > len(q.body) {
		q.missing = n - len(q.body)
		return true
	}
	rest := q.body[n:]
	q.body = q.body[:n]
	return blank(rest)
}

// blank tells that there is nothing but the ends of empty lines.
func blank(b []byte) bool { return len(trimBlank(b)) == 0 }

func trimBlank(b []byte) []byte { return bytes.TrimLeft(b, "\r\n") }

func (q *plainRequest) validHost() bool {
	for _, c := range q.host {
		if !isHostByte(c) {
			return false
		}
	}
	return len(q.host) > 0
}

// isUpgrade tells whether all is right with an upgrade to a WebSocket.
func (q *plainRequest) isUpgrade() bool {
	q.webSocket = !q.post && string(q.transport) == WebSocket && foldsTo(q.upgrade, "websocket") && string(q.version) == "13" &&
		isOpeningKey(string(q.key)) && (foldsTo(q.connection, "upgrade") || foldsTo(q.connection, "keep-alive, upgrade"))
	return q.webSocket
}

// request makes what net/http would make of it, without the body.
func (q *plainRequest) request(ctx context.Context, remote string) (*http.Request, error) {
	text := q.newHeadText()
	target := text.add(q.target)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, err
	}
	r := (&http.Request{
		Method: string(q.method), URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: q.header(text), Host: text.add(q.host), RemoteAddr: remote, RequestURI: target, Body: http.NoBody,
		ContentLength: int64(len(q.body) + q.missing),
	}).WithContext(ctx)
	if p := r.Header["Pragma"]; len(p) > 0 && p[0] == "no-cache" && r.Header["Cache-Control"] == nil {
		r.Header["Cache-Control"] = []string{"no-cache"} // as net/http reads it
	}
	return r, nil
}
