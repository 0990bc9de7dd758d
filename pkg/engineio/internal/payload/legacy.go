package payload

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/utf"
)

// Clients before 2.0 and text outside ASCII: why there is a TextRule.
//
// socket.io-client 1.x (engine.io-parser 1.x) treats a text payload as bytes and so encodes it to UTF-8 before the
// browser does the same once more: 안, EC 95 88, is posted as C3 AC C2 95 C2 88. It expects a second decoding to be
// due in what it reads, too. 2.0 dropped that (engine.io-parser pull request 81), and with it all servers since: they
// take 안 from a 1.x client for three odd characters, and the client drops the connection over their answer.
// What the clients do, observed in Chromium and Node with 21 of them, from 1.0.6 to 2.5.0:
//
//	                       1.0 – 1.3           1.4 – 1.7            2.0 – 2.5
//	connect packet         40/chat             40/chat              40/chat,
//	timestamp t            1416234567890-7     Q84hNl8              Q84hNl8
//
//	XMLHttpRequest with binary support (browsers)
//	  text POST            binary form (1)     twice                once
//	  reads text form      never, not even     ASCII, but not       once
//	                       the handshake       360 KB of it
//	  reads binary form    once                once                 once
//
//	without binary support: b64=1 (forceBase64, JSONP, old browsers, Node)
//	  text POST            twice               twice                once
//	  reads text form      twice               twice                once
//
//	WebSocket, either way  once (2)            once                 once
//
//	(1) up to 1.3.0; 1.3.7 text, twice  (2) 1.0.6 twice, which nothing tells from 1.1: not supported
//
// The lengths of a doubly encoded text payload count its UTF-16 units like those of any other, so framing does not
// depend on any of this. There are forms that every client reads alike, and they are used until it is known better:
//
//   - the binary form, for those that have it;
//   - text within ASCII. The messages of Socket.IO are JSON, where \uc548 says 안.
//
// For the other direction nothing of the kind exists: é sent twice encoded is what é sent once encoded by somebody who
// types Ã© looks like. So the second encoding is undone only for a client that is known to be of that kind.
// The connect packet tells, and comes first: clients hold events back until it is answered. A client of the
// namespace / alone sends none; its text stays as it came, as with Node.

// TextRule is what is known of a protocol 3 client's handling of text on polling.
type TextRule uint8

const (
	// TextUnknown: responses take a form that all clients read; text that the client sends is taken as it is.
	TextUnknown TextRule = iota
	// TextOnce: 2.x, text is UTF-8, as with Node.
	TextOnce
	// TextTwice: 1.x, text is encoded twice, binary payloads once.
	TextTwice
)

// maxLegacyText bounds the text response to a client that may be a 1.x: some browsers fail to convert larger ones.
const maxLegacyText = 16 << 10

// TextRuleOf returns what the parameters EIO and t of a handshake tell: clients before 1.4 announce protocol 2 or count
// their requests after the time in milliseconds (t=1416234567890-7). They would not even read a handshake in text form.
func TextRuleOf(eio, t string) TextRule {
	if eio == "2" {
		return TextTwice
	}
	const millis = len("1416234567890")
	if len(t) < millis+2 || t[millis] != '-' {
		return TextUnknown
	}
	for i := range len(t) {
		if i != millis && (t[i] < '0' || t[i] > '9') {
			return TextUnknown
		}
	}
	return TextTwice
}

// AppendResponseV3 appends the body of a protocol 3 poll response in the form that its client reads, knowing rule of
// it. b64 tells that it takes text only (it asked for b64=1 or JSONP). octets tells that the body is of type
// application/octet-stream, else it is text/plain; charset=UTF-8.
//
// With b64 and unless the rule is TextOnce, characters outside ASCII are written \uXXXX where they stand between
// quotation marks, which presumes that messages are JSON, perhaps with something before it.
func AppendResponseV3(dst []byte, ps []packet.Packet, b64 bool, rule TextRule) (body []byte, octets bool) {
	binary, ascii, size := survey(ps)
	switch {
	case b64 && (ascii || rule == TextOnce):
		return AppendV3(dst, ps), false
	case b64:
		return appendV3ASCII(dst, ps), false
	case binary, rule == TextTwice, rule == TextUnknown && (!ascii || size > maxLegacyText):
		return AppendV3Binary(dst, ps), true
	default:
		return AppendV3(dst, ps), false
	}
}

// survey returns what the form of a response depends on: whether one of ps is binary, whether all text is ASCII, and
// the size of all data.
func survey(ps []packet.Packet) (binary, ascii bool, size int) {
	ascii = true
	for _, p := range ps {
		size += len(p.Data)
		if p.Binary {
			binary = true
		} else if ascii {
			ascii = utf.IsASCII(p.Data)
		}
	}
	return binary, ascii, size
}

// appendV3ASCII is AppendV3 with text escaped by appendASCII.
func appendV3ASCII(dst []byte, ps []packet.Packet) []byte {
	for i, p := range ps {
		if p.Binary || utf.IsASCII(p.Data) {
			dst = AppendV3(dst, ps[i:i+1])
			continue
		}
		dst = slices.Grow(dst, 2*len(p.Data)) // as a rule three bytes become six
		start := len(dst)
		dst = appendASCII(append(dst, '0'+byte(p.Type)), p.Data)
		var room [20]byte
		length := append(strconv.AppendInt(room[:0], int64(utf.Len16(dst[start:])), 10), ':')
		dst = slices.Insert(dst, start, length...)
	}
	return dst
}

// appendASCII appends text with the characters outside ASCII that stand in a JSON string written as \uXXXX, those
// beyond U+FFFF as two of them. Text outside of quotation marks (a namespace before the JSON) stays as it is.
func appendASCII(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	quoted := false
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted && i+1 < len(text) && text[i+1] < utf8.RuneSelf:
			dst = append(dst, c) // whatever is escaped, a quotation mark among others
			i++
			c = text[i]
		case c >= utf8.RuneSelf && quoted:
			r, size := utf8.DecodeRune(text[i:])
			i += size
			if r > 0xffff {
				r -= 0x10000
				high := 0xd800 | r>>10
				dst = append(dst, '\\', 'u', hex[high>>12], hex[high>>8&0xf], hex[high>>4&0xf], hex[high&0xf])
				r = 0xdc00 | r&0x3ff
			}
			dst = append(dst, '\\', 'u', hex[r>>12], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf])
			continue
		}
		dst = append(dst, c)
		i++
	}
	return dst
}
