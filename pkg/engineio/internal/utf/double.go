package utf

import (
	"encoding/binary"
	"unicode/utf8"
)

// Undouble undoes the second encoding of text that was encoded to UTF-8 twice. ok is false, and text returned as
// it came, unless all of text is that: every character is below U+0100, taken as bytes they are UTF-8 again, and not
// only ASCII. Halves of surrogate pairs, which clients from 1.5.1 on encode one by one, become U+FFFD, as everywhere.
//
// It is meant for the text packets of text payloads and of JSONP from socket.io-client 1.x, for none that came in
// a binary payload or by WebSocket.
func Undouble(text []byte) (_ []byte, ok bool) {
	if IsASCII(text) {
		return text, false
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c < utf8.RuneSelf:
		case (c == 0xc2 || c == 0xc3) && i+1 < len(text): // U+0080 to U+00FF
			i++
			c = c<<6 | text[i]&0x3f
		default:
			return text, false
		}
		out = append(out, c)
	}
	if utf8.Valid(out) {
		return out, true
	}
	if out, ok = ReplaceSurrogates(out); !ok {
		return text, false
	}
	return out, true
}

// IsASCII tells whether text has no byte above 0x7F.
func IsASCII(text []byte) bool {
	for len(text) >= 8 {
		if binary.LittleEndian.Uint64(text)&asciiMask != 0 {
			return false
		}
		text = text[8:]
	}
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
