package wsframe

import (
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// Close returns a whole close frame (RFC 6455, 5.5.1): with a status code, unless
// that is NoCode, and a reason, which may be empty.
func Close(code ws.StatusCode, reason string) []byte {
	var body []byte
	if code != NoCode {
		body = ws.NewCloseFrameBody(code, reason)
	}
	return append(AppendHeader(nil, ws.OpClose, len(body)), body...)
}

// ParseClose returns the status code in the payload of a close frame (RFC 6455, 5.5.1
// and 7.4), NoCode if it has none. What must not be there is an Error.
func ParseClose(payload []byte) (ws.StatusCode, error) {
	if len(payload) == 0 {
		return NoCode, nil
	}
	if len(payload) == 1 {
		return 0, Error{Code: ws.StatusProtocolError, Text: "close frame with half a status code"}
	}
	code, text := ws.ParseCloseFrameData(payload)
	switch {
	case code < 1000, code >= 5000, 1004 <= code && code <= 1006, 1015 <= code && code < 3000:
		return 0, Error{Code: ws.StatusProtocolError, Text: "close frame with a status code that is not for the wire"}
	case !utf8.ValidString(text):
		return 0, Error{Code: ws.StatusInvalidFramePayloadData, Text: "close frame with a reason that is not UTF-8"}
	}
	return code, nil
}
