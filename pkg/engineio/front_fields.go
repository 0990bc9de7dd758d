package engineio

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strings"
)

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

// header returns the fields but for Host. They share one copy of the bytes.
func (q *plainRequest) header() http.Header {
	text := string(q.lines)
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
