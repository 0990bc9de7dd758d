package utf

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

// Len16 returns the number of UTF-16 code units of text, which must be valid UTF-8.
//
// In valid UTF-8 every character has one byte that is not a continuation (10xxxxxx), and exactly the characters
// beyond U+FFFF begin with 1111xxxx. So counting needs no decoding; it is done on eight bytes at a time.
func Len16(text []byte) int {
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

// Cut16 returns the number of bytes that the first units UTF-16 code units of text take; text must be valid
// UTF-8. ok is false when text is shorter than that or the cut would fall between the halves of a surrogate pair.
// It looks at no more of text than it needs.
func Cut16(text []byte, units int) (size int, ok bool) {
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
