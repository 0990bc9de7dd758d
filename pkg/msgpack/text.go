package msgpack

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// AppendText appends the value at the start of b as JavaScript turns it into a string, which is how Node's
// codec makes a property name of it: encoders of other languages write maps with numbers for keys. It
// returns what follows the value. A date has no text that would not depend on where it is written: ErrKey.
//
//	3 "3"   1.5 "1.5"   nil "null"   [1, "a", nil] "1,a,"   {…} "[object Object]"   bin: its bytes as UTF-8
func AppendText(text, b []byte) (_, rest []byte, err error) { return appendText(text, b, 0) }

func appendText(text, b []byte, depth int) (_, rest []byte, err error) {
	if depth > WireDepth {
		return text, b, ErrDepth
	}
	if rest, ok := CutUndefined(b); ok {
		return append(text, "undefined"...), rest, nil
	}
	switch msgp.NextType(b) {
	case msgp.StrType:
		s, rest, err := msgp.ReadStringZC(b)
		return append(text, s...), rest, err
	case msgp.BinType:
		s, rest, err := msgp.ReadBytesZC(b)
		return appendValid(text, s), rest, err
	case msgp.NilType:
		return append(text, "null"...), b[1:], nil
	case msgp.BoolType:
		on, rest, err := msgp.ReadBoolBytes(b)
		return strconv.AppendBool(text, on), rest, err
	case msgp.IntType, msgp.UintType, msgp.Float32Type, msgp.Float64Type:
		return appendNumberText(text, b)
	case msgp.MapType:
		rest, err := msgp.Skip(b)
		return append(text, "[object Object]"...), rest, err
	case msgp.ArrayType:
		return appendArrayText(text, b, depth)
	case msgp.InvalidType:
		return text, b, msgp.ErrShortBytes
	}
	return text, b, ErrKey
}

func appendNumberText(text, b []byte) (_, rest []byte, err error) {
	switch c := b[0]; {
	case c >= 0xcc && c <= 0xcf:
		n, rest, err := msgp.ReadUint64Bytes(b)
		return strconv.AppendUint(text, n, 10), rest, err
	case c != 0xca && c != 0xcb:
		n, rest, err := msgp.ReadInt64Bytes(b)
		return strconv.AppendInt(text, n, 10), rest, err
	}
	f, rest, err := ReadFloat(b)
	switch {
	case math.IsNaN(f):
		return append(text, "NaN"...), rest, err
	case math.IsInf(f, 0):
		if f < 0 {
			text = append(text, '-')
		}
		return append(text, "Infinity"...), rest, err
	}
	return AppendNumber(text, f), rest, err
}

// appendArrayText joins elements with commas; nil and undefined are nothing.
func appendArrayText(text, b []byte, depth int) (_, rest []byte, err error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return text, b, err
	}
	for i := range size {
		if i > 0 {
			text = append(text, ',')
		}
		if rest, ok := CutUndefined(b); ok {
			b = rest
			continue
		}
		if len(b) > 0 && b[0] == 0xc0 {
			b = b[1:]
			continue
		}
		if text, b, err = appendText(text, b, depth+1); err != nil {
			return text, b, err
		}
	}
	return text, b, nil
}

// appendValid appends s, with U+FFFD for bytes that are not UTF-8.
func appendValid(text, s []byte) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		text, s = utf8.AppendRune(text, r), s[n:]
	}
	return text
}
