// Package jsonscan reads the JSON of Socket.IO packets without building values: where a value ends,
// where the elements of an array are, which objects are placeholders of attachments. The grammar is
// that of RFC 8259, as in encoding/json but for one thing: nesting is bounded by [MaxDepth].
//
// Functions take the text and an offset and return the offset behind what they consumed. None of them
// keeps the text or recurses deeper than [MaxDepth], and only [Placeholders] allocates, for its result.
// They are safe for concurrent use.
package jsonscan

import (
	"errors"
	"fmt"
)

// Limits that every part of the server has in common: what one instance accepts of a client the other
// instances accept of it.
const (
	// MaxDepth bounds the nesting of arrays and objects in one text. Node has no such bound short of its
	// stack; 1,000 is far beyond what people nest and keeps every later recursion harmless.
	MaxDepth = 1000
	// MaxAttachments bounds the attachments of one packet, whatever is configured.
	MaxAttachments = 255
)

// ReservedEvent tells the names of events that a client must not send, and must not get: they mean something else on either side. The list
// is that of socket.io-parser 4.2.
func ReservedEvent(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}

// Errors of all functions here; those that name a place in the text wrap ErrSyntax.
var (
	ErrEnd    = errors.New("JSON ends too soon")
	ErrDepth  = fmt.Errorf("JSON is nested deeper than %d", MaxDepth)
	ErrSyntax = errors.New("invalid JSON")
	// ErrNoArray is what Elements returns for a value of another kind.
	ErrNoArray = errors.New("not a JSON array")
)

// ErrAt is an ErrSyntax that names a place in the text.
func ErrAt(i int) error { return fmt.Errorf("%w at byte %d", ErrSyntax, i) }

// nesting is a stack of the containers that are open, one bit each: objects are 1.
type nesting struct {
	bits [(MaxDepth + 63) / 64]uint64
	n    int
}

func (s *nesting) push(object bool) bool {
	if s.n == MaxDepth {
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

// Value returns where the value that starts at b[i] ends. White space before it is skipped.
func Value(b []byte, i int) (int, error) {
	if i = SkipSpace(b, i); i < len(b) && b[i] != '{' && b[i] != '[' {
		return Scalar(b, i)
	}
	return containers(b, i)
}

// containers is Value for an array or object.
func containers(b []byte, i int) (int, error) {
	var open nesting
	for {
		i = SkipSpace(b, i)
		if i == len(b) {
			return i, ErrEnd
		}
		var err error
		switch c := b[i]; c {
		case '{', '[':
			if !open.push(c == '{') {
				return i, ErrDepth
			}
			i = SkipSpace(b, i+1)
			if i < len(b) && b[i] == c+2 { // '}' and ']' are two behind their openers
				i++
				open.n--
				break
			}
			if c == '{' {
				if _, i, err = Key(b, i); err != nil {
					return i, err
				}
			}
			continue
		default:
			if i, err = Scalar(b, i); err != nil {
				return i, err
			}
		}
		// A value has ended: close what it completes, or find the next one.
		more := false
		for open.n > 0 && !more {
			if i = SkipSpace(b, i); i == len(b) {
				return i, ErrEnd
			}
			object := open.inObject()
			switch {
			case b[i] == ',' && object:
				if _, i, err = Key(b, SkipSpace(b, i+1)); err != nil {
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
				return i, ErrAt(i)
			}
		}
		if !more {
			return i, nil
		}
	}
}

// Elements calls each for the elements of the array that is the whole of b, with their extents, and
// stops with the error that it returns. Space around the array is allowed, anything else is not.
func Elements(b []byte, each func(start, end int) error) error {
	i := SkipSpace(b, 0)
	switch {
	case i == len(b):
		return ErrEnd
	case b[i] != '[':
		return ErrNoArray
	}
	if i = SkipSpace(b, i+1); i < len(b) && b[i] == ']' {
		return End(b, i+1)
	}
	for {
		i = SkipSpace(b, i)
		end, err := Value(b, i)
		if err != nil {
			return err
		}
		if err := each(i, end); err != nil {
			return err
		}
		if i = SkipSpace(b, end); i == len(b) {
			return ErrEnd
		}
		switch b[i] {
		case ',':
			i++
		case ']':
			return End(b, i+1)
		default:
			return ErrAt(i)
		}
	}
}
