package engineio

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// The offences of a protocol 3 payload in binary form.
var (
	errFrameLength = errors.New("engine.io binary payload has a packet length without end")
	errFrameUTF8   = errors.New("engine.io binary payload has a text packet that is not UTF-8")
)

const (
	frameText   = 0x00 // the packet is text: a type digit and UTF-8
	frameBinary = 0x01 // the packet is binary: a type byte and bytes
	frameEnd    = 0xff // ends the length
	// frameMaxDigits is the longest packet length that Node reads: the digits of the largest double.
	frameMaxDigits = 310
)

// appendPayloadV3Binary appends the binary form of a protocol 3 poll response (application/octet-stream). Only
// clients that did not ask for b64=1 read it. Text travels in it one byte for each byte of its UTF-8.
//
//	payload = { kind digit { digit } 0xff packet }
//	kind    = 0x00 text | 0x01 binary          digit = 0x00 … 0x09, packet's length in bytes, decimal
func appendPayloadV3Binary(dst []byte, ps []packet) []byte {
	for _, p := range ps {
		kind, typ := byte(frameText), '0'+byte(p.typ)
		if p.binary {
			kind, typ = frameBinary, byte(p.typ)
		}
		dst = append(dst, kind)
		digits := len(dst)
		dst = strconv.AppendInt(dst, int64(1+len(p.data)), 10)
		for i := digits; i < len(dst); i++ {
			dst[i] -= '0'
		}
		dst = append(dst, frameEnd, typ)
		dst = append(dst, p.data...)
	}
	return dst
}

// decodePayloadV3Binary decodes the binary form of a protocol 3 payload: the body of a POST of type
// application/octet-stream. The whole body is split into packets before any of them counts, as in Node, so an
// error in the framing comes without packets; an error within a packet comes with those before it.
//
// It is as lenient as Node: any kind but 0 is binary, an empty length takes nothing, and the last packet may be
// shorter than its length says. Packets of an unknown binary type are skipped, a close packet ends the payload.
// The packets' data aliases body.
func decodePayloadV3Binary(body []byte) ([]packet, error) {
	if err := checkFrames(body); err != nil {
		return nil, err
	}
	var ps []packet
	for len(body) > 0 {
		text, frame, rest, _ := cutFrame(body)
		body = rest
		p, err := decodeFrame(text, frame)
		if err != nil {
			return ps, fmt.Errorf("packet %d of the payload: %w", len(ps), err)
		}
		if p.typ == packetUnknown {
			continue
		}
		if len(ps) == maxPayloadPackets {
			return ps, errPayloadPackets
		}
		ps = append(ps, p)
		if p.typ == packetClose {
			break
		}
	}
	return ps, nil
}

// checkFrames reports the first offence in the framing of body.
func checkFrames(body []byte) error {
	for len(body) > 0 {
		_, _, rest, err := cutFrame(body)
		if err != nil {
			return err
		}
		body = rest
	}
	return nil
}

// cutFrame splits the first packet off body, which is not empty: kind, length, 0xff, packet, rest.
//
// Node appends each length byte's decimal notation to a string, whatever the byte, and steps over as many bytes as
// that string has characters; a byte above 9 therefore moves the packet's start. That is kept, for it costs nothing.
func cutFrame(body []byte) (text bool, frame, rest []byte, err error) {
	text = body[0] == frameText
	var length [frameMaxDigits + 4]byte
	digits := length[:0]
	for i := 1; ; i++ {
		if i == len(body) {
			return false, nil, nil, errFrameLength // Node reads "undefined" until it is too long
		}
		if body[i] == frameEnd {
			break
		}
		if len(digits) > frameMaxDigits {
			return false, nil, nil, errFrameLength
		}
		digits = strconv.AppendUint(digits, uint64(body[i]), 10)
	}
	body = body[min(1+len(digits), len(body)):] // at the 0xff
	if len(digits) == 0 {
		return text, nil, body, nil // no number: Node's next slice starts here again
	}
	size := len(body)
	if n, err := strconv.ParseUint(string(digits), 10, 31); err == nil {
		size = min(int(n), size-1) + 1 // in this order: n+1 may not fit into 32 bits
	}
	return text, body[min(1, size):size], body[size:], nil
}

// decodeFrame decodes one packet of a binary payload.
func decodeFrame(text bool, frame []byte) (packet, error) {
	if !text {
		return decodeBinaryPacket(3, frame), nil
	}
	if len(frame) > 0 && frame[0] != 'b' && !utf8.Valid(frame) {
		var ok bool
		if frame, ok = replaceSurrogates(frame); !ok {
			return packet{}, errFrameUTF8
		}
	}
	return decodeTextPacket(3, frame)
}

// replaceSurrogates returns a copy of text with U+FFFD in place of each UTF-16 surrogate that was encoded as if it
// were a character, which the clients' own UTF-8 encoder does with half a pair. ok is false if something else in
// text is not UTF-8. Both are what the parser's own UTF-8 decoder does, which is stricter than Node's.
func replaceSurrogates(text []byte) (_ []byte, ok bool) {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, width := utf8.DecodeRune(text)
		if r == utf8.RuneError && width == 1 {
			if len(text) < 3 || text[0] != 0xed || text[1]&0xe0 != 0xa0 || text[2]&0xc0 != 0x80 {
				return nil, false
			}
			width = 3 // ED A0…BF 80…BF: U+D800 to U+DFFF
		}
		out = utf8.AppendRune(out, r)
		text = text[width:]
	}
	return out, true
}
