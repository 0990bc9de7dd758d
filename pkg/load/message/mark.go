package message

// MarkByte opens every mark.
const MarkByte = '~'

// MarkLen is the width of a mark in bytes, and so the smallest text a load message can have.
const MarkLen = 1 + 4 + 4 + 8 + 8

// Limits of what a mark can carry.
const (
	MaxSenders = 1 << 16
	MaxMicros  = 1<<32 - 1
)

// Mark identifies one message of one run.
type Mark struct {
	Run    uint16
	Sender uint16
	Seq    uint32 // from 0, without gaps, for each sender
	Micros uint32 // microseconds from the start of the run to the sending
}

const hexDigits = "0123456789abcdef"

// notHex is the table's value for bytes that are no lower-case hexadecimal digit; its high bits survive the OR in hex.
const notHex = 0x80

// nibbles maps a byte to its value as a hexadecimal digit. It is never written after its initialisation.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = notHex
	}
	for i := range len(hexDigits) {
		t[hexDigits[i]] = byte(i)
	}
	return t
}()

// Put writes the mark to the first MarkLen bytes of dst.
func (m Mark) Put(dst []byte) {
	_ = dst[MarkLen-1]
	dst[0] = MarkByte
	putHex(dst[1:5], uint32(m.Run))
	putHex(dst[5:9], uint32(m.Sender))
	putHex(dst[9:17], m.Seq)
	putHex(dst[17:25], m.Micros)
}

// ParseMark reads the mark at the start of b. It reports false when b does not begin with a whole, well-formed mark.
func ParseMark(b []byte) (Mark, bool) {
	if len(b) < MarkLen || b[0] != MarkByte {
		return Mark{}, false
	}
	run, bad1 := hex(b[1:5])
	sender, bad2 := hex(b[5:9])
	seq, bad3 := hex(b[9:17])
	micros, bad4 := hex(b[17:25])
	if (bad1|bad2|bad3|bad4)&notHex != 0 {
		return Mark{}, false
	}
	return Mark{Run: uint16(run), Sender: uint16(sender), Seq: seq, Micros: micros}, true
}

func putHex(dst []byte, v uint32) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = hexDigits[v&15]
		v >>= 4
	}
}

// hex reads up to eight digits; bad has the bit notHex when one of them was none.
func hex(b []byte) (v uint32, bad byte) {
	for _, c := range b {
		n := nibbles[c]
		bad |= n
		v = v<<4 | uint32(n&15)
	}
	return v, bad
}
