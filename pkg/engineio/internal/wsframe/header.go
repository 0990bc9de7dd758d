package wsframe

import (
	"encoding/binary"

	"github.com/gobwas/ws"
)

// MaxHeader is the most bytes that AppendHeader appends.
const MaxHeader = 10

// AppendHeader appends the header of an unmasked, final frame with a payload of n
// bytes, as a server sends it (RFC 6455, 5.2).
func AppendHeader(dst []byte, op ws.OpCode, n int) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case n < 126:
		return append(dst, byte(n))
	case n <= 0xffff:
		return append(dst, 126, byte(n>>8), byte(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
}

// ParseHeader parses the header at the start of b. n is its length, 0 if b ends
// before it does. Check tells whether the header may come here.
func ParseHeader(b []byte) (h ws.Header, n int) {
	if len(b) < 2 {
		return h, 0
	}
	h.Fin, h.Rsv, h.OpCode = b[0]&0x80 != 0, b[0]>>4&7, ws.OpCode(b[0]&0xf)
	h.Masked, h.Length = b[1]&0x80 != 0, int64(b[1]&0x7f)
	n = 2
	switch h.Length {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if h.Masked {
		n += len(h.Mask)
	}
	if len(b) < n {
		return h, 0
	}
	switch h.Length {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		h.Length = int64(binary.BigEndian.Uint64(b[2:]))
	}
	if h.Masked {
		copy(h.Mask[:], b[n-len(h.Mask):n])
	}
	return h, n
}

// Endless tells that the highest bit of a 64-bit length was set, which must be 0:
// nobody knows where such a frame ends.
func Endless(h ws.Header) bool { return h.Length < 0 }

// Check returns an Error if a server must not get a frame with this header
// (RFC 6455, 5.1 to 5.5). fragmented tells that a message has begun and not ended.
func Check(h ws.Header, fragmented bool) error {
	if Endless(h) {
		return Error{Code: ws.StatusProtocolError, Text: "payload length of more than 63 bits"}
	}
	state := ws.StateServerSide
	if fragmented {
		state = state.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return Error{Code: ws.StatusProtocolError, Text: err.Error()}
	}
	return nil
}
