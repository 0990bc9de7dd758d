package engineio

import (
	"bytes"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// A plainRequest is an HTTP/1.1 request that the front serves. parse accepts one
// form only, and leaves whatever differs from it to net/http:
//
//	GET or POST SP path "?" query SP HTTP/1.1 CRLF
//	name ":" OWS value OWS CRLF …                 no folding, no bare CR or LF
//	CRLF
//	body                                          POST only
//	empty lines                                   which belong to nothing
//
// There is exactly one Host. A POST has exactly one Content-Length, of plain
// digits, and that many bytes follow; a GET has none, and no body follows. So
// there is one way only to tell where the request ends, and nothing but empty lines
// is behind it: a server ignores those before the next request (RFC 9112, 2.2), and
// small clients end each request with one. Transfer-Encoding, Expect, Trailer, any Connection but
// keep-alive, and any Upgrade but a WebSocket's are not plain.
//
// All fields are parts of the bytes that were parsed.
type plainRequest struct {
	post      bool
	webSocket bool // an upgrade that is right in every detail
	target    []byte
	fields    []byte // the lines between the first and the empty one
	body      []byte

	// From the query; it may hold more.
	sid       []byte
	transport []byte // polling or websocket
	protocol  int    // 3 or 4

	// From the fields; nil if absent.
	host, origin, contentType, connection, upgrade, key, version, length []byte
}

// maxFields is more fields than any request that is served here should have.
const maxFields = 64

func (q *plainRequest) parse(b []byte, path string) bool {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return false
	}
	line, fields, _ := bytes.Cut(b[:end+2], []byte("\r\n"))
	*q = plainRequest{fields: fields, body: b[end+4:]}
	return q.parseLine(line, path) && q.parseQuery(q.query(path)) && q.parseFields() && q.framed() && q.sensible()
}

func (q *plainRequest) parseLine(line []byte, path string) bool {
	target, ok := bytes.CutPrefix(line, []byte("GET "))
	if !ok {
		if target, q.post = bytes.CutPrefix(line, []byte("POST ")); !q.post {
			return false
		}
	}
	if target, ok = bytes.CutSuffix(target, []byte(" HTTP/1.1")); !ok {
		return false
	}
	for _, c := range target {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	q.target = target
	return len(target) > len(path) && string(target[:len(path)]) == path && target[len(path)] == '?'
}

// query is what rawQuery returns.
func (q *plainRequest) query(path string) []byte {
	query, _, _ := bytes.Cut(q.target[len(path)+1:], []byte{'#'})
	return query
}

// parseQuery finds the parameters of the protocol. Any of them twice, or in
// another spelling, is not plain.
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
	for rest := q.fields; len(rest) > 0; n++ {
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
		case foldsTo(name, "transfer-encoding"), foldsTo(name, "expect"), foldsTo(name, "trailer"),
			foldsTo(name, "sec-websocket-protocol"):
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

// cutField cuts the first line off fields, each of which ends with CRLF.
func cutField(fields []byte) (name, value, rest []byte, ok bool) {
	line, rest, ok := bytes.Cut(fields, []byte("\r\n"))
	if !ok {
		return nil, nil, nil, false
	}
	name, value, ok = bytes.Cut(line, []byte{':'})
	if !ok || len(name) == 0 {
		return nil, nil, nil, false
	}
	for _, c := range name {
		if !isTokenByte[c] {
			return nil, nil, nil, false
		}
	}
	value = bytes.Trim(value, " \t")
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return nil, nil, nil, false
		}
	}
	return name, value, rest, true
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
	if n > len(q.body) || !blank(q.body[n:]) {
		return false
	}
	q.body = q.body[:n]
	return true
}

// blank tells that there is nothing but the ends of empty lines.
func blank(b []byte) bool { return len(trimBlank(b)) == 0 }

func trimBlank(b []byte) []byte { return bytes.TrimLeft(b, "\r\n") }

// sensible checks the rest: Host, Connection, and what belongs to an upgrade.
func (q *plainRequest) sensible() bool {
	if len(q.host) == 0 {
		return false
	}
	for _, c := range q.host {
		if !isHostByte(c) {
			return false
		}
	}
	if string(q.transport) == Polling {
		return q.upgrade == nil && (q.connection == nil || foldsTo(q.connection, "keep-alive"))
	}
	q.webSocket = !q.post && foldsTo(q.upgrade, "websocket") && string(q.version) == "13" && isOpeningKey(string(q.key)) &&
		(foldsTo(q.connection, "upgrade") || foldsTo(q.connection, "keep-alive, upgrade"))
	return q.webSocket
}

// request makes what net/http would make of a GET.
func (q *plainRequest) request(remote string) (*http.Request, error) {
	u, err := url.ParseRequestURI(string(q.target))
	if err != nil {
		return nil, err
	}
	r := &http.Request{
		Method: http.MethodGet, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: q.header(), Host: string(q.host), RemoteAddr: remote, RequestURI: string(q.target), Body: http.NoBody,
	}
	if p := r.Header["Pragma"]; len(p) > 0 && p[0] == "no-cache" && r.Header["Cache-Control"] == nil {
		r.Header["Cache-Control"] = []string{"no-cache"} // as net/http reads it
	}
	return r, nil
}

// header returns the fields but for Host. They share one copy of the bytes.
func (q *plainRequest) header() http.Header {
	text := string(q.fields)
	n := strings.Count(text, "\n")
	h := make(http.Header, n)
	values := make([]string, 0, n)
	for len(text) > 0 {
		var line string
		line, text, _ = strings.Cut(text, "\r\n")
		name, value, _ := strings.Cut(line, ":")
		name, value = canonicalName(name), strings.Trim(value, " \t")
		if name == "Host" {
			continue
		}
		if had := h[name]; had != nil {
			h[name] = append(had, value)
			continue
		}
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return h
}

// canonicalName is what net/http calls a field. Of those that every WebSocket
// handshake has it would make new strings.
func canonicalName(name string) string {
	switch name {
	case "Sec-WebSocket-Key":
		return "Sec-Websocket-Key"
	case "Sec-WebSocket-Version":
		return "Sec-Websocket-Version"
	case "Sec-WebSocket-Extensions":
		return "Sec-Websocket-Extensions"
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// foldsTo compares with a text in lower case.
func foldsTo(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// isTokenByte tells what a field's name is made of (RFC 9110, 5.6.2).
var isTokenByte = func() (is [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		is[c] = true
	}
	return is
}()

func isHostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']'
}
