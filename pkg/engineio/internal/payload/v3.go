package payload

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/utf"
)

// The offences of a protocol 3 payload in text form.
var (
	errPayloadEmpty  = errors.New("engine.io payload is empty")
	errPayloadLength = errors.New("engine.io payload has a packet length that is no number")
	errPayloadShort  = errors.New("engine.io payload ends before its packet does")
	errPayloadTail   = errors.New("engine.io payload ends within a packet length")
)

// AppendV3 appends the text form of a protocol 3 poll response, which every client reads.
//
//	payload = { length ":" packet }            length counts UTF-16 code units of packet
//	packet  = type data | "b" type base64
//
// Text must be valid UTF-8, else the lengths do not fit what the client decodes.
func AppendV3(dst []byte, ps []packet.Packet) []byte {
	if len(ps) == 0 {
		return append(dst, "0:"...)
	}
	for _, p := range ps {
		if p.Binary {
			dst = strconv.AppendInt(dst, int64(2+base64.StdEncoding.EncodedLen(len(p.Data))), 10)
			dst = append(dst, ':', 'b', '0'+byte(p.Type))
			dst = base64.StdEncoding.AppendEncode(dst, p.Data)
			continue
		}
		dst = strconv.AppendInt(dst, int64(1+utf.Len16(p.Data)), 10)
		dst = append(dst, ':', '0'+byte(p.Type))
		dst = append(dst, p.Data...)
	}
	return dst
}

// DecodeV3 decodes the text form of a protocol 3 payload: the body of a POST that is not
// application/octet-stream. Like Node's parser it returns the packets before an offence together with the error:
// they are to be handled, then the connection closed. A close packet ends the payload; what follows it is not
// looked at. Packets of length 0 and of unknown base64 type are skipped. Invalid UTF-8 is replaced by U+FFFD
// before anything is counted, as in Node. The packets' data aliases body.
func DecodeV3(body []byte) ([]packet.Packet, error) {
	if len(body) == 0 {
		return nil, errPayloadEmpty
	}
	body = utf.ReplaceInvalid(body)
	var ps []packet.Packet
	for len(body) > 0 {
		text, rest, err := cutPacketV3(body)
		if err != nil {
			return ps, fmt.Errorf("packet %d of the payload: %w", len(ps), err)
		}
		body = rest
		if len(text) == 0 {
			continue
		}
		p, err := packet.DecodeText(3, text)
		var more bool
		if ps, more, err = add(ps, p, err); !more {
			return ps, err
		}
	}
	return ps, nil
}

// add appends a packet that was decoded, unless err or a bound says no. more tells whether what follows is to be
// looked at: behind a close packet it is not.
func add(ps []packet.Packet, p packet.Packet, err error) (_ []packet.Packet, more bool, _ error) {
	switch {
	case err != nil:
		return ps, false, fmt.Errorf("packet %d of the payload: %w", len(ps), err)
	case p.Type == packet.Unknown:
		return ps, true, nil
	case len(ps) == MaxPackets:
		return ps, false, ErrPackets
	}
	return append(ps, p), p.Type != packet.Close, nil
}

// cutPacketV3 splits the first packet off body: length ":" packet rest.
func cutPacketV3(body []byte) (text, rest []byte, err error) {
	length, rest, found := bytes.Cut(body, []byte{':'})
	if !found {
		return nil, nil, errPayloadTail
	}
	units, ok := parseLengthV3(length)
	if !ok {
		return nil, nil, errPayloadLength
	}
	size, ok := utf.Cut16(rest, units)
	if !ok {
		return nil, nil, errPayloadShort
	}
	return rest[:size], rest[size:], nil
}

// parseLengthV3 reads a packet length. Clients send decimal digits; anything else takes the way of Node's
// parser, which converts with JavaScript's Number.
func parseLengthV3(text []byte) (units int, ok bool) {
	if len(text) == 0 {
		return 0, false
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' || n > math.MaxInt32 {
			return parseOddLength(string(text))
		}
		n = n*10 + int64(c-'0')
	}
	return int(min(n, math.MaxInt)), true
}

// parseOddLength reads what JavaScript's Number would read as a natural number: with white space around, a sign, a
// fraction of zero, an exponent, or a radix prefix. White space alone is 0.
func parseOddLength(text string) (units int, ok bool) {
	text = strings.TrimFunc(text, isJSSpace)
	if text == "" {
		return 0, true
	}
	var f float64
	if len(text) > 2 && text[0] == '0' && strings.ContainsRune("xXoObB", rune(text[1])) {
		base := map[byte]int{'x': 16, 'o': 8, 'b': 2}[text[1]|0x20]
		n, err := strconv.ParseUint(text[2:], base, 63)
		if err != nil {
			return 0, false
		}
		f = float64(n)
	} else {
		if strings.Trim(text, "0123456789.eE+-") != "" {
			return 0, false // Go's words for infinity, its underscores, hexadecimal fractions
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, false
		}
		f = n
	}
	if f < 0 || f > math.MaxInt32 || f != math.Trunc(f) {
		return 0, false
	}
	return int(f), true
}

// isJSSpace tells whether JavaScript's Number skips r at the ends of its text.
func isJSSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
		return true
	}
	return 0x2000 <= r && r <= 0x200a
}
