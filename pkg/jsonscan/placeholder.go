package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// A Placeholder stands for an attachment in the JSON of a binary packet:
//
//	{"_placeholder":true,"num":0}
//
// Other keys may be there too, in any order and spelling that JSON allows; the whole object is
// replaced by the attachment.
type Placeholder struct {
	Start, End int // the object's extent in the JSON
	Num        int // index of the attachment
}

// Errors of Placeholders.
var (
	ErrPlaceholder = errors.New("illegal attachments: placeholder without a valid num")
	ErrNamedTwice  = errors.New("illegal attachments: two placeholders name the same attachment")
)

// Placeholders appends the placeholders of b, which must be valid JSON, in order. A num that is no
// integer in [0, attachments) is an error, and so is one that came before: each place would be an
// attachment of its own on the way to another instance, so that a packet of a few bytes, or a big one
// with many places, would grow without bound. There are at most attachments results, therefore, and a
// placeholder inside another one counts like any other.
func Placeholders(dst []Placeholder, b []byte, attachments int) ([]Placeholder, error) {
	f := finder{b: b, attachments: min(attachments, MaxAttachments), found: dst}
	_, err := f.value(0)
	return f.found, err
}

// finder walks valid JSON once, recursing at most MaxDepth deep.
type finder struct {
	b           []byte
	attachments int
	found       []Placeholder
	named       [(MaxAttachments + 63) / 64]uint64 // bit i: attachment i has a place
}

func (f *finder) value(i int) (int, error) {
	i = SkipSpace(f.b, i)
	switch f.b[i] {
	case '{':
		return f.object(i)
	case '[':
		return f.array(i)
	}
	return Scalar(f.b, i)
}

func (f *finder) array(i int) (int, error) {
	if i = SkipSpace(f.b, i+1); f.b[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = f.value(i); err != nil {
			return i, err
		}
		if i = SkipSpace(f.b, i); f.b[i] == ']' {
			return i + 1, nil
		}
		i++ // the comma
	}
}

func (f *finder) object(start int) (int, error) {
	inner := len(f.found)
	is, num := false, []byte(nil)
	i := SkipSpace(f.b, start+1)
	for f.b[i] != '}' {
		i = SkipSpace(f.b, i)
		keyEnd, next, err := Key(f.b, i)
		if err != nil {
			return next, err
		}
		key := f.b[i:keyEnd]
		i = SkipSpace(f.b, next)
		end, err := f.value(i)
		if err != nil {
			return end, err
		}
		switch { // the last of several equal keys counts, as in JSON.parse
		case keyIs(key, "_placeholder"):
			is = string(f.b[i:end]) == "true"
		case keyIs(key, "num"):
			num = f.b[i:end]
		}
		if i = SkipSpace(f.b, end); f.b[i] == ',' {
			i = SkipSpace(f.b, i+1)
		}
	}
	i++
	if !is {
		return i, nil
	}
	n, err := placeholderNum(num, f.attachments)
	if err != nil {
		return i, err
	}
	if f.named[n/64]&(1<<(n%64)) != 0 {
		return i, ErrNamedTwice
	}
	f.named[n/64] |= 1 << (n % 64)
	f.found = append(f.found[:inner], Placeholder{start, i, n})
	return i, nil
}

func placeholderNum(num []byte, attachments int) (int, error) {
	n, err := strconv.ParseFloat(string(num), 64)
	if err != nil || n != math.Trunc(n) || n < 0 || n >= float64(attachments) {
		return 0, ErrPlaceholder
	}
	return int(n), nil
}

// keyIs compares a quoted key, which may have escapes, with a plain word.
func keyIs(quoted []byte, word string) bool {
	s, plain := Plain(quoted)
	if !plain {
		return Unquote(quoted) == word
	}
	return string(s) == word
}

// Plain returns what is between the quotes of a valid JSON string if no escape is there.
func Plain(quoted []byte) ([]byte, bool) {
	s := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(s, '\\') >= 0 {
		return nil, false
	}
	return s, true
}

// Unquote decodes a JSON string, quotes included, that is known to be valid.
func Unquote(quoted []byte) string {
	var s string
	_ = json.Unmarshal(quoted, &s) // valid: String has seen it
	return s
}
