package socketio

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// A placeholder stands for an attachment in the JSON of a binary packet:
//
//	{"_placeholder":true,"num":0}
//
// Other keys may be there too, in any order and spelling that JSON allows; the whole object is
// replaced by the attachment.
type placeholder struct {
	start, end int // the object's extent in the JSON
	num        int
}

var errPlaceholder = errors.New("illegal attachments: placeholder without a valid num")

// findPlaceholders appends the placeholders of b, which must be valid JSON, in order. A num that is
// no integer in [0, attachments) is an error.
func findPlaceholders(dst []placeholder, b []byte, attachments int) ([]placeholder, error) {
	f := placeholderFinder{b: b, attachments: attachments, found: dst}
	_, err := f.value(0)
	return f.found, err
}

// placeholderFinder walks valid JSON once, recursing at most maxDepth deep.
type placeholderFinder struct {
	b           []byte
	attachments int
	found       []placeholder
}

func (f *placeholderFinder) value(i int) (int, error) {
	i = skipSpace(f.b, i)
	switch f.b[i] {
	case '{':
		return f.object(i)
	case '[':
		return f.array(i)
	}
	return scanScalar(f.b, i)
}

func (f *placeholderFinder) array(i int) (int, error) {
	if i = skipSpace(f.b, i+1); f.b[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = f.value(i); err != nil {
			return i, err
		}
		if i = skipSpace(f.b, i); f.b[i] == ']' {
			return i + 1, nil
		}
		i++ // the comma
	}
}

func (f *placeholderFinder) object(start int) (int, error) {
	inner := len(f.found)
	is, num := false, []byte(nil)
	i := skipSpace(f.b, start+1)
	for f.b[i] != '}' {
		i = skipSpace(f.b, i)
		keyEnd, err := scanString(f.b, i)
		if err != nil {
			return i, err
		}
		key := f.b[i:keyEnd]
		i = skipSpace(f.b, skipSpace(f.b, keyEnd)+1) // over the colon
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
		if i = skipSpace(f.b, end); f.b[i] == ',' {
			i = skipSpace(f.b, i+1)
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
	f.found = append(f.found[:inner], placeholder{start, i, n})
	return i, nil
}

func placeholderNum(num []byte, attachments int) (int, error) {
	n, err := strconv.ParseFloat(string(num), 64)
	if err != nil || n != math.Trunc(n) || n < 0 || n >= float64(attachments) {
		return 0, errPlaceholder
	}
	return int(n), nil
}

// keyIs compares a quoted key, which may have escapes, with a plain word.
func keyIs(quoted []byte, word string) bool {
	if string(quoted[1:len(quoted)-1]) == word {
		return true
	}
	s, plain := unquotePlain(quoted)
	if !plain {
		return unquote(quoted) == word
	}
	return string(s) == word
}

// unquotePlain returns what is between the quotes if no escape is there.
func unquotePlain(quoted []byte) ([]byte, bool) {
	s := quoted[1 : len(quoted)-1]
	for _, c := range s {
		if c == '\\' {
			return nil, false
		}
	}
	return s, true
}

// unquote decodes a JSON string that is known to be valid.
func unquote(quoted []byte) string {
	var s string
	_ = json.Unmarshal(quoted, &s) // valid: scanString has seen it
	return s
}
