package payload

import (
	"errors"
	"strconv"
	"unicode/utf8"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/utf"
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

// AppendV3Binary appends the binary form of a protocol 3 poll response (application/octet-stream). Only
// clients that did not ask for b64=1 read it. Text travels in it one byte for each byte of its UTF-8.
//
//	payload = { kind digit { digit } 0xff packet }
//	kind    = 0x00 text | 0x01 binary          digit = 0x00 … 0x09, packet's length in bytes, decimal
func AppendV3Binary(dst []byte, ps []packet.Packet) []byte {
	for _, p := range ps {
		kind, typ := byte(frameText), '0'+byte(p.Type)
		if p.Binary {
			kind, typ = frameBinary, byte(p.Type)
		}
		dst = append(dst, kind)
		digits := len(dst)
		dst = strconv.AppendInt(dst, int64(1+len(p.Data)), 10)
		for i := digits; i < len(dst); i++ {
			dst[i] -= '0'
		}
		dst = append(dst, frameEnd, typ)
		dst = append(dst, p.Data...)
	}
	return dst
}

// DecodeV3Binary decodes the binary form of a protocol 3 payload: the body of a POST of type
// application/octet-stream. The whole body is split into packets before any of them counts, as in Node, so an
// error in the framing comes without packets; an error within a packet comes with those before it.
//
// It is as lenient as Node: any kind but 0 is binary, an empty length takes nothing, and the last packet may be
// shorter than its length says. Packets of an unknown binary type are skipped, a close packet ends the payload.
// The packets' data aliases body.
func DecodeV3Binary(body []byte) ([]packet.Packet, error) {
	if err := checkFrames(body); err != nil {
		return nil, err
	}
	var ps []packet.Packet
	for len(body) > 0 {
		text, frame, rest, _ := cutFrame(body)
		body = rest
		p, err := decodeFrame(text, frame)
		var more bool
		if ps, more, err = add(ps, p, err); !more {
			return ps, err
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

// cutFrame splits the first packet off body, which is not empty: kind, length, 0xff, packet.Packet, rest.
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
func decodeFrame(text bool, frame []byte) (packet.Packet, error) {
	if !text {
		return packet.DecodeBinary(3, frame), nil
	}
	if len(frame) > 0 && frame[0] != 'b' && !utf8.Valid(frame) {
		var ok bool
		if frame, ok = utf.ReplaceSurrogates(frame); !ok {
			return packet.Packet{}, errFrameUTF8
		}
	}
	return packet.DecodeText(3, frame)
}
