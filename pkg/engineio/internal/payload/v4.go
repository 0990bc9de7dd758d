package payload

import (
	"bytes"
	"errors"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/utf"
)

// separator stands between the packets of a protocol 4 payload: ASCII record separator, which JSON never contains raw.
const separator = 0x1e

// MaxPackets bounds the packets of one payload. Node has no such bound; the largest POST it takes by default
// (1e6 bytes) could hold half a million empty messages, each of which costs the receiver far more than two bytes.
// A client's real burst, events of fifteen bytes and more, fits below it in such a POST.
const MaxPackets = 1 << 16

// ErrPackets is the offence of a payload of more than MaxPackets packets.
var ErrPackets = errors.New("engine.io payload has too many packets")

// AppendV4 appends the body of a protocol 4 poll response.
//
//	payload = packet { 0x1e packet }           binary packets as "b" base64
func AppendV4(dst []byte, ps []packet.Packet) []byte {
	for i, p := range ps {
		if i > 0 {
			dst = append(dst, separator)
		}
		dst = packet.AppendText(dst, p)
	}
	return dst
}

// DecodeV4 decodes the body of a protocol 4 POST. Like Node's parser it returns the packets before an
// offence together with the error: they are to be handled, then the connection closed. A close packet ends the
// payload; what follows it is not looked at. Invalid UTF-8 is replaced by U+FFFD as in Node, whose clients cannot
// send any: refusing it would only hide which message was broken. The packets' data aliases body.
func DecodeV4(body []byte) ([]packet.Packet, error) {
	body = utf.ReplaceInvalid(body)
	ps := make([]packet.Packet, 0, min(bytes.Count(body, []byte{separator})+1, MaxPackets))
	for found := true; found; {
		var text []byte
		text, body, found = bytes.Cut(body, []byte{separator})
		p, err := packet.DecodeText(4, text)
		var more bool
		if ps, more, err = add(ps, p, err); !more {
			return ps, err
		}
	}
	return ps, nil
}
