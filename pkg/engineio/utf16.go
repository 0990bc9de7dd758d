package engineio

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Protocol 3 counts text in UTF-16 code units, because its authors counted JavaScript's string.length: one for
// everything up to U+FFFF, two for what lies beyond. The functions here do that counting on UTF-8.

const (
	lowBits   = 0x0101010101010101 // bit 0 of each of eight bytes
	asciiMask = 0x8080808080808080 // bit 7 of each of eight bytes
)

// utf16Len returns the number of UTF-16 code units of text, which must be valid UTF-8.
//
// In valid UTF-8 every character has one byte that is not a continuation (10xxxxxx), and exactly the characters
// beyond U+FFFF begin with 1111xxxx. So counting needs no decoding; it is done on eight bytes at a time.
func utf16Len(text []byte) int {
	units := len(text)
	for len(text) >= 8 {
		x := binary.LittleEndian.Uint64(text)
		if x&asciiMask != 0 {
			units += unitsBeyondBytes(x)
		}
		text = text[8:]
	}
	if len(text) > 0 {
		var tail [8]byte // zero bytes count as ASCII, and only the difference to ASCII is added
		copy(tail[:], text)
		units += unitsBeyondBytes(binary.LittleEndian.Uint64(tail[:]))
	}
	return units
}

// unitsBeyondBytes returns how many UTF-16 units more (or less, if negative) than bytes the eight bytes of x begin.
func unitsBeyondBytes(x uint64) int {
	continuation := (x >> 7) &^ (x >> 6) & lowBits
	fourByteLead := (x >> 7) & (x >> 6) & (x >> 5) & (x >> 4) & lowBits
	return bits.OnesCount64(fourByteLead) - bits.OnesCount64(continuation)
}

// utf16Cut returns the number of bytes that the first units UTF-16 code units of text take; text must be valid
// UTF-8. ok is false when text is shorter than that or the cut would fall between the halves of a surrogate pair.
// It looks at no more of text than it needs.
func utf16Cut(text []byte, units int) (size int, ok bool) {
	for units >= 8 && len(text)-size >= 8 {
		x := binary.LittleEndian.Uint64(text[size:])
		if x&asciiMask != 0 {
			break
		}
		size += 8
		units -= 8
	}
	for units > 0 {
		if size == len(text) {
			return size, false
		}
		c := text[size]
		if c < utf8.RuneSelf {
			size++
			units--
			continue
		}
		_, width := utf8.DecodeRune(text[size:])
		size += width
		units--
		if width == 4 {
			units--
		}
	}
	return size, units == 0
}

// replaceInvalidUTF8 returns text unchanged if it is valid UTF-8, else a copy with U+FFFD in place of what is not.
// It replaces what Node's decoder replaces (and the Encoding Standard says): each longest run that begins a valid
// sequence counts as one, so that counting UTF-16 units afterwards agrees with what Node's parser sees.
func replaceInvalidUTF8(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	out := make([]byte, 0, len(text)+len(text)/2)
	for len(text) > 0 {
		r, width := utf8.DecodeRune(text)
		if r == utf8.RuneError && width == 1 {
			width = invalidPrefix(text)
		}
		out = utf8.AppendRune(out, r)
		text = text[width:]
	}
	return out
}

// invalidPrefix returns the length of the maximal subpart at the start of text, which does not begin with a valid
// character: the bytes that would have begun one, at least one byte.
func invalidPrefix(text []byte) int {
	lead := text[0]
	var need int
	low, high := byte(0x80), byte(0xbf) // bounds of the second byte
	switch {
	case 0xc2 <= lead && lead <= 0xdf:
		need = 1
	case 0xe0 <= lead && lead <= 0xef:
		need = 2
		if lead == 0xe0 {
			low = 0xa0
		} else if lead == 0xed {
			high = 0x9f
		}
	case 0xf0 <= lead && lead <= 0xf4:
		need = 3
		if lead == 0xf0 {
			low = 0x90
		} else if lead == 0xf4 {
			high = 0x8f
		}
	}
	n := 1
	for ; n <= need && n < len(text); n++ {
		if text[n] < low || text[n] > high {
			break
		}
		low, high = 0x80, 0xbf
	}
	return n
}
