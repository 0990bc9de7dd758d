package payload

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"socketio-chat/pkg/engineio/internal/utf"
)

// JSONP is polling for browsers without cross-origin requests: a poll is a script element, a POST a form in an
// iframe. Both carry a text payload in one more wrapping.

// ErrNoData tells that a POST has no field d, or several. Node takes such a POST, answers "ok" and does nothing.
var ErrNoData = errors.New("engine.io JSONP form has no single field d")

// maxFormFields bounds the fields of a form that are looked at, as Node's querystring does.
const maxFormFields = 1000

// AppendJSONP appends the script that hands payload to the client's callback number j:
//
//	___eio[0]("…");
//
// Only the digits of j are used, so no script can be smuggled in by it. payload becomes a JSON string, escaped as
// JSON.stringify escapes, and U+2028 and U+2029, which older JavaScript does not allow in a string, as well.
func AppendJSONP(dst []byte, j string, payload []byte) []byte {
	dst = append(dst, "___eio["...)
	for i := range len(j) {
		if '0' <= j[i] && j[i] <= '9' {
			dst = append(dst, j[i])
		}
	}
	dst = append(dst, `]("`...)
	dst = appendJSEscaped(dst, payload)
	return append(dst, `");`...)
}

// appendJSEscaped appends text as the inside of a JavaScript string literal.
func appendJSEscaped(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	start := 0 // text[start:i] needs no escape
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0xe2 {
			continue
		}
		if c == 0xe2 { // E2 80 A8, E2 80 A9
			if i+2 < len(text) && text[i+1] == 0x80 && text[i+2]&^1 == 0xa8 {
				dst = append(dst, text[start:i]...)
				dst = append(dst, `\u202`...)
				dst = append(dst, hex[text[i+2]&0xf])
				i += 2
				start = i + 1
			}
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(dst, text[start:]...)
}

// DecodeJSONP returns the payload of a JSONP POST: field d of an URL-encoded form. The client writes a line feed
// inside its payload as the two characters \n, because a form would change it to CR LF, and a \n that was there
// before as \\n; both are undone. A form without exactly one d gives ErrNoData.
func DecodeJSONP(body []byte) ([]byte, error) {
	var d []byte
	found := false
	for n := 0; len(body) > 0 && n < maxFormFields; {
		var field []byte
		field, body, _ = bytes.Cut(body, []byte{'&'})
		if len(field) == 0 {
			continue
		}
		n++
		key, value, _ := bytes.Cut(field, []byte{'='})
		if string(unescapeForm(key)) != "d" {
			continue
		}
		if found {
			return nil, ErrNoData
		}
		d, found = value, true
	}
	if !found {
		return nil, ErrNoData
	}
	d = unescapeForm(d)
	if !utf8.Valid(d) {
		d = utf.ReplaceInvalid(d)
	}
	return unescapeNewlines(d), nil
}

// unescapeForm returns a copy of text with + and %XX replaced. A % that is not followed by two digits stays.
func unescapeForm(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			out = append(out, unhex(text[i+1])<<4|unhex(text[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

// unescapeNewlines replaces, in place, \n by a line feed and \\n by \n.
func unescapeNewlines(text []byte) []byte {
	out := text[:0]
	for i := range text {
		if text[i] != 'n' || len(out) == 0 || i == 0 || text[i-1] != '\\' {
			out = append(out, text[i])
			continue
		}
		out = out[:len(out)-1] // the backslash before the n
		if len(out) > 0 && i > 1 && out[len(out)-1] == '\\' {
			out = append(out, 'n')
		} else {
			out = append(out, '\n')
		}
	}
	return out
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
