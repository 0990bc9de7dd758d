package socketio

import (
	"errors"
	"fmt"
)

// maxDepth bounds the nesting of arrays and objects in one packet. Node has no such bound short of
// its stack; 1,000 is far beyond what people nest and keeps every later recursion harmless.
const maxDepth = 1000

var (
	errJSONEnd   = errors.New("JSON ends too soon")
	errJSONDepth = fmt.Errorf("JSON is nested deeper than %d", maxDepth)
)

func errJSONAt(i int) error { return fmt.Errorf("invalid JSON at byte %d", i) }

// nesting is a stack of the containers that are open, one bit each: objects are 1.
type nesting struct {
	bits [(maxDepth + 63) / 64]uint64
	n    int
}

func (s *nesting) push(object bool) bool {
	if s.n == maxDepth {
		return false
	}
	w, bit := s.n/64, uint64(1)<<(s.n%64)
	if object {
		s.bits[w] |= bit
	} else {
		s.bits[w] &^= bit
	}
	s.n++
	return true
}

func (s *nesting) inObject() bool {
	i := s.n - 1
	return s.bits[i/64]&(1<<(i%64)) != 0
}

// scanValue returns where the JSON value (RFC 8259) that starts at b[i] ends. White space before it
// is skipped. It neither allocates nor recurses.
func scanValue(b []byte, i int) (int, error) {
	var open nesting
	for {
		i = skipSpace(b, i)
		if i == len(b) {
			return i, errJSONEnd
		}
		var err error
		switch c := b[i]; c {
		case '{', '[':
			if !open.push(c == '{') {
				return i, errJSONDepth
			}
			i = skipSpace(b, i+1)
			if i < len(b) && b[i] == c+2 { // '}' and ']' are two behind their openers
				i++
				open.n--
				break
			}
			if c == '{' {
				if i, err = scanKey(b, i); err != nil {
					return i, err
				}
			}
			continue
		default:
			if i, err = scanScalar(b, i); err != nil {
				return i, err
			}
		}
		// A value has ended: close what it completes, or find the next one.
		more := false
		for open.n > 0 && !more {
			if i = skipSpace(b, i); i == len(b) {
				return i, errJSONEnd
			}
			object := open.inObject()
			switch {
			case b[i] == ',' && object:
				if i, err = scanKey(b, skipSpace(b, i+1)); err != nil {
					return i, err
				}
				more = true
			case b[i] == ',':
				i++
				more = true
			case object && b[i] == '}', !object && b[i] == ']':
				i++
				open.n--
			default:
				return i, errJSONAt(i)
			}
		}
		if !more {
			return i, nil
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// scanKey consumes `"key" :`.
func scanKey(b []byte, i int) (int, error) {
	if i == len(b) {
		return i, errJSONEnd
	}
	if b[i] != '"' {
		return i, errJSONAt(i)
	}
	i, err := scanString(b, i)
	if err != nil {
		return i, err
	}
	i = skipSpace(b, i)
	switch {
	case i == len(b):
		return i, errJSONEnd
	case b[i] != ':':
		return i, errJSONAt(i)
	}
	return i + 1, nil
}

func scanScalar(b []byte, i int) (int, error) {
	switch c := b[i]; {
	case c == '"':
		return scanString(b, i)
	case c == '-' || '0' <= c && c <= '9':
		return scanNumber(b, i)
	case c == 't':
		return scanWord(b, i, "true")
	case c == 'f':
		return scanWord(b, i, "false")
	case c == 'n':
		return scanWord(b, i, "null")
	}
	return i, errJSONAt(i)
}

func scanWord(b []byte, i int, word string) (int, error) {
	for j := range len(word) {
		if i+j == len(b) {
			return i + j, errJSONEnd
		}
		if b[i+j] != word[j] {
			return i + j, errJSONAt(i + j)
		}
	}
	return i + len(word), nil
}

// scanString consumes a string, whose opening quote is b[i].
func scanString(b []byte, i int) (int, error) {
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1, nil
		case c < 0x20:
			return i, errJSONAt(i)
		case c == '\\':
			if i++; i == len(b) {
				return i, errJSONEnd
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					if i++; i == len(b) {
						return i, errJSONEnd
					}
					if !isHex(b[i]) {
						return i, errJSONAt(i)
					}
				}
			default:
				return i, errJSONAt(i)
			}
		}
	}
	return i, errJSONEnd
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// scanNumber consumes [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ "e" [ sign ] 1*digit ].
func scanNumber(b []byte, i int) (int, error) {
	if b[i] == '-' {
		i++
	}
	var err error
	if i < len(b) && b[i] == '0' {
		i++
	} else if i, err = scanDigits(b, i); err != nil {
		return i, err
	}
	if i < len(b) && b[i] == '.' {
		if i, err = scanDigits(b, i+1); err != nil {
			return i, err
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i, err = scanDigits(b, i); err != nil {
			return i, err
		}
	}
	return i, nil
}

// scanDigits consumes one digit or more.
func scanDigits(b []byte, i int) (int, error) {
	if i == len(b) {
		return i, errJSONEnd
	}
	if b[i] < '0' || b[i] > '9' {
		return i, errJSONAt(i)
	}
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i, nil
}

// scanArray appends the elements of the array that is the whole of b to dst. Space around it is
// allowed, anything else is not.
func scanArray(dst []Payload, b []byte) ([]Payload, error) {
	i := skipSpace(b, 0)
	switch {
	case i == len(b):
		return dst, errJSONEnd
	case b[i] != '[':
		return dst, errors.New("not a JSON array")
	}
	if i = skipSpace(b, i+1); i < len(b) && b[i] == ']' {
		return dst, scanEnd(b, i+1)
	}
	for {
		i = skipSpace(b, i)
		end, err := scanValue(b, i)
		if err != nil {
			return dst, err
		}
		dst = append(dst, Payload{JSON: b[i:end:end]})
		if i = skipSpace(b, end); i == len(b) {
			return dst, errJSONEnd
		}
		switch b[i] {
		case ',':
			i++
		case ']':
			return dst, scanEnd(b, i+1)
		default:
			return dst, errJSONAt(i)
		}
	}
}

// scanEnd accepts only space in the rest of b.
func scanEnd(b []byte, i int) error {
	if i = skipSpace(b, i); i != len(b) {
		return errJSONAt(i)
	}
	return nil
}
