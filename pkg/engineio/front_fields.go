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

// A headText is the text of a request's head that is kept, in one piece: a session keeps it for life, so it
// has neither the names of fields nor what everybody sends.
type headText struct {
	strings.Builder
	fields int // but for Host
}

// add makes the string for a part of the head.
func (t *headText) add(part []byte) string {
	if text, ok := commonValues[string(part)]; ok {
		return text
	}
	from := t.Len()
	t.Write(part) // has room, so that what was returned before is not left behind
	return t.String()[from:]
}

// newHeadText makes room for all that is kept of the head.
func (q *plainRequest) newHeadText() *headText {
	t, size := new(headText), len(q.target)
	for rest := q.lines; len(rest) > 0; {
		name, value, after, _ := cutField(rest) // parse has seen them
		rest = after
		if !foldsTo(name, "host") {
			t.fields++
		}
		if _, ok := commonValues[string(value)]; !ok {
			size += len(value)
		}
	}
	t.Grow(size)
	return t
}

// header returns the fields but for Host.
func (q *plainRequest) header(t *headText) http.Header {
	h := make(http.Header, t.fields)
	values := make([]string, 0, t.fields)
	for rest := q.lines; len(rest) > 0; {
		field, text, after, _ := cutField(rest)
		rest = after
		name := canonicalName(field)
		if name == "Host" {
			continue
		}
		value := t.add(text)
		if had := h[name]; had != nil {
			h[name] = append(had, value)
			continue
		}
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return h
}

// canonicalName is what net/http calls a field. Of those that most requests have it makes no new string.
func canonicalName(name []byte) string {
	if known, ok := commonNames[string(name)]; ok {
		return known
	}
	return textproto.CanonicalMIMEHeaderKey(string(name))
}

// commonNames are those that browsers, other clients and proxies send, as they write them.
var commonNames = func() map[string]string {
	names := make(map[string]string)
	for _, name := range []string{
		"Host", "Connection", "Upgrade", "Origin", "User-Agent", "Pragma", "Cache-Control", "Cookie", "Authorization", "Accept",
		"Accept-Encoding", "Accept-Language", "Content-Type", "Content-Length", "Referer", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
		"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "X-Forwarded-For",
		"X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "X-Request-ID", "Forwarded", "Via", "Traceparent",
	} {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		names[name], names[canonical], names[strings.ToLower(name)] = canonical, canonical, canonical
	}
	return names
}()

// commonValues stand for themselves.
var commonValues = func() map[string]string {
	values := make(map[string]string)
	for _, v := range []string{
		"", "Upgrade", "upgrade", "keep-alive", "keep-alive, Upgrade", "websocket", "13", "no-cache", "*/*", "empty", "cors", "same-origin",
		"same-site", "cross-site", "http", "https", "gzip", "gzip, deflate", "gzip, deflate, br", "gzip, deflate, br, zstd",
		"permessage-deflate", "permessage-deflate; client_max_window_bits", "text/plain;charset=UTF-8", "application/octet-stream",
	} {
		values[v] = v
	}
	return values
}()

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
