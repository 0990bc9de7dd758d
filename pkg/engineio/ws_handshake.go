package engineio

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it
	"encoding/base64"
	"net"
	"net/http"
	"strings"
)

// A wsOpening is what a request for a WebSocket asks for (RFC 6455, 4.2.1).
type wsOpening struct {
	key      string
	protocol string // the first of the subprotocols, which is chosen; empty: none was named
}

var (
	errOpeningMethod    = &requestError{http.StatusMethodNotAllowed, "a WebSocket is opened by GET"}
	errOpeningUpgrade   = &requestError{http.StatusBadRequest, "one Upgrade header that says websocket is needed"}
	errOpeningKey       = &requestError{http.StatusBadRequest, "one Sec-WebSocket-Key of 16 bytes in base64 is needed"}
	errOpeningNoVersion = &requestError{http.StatusBadRequest, "Sec-WebSocket-Version is missing"}
	errOpeningVersion   = &requestError{http.StatusUpgradeRequired, "Sec-WebSocket-Version must be 13 or 8"}
)

// openingOf checks what Node's ws checks. It is more patient than RFC 6455: version 8
// has the same frames as 13, HTTP/1.0 is what a proxy may make of the request, and
// Connection may come in any number of lines (RFC 9110, 5.3), since each hop adds
// its own.
func openingOf(r *http.Request) (wsOpening, *requestError) {
	h := r.Header
	switch key := h["Sec-Websocket-Key"]; {
	case r.Method != http.MethodGet:
		return wsOpening{}, errOpeningMethod
	case len(h["Upgrade"]) != 1 || !isUpgrade(r):
		return wsOpening{}, errOpeningUpgrade
	case len(key) != 1 || !isOpeningKey(key[0]):
		return wsOpening{}, errOpeningKey
	}
	switch v := h["Sec-Websocket-Version"]; {
	case len(v) == 0:
		return wsOpening{}, errOpeningNoVersion
	case len(v) > 1 || v[0] != "13" && v[0] != "8":
		return wsOpening{}, errOpeningVersion
	}
	return wsOpening{h["Sec-Websocket-Key"][0], subprotocolOf(h)}, nil
}

func isOpeningKey(key string) bool {
	text, ok := strings.CutSuffix(key, "==")
	if !ok || len(text) != 22 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

// subprotocolOf returns the first subprotocol that is named: a browser insists on
// one of its own, and Node takes the first. Some clients send an empty list.
func subprotocolOf(h http.Header) string {
	for _, line := range h["Sec-Websocket-Protocol"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); isToken(name) {
				return name
			}
		}
	}
	return ""
}

func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte[s[i]] {
			return false
		}
	}
	return s != ""
}

// head is the answer that opens the WebSocket, with the fields of h.
func (o wsOpening) head(h http.Header) []byte {
	if o.protocol != "" {
		h.Set("Sec-WebSocket-Protocol", o.protocol)
	}
	return endHead(appendFields(appendSwitch(make([]byte, 0, 256), o.key), h), noLength)
}

// appendSwitch appends what the answer to a WebSocket handshake begins with (RFC 6455,
// 4.2.2).
func appendSwitch(dst []byte, key string) []byte {
	const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	var text [24 + len(magic)]byte
	copy(text[:], key)
	copy(text[24:], magic)
	sum := sha1.Sum(text[:]) //nolint:gosec // as above
	dst = beginHead(dst, http.StatusSwitchingProtocols)
	dst = append(dst, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	dst = base64.StdEncoding.AppendEncode(dst, sum[:])
	return append(dst, "\r\n"...)
}

// refuseOpening answers a request that opens no WebSocket, and ends the connection: its
// client would take what follows for frames.
func refuseOpening(w http.ResponseWriter, e *requestError) {
	h := w.Header()
	if e.status == http.StatusUpgradeRequired {
		h.Set("Sec-WebSocket-Version", "13, 8")
	}
	h.Set("Connection", "close")
	http.Error(w, e.text, e.status)
}

// detach takes off a connection what a listener has put around it, as far as that gives
// it back, together with the bytes that it has read: they follow early. A WebSocket of
// the socket itself waits without a goroutine.
func detach(nc net.Conn, early []byte) (net.Conn, []byte) {
	for {
		wrapper, ok := nc.(interface{ Detach() (net.Conn, []byte) })
		if !ok {
			return nc, early
		}
		var more []byte
		nc, more = wrapper.Detach()
		early = append(early[:len(early):len(early)], more...)
	}
}
