package msgpack

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxTextDepth bounds the nesting of JSON text.
const MaxTextDepth = 10_000

var (
	// ErrTextDepth says that JSON text is nested deeper than MaxTextDepth.
	ErrTextDepth = fmt.Errorf("JSON is nested deeper than %d levels", MaxTextDepth)
	// ErrEnd says that JSON text ends before its value does.
	ErrEnd       = errors.New("JSON ends early")
	errJSONEmpty = errors.New("no JSON")
)

// syntaxError is a place where JSON text breaks the grammar of RFC 8259.
type syntaxError struct {
	want string
	at   int
}

func (e *syntaxError) Error() string { return fmt.Sprintf("JSON: want %s at byte %d", e.want, e.at) }

// Outline is what a first pass over a JSON text finds. MessagePack announces the size of a
// container before its content, so an Encoder that keeps nothing but bytes has to know the sizes in
// advance. The pass is also the validation: whoever has an Outline may walk the text without
// looking for errors. Reusable; not for concurrent use.
type Outline struct {
	Containers []Container // in the order they open
	Depth      int         // deepest nesting; 0 for a scalar
	ProtoKeys  bool        // an object somewhere has a member "__proto__"
	Strays     bool        // an object claims to be a placeholder and refers to no attachment
	stack      []frame
}

// Container is an array or an object of the text.
type Container struct {
	Size       int32 // elements, or members not counting "__proto__"
	Attachment int32 // index of the attachment this placeholder object stands for, -1: not a placeholder
	Begin      int32 // offset of its bracket
	End        int32 // offset of the byte after it
	Next       int32 // index of the first container after it that is not inside
}

// frame is a container being scanned.
type frame struct {
	index  int32
	size   int32
	num    int32 // value of the member "num" when that is a small integer, else -1
	object bool
	marked bool // "_placeholder": true was seen
}

// Scan reads one JSON value, which must fill src but for white space. Objects like
// {"_placeholder":true,"num":0} are placeholders when num is below attachments.
func (o *Outline) Scan(src []byte, attachments int) error {
	o.Containers, o.stack, o.Depth, o.ProtoKeys, o.Strays = o.Containers[:0], o.stack[:0], 0, false, false
	i := SkipSpace(src, 0)
	if i == len(src) {
		return errJSONEmpty
	}
	for done := false; !done; {
		var err error
		if i, err = o.scanValue(src, i); err != nil {
			return err
		}
		if i >= 0 {
			if i, done, err = o.scanTail(src, i, attachments); err != nil {
				return err
			}
			continue
		}
		i = ^i
	}
	return nil
}

// scanValue reads the value at i, with its name when it is a member. It returns the offset after
// it; of a container with content it reads only the bracket, and returns the complement of the
// offset where the first element or member begins.
func (o *Outline) scanValue(src []byte, i int) (_ int, err error) {
	if i >= len(src) {
		return i, ErrEnd
	}
	key := memberNone
	if top := o.top(); top != nil && top.object {
		if key, i, err = o.scanKey(src, i, top); err != nil {
			return i, err
		}
	}
	if c := src[i]; c == '{' || c == '[' {
		if i, err = o.open(src, i, c == '{'); err != nil {
			return i, err
		}
		if i >= len(src) {
			return i, ErrEnd
		}
		if src[i] == closer(c) {
			return i, nil
		}
		return ^i, nil
	}
	end, err := scanScalar(src, i)
	if err == nil {
		o.note(key, src[i:end])
	}
	return end, err
}

// scanTail reads what may follow a value: brackets that close, then a comma and the offset of the
// next value, or the end of the text.
func (o *Outline) scanTail(src []byte, i, attachments int) (next int, done bool, err error) {
	for {
		i = SkipSpace(src, i)
		top := o.top()
		if top == nil {
			if i < len(src) {
				return i, false, &syntaxError{"the end", i}
			}
			return i, true, nil
		}
		if i >= len(src) {
			return i, false, ErrEnd
		}
		want := byte(']')
		if top.object {
			want = '}'
		}
		switch src[i] {
		case ',':
			return SkipSpace(src, i+1), false, nil
		case want:
			i++
			o.close(i, attachments)
		default:
			return i, false, &syntaxError{"a comma or the end of the container", i}
		}
	}
}

// closer is the byte that closes what c opens.
func closer(c byte) byte { return c + 2 }

func (o *Outline) top() *frame {
	if len(o.stack) == 0 {
		return nil
	}
	return &o.stack[len(o.stack)-1]
}

// open enters the container whose bracket is at i and counts its first member, unless it is empty.
// It returns where that begins.
func (o *Outline) open(src []byte, i int, object bool) (int, error) {
	if len(o.stack) == MaxTextDepth {
		return i, ErrTextDepth
	}
	if parent := o.top(); parent != nil && !parent.object {
		parent.size++
	}
	o.stack = append(o.stack, frame{index: int32(len(o.Containers)), num: -1, object: object})
	o.Containers = append(o.Containers, Container{Attachment: -1, Begin: int32(i)})
	o.Depth = max(o.Depth, len(o.stack))
	return SkipSpace(src, i+1), nil
}

// close leaves the innermost container; end is the offset after its bracket.
func (o *Outline) close(end, attachments int) {
	f := o.top()
	c := &o.Containers[f.index]
	c.Size, c.End, c.Next = f.size, int32(end), int32(len(o.Containers))
	if f.marked && f.num >= 0 && int(f.num) < attachments {
		c.Attachment = f.num
	}
	o.Strays = o.Strays || f.marked && c.Attachment < 0
	o.stack = o.stack[:len(o.stack)-1]
}

// member is a name that means something to the codec.
type member int

const (
	memberNone        member = iota
	memberPlaceholder        // "_placeholder"
	memberNum                // "num"
	memberProto              // "__proto__"
)

// scanKey reads a member's name and its colon, and returns where the value begins.
func (o *Outline) scanKey(src []byte, i int, top *frame) (member, int, error) {
	if src[i] != '"' {
		return memberNone, i, &syntaxError{"a member name", i}
	}
	end, err := ScanString(src, i)
	if err != nil {
		return memberNone, i, err
	}
	key := nameOf(src[i+1 : end-1])
	if key == memberProto {
		o.ProtoKeys = true
	} else {
		top.size++
	}
	if i = SkipSpace(src, end); i >= len(src) {
		return key, i, ErrEnd
	}
	if src[i] != ':' {
		return key, i, &syntaxError{"a colon", i}
	}
	if i = SkipSpace(src, i+1); i >= len(src) {
		return key, i, ErrEnd
	}
	return key, i, nil
}

// nameOf recognises a member name, given as it stands between the quotes. An escaped spelling
// counts: a JavaScript peer does not see the difference.
func nameOf(name []byte) member {
	if bytes.IndexByte(name, '\\') >= 0 {
		name, _ = Unescape(nil, name)
	}
	switch string(name) {
	case "_placeholder":
		return memberPlaceholder
	case "num":
		return memberNum
	case "__proto__":
		return memberProto
	}
	return memberNone
}

// note counts a scalar array element, or remembers the member of a placeholder.
func (o *Outline) note(key member, value []byte) {
	top := o.top()
	switch {
	case top == nil:
	case !top.object:
		top.size++
	case key == memberPlaceholder:
		top.marked = string(value) == "true"
	case key == memberNum:
		top.num = smallInt(value)
	}
}

// smallInt returns the value of up to six digits, -1 for anything else.
func smallInt(text []byte) int32 {
	if len(text) > 6 {
		return -1
	}
	n := int32(0)
	for _, c := range text {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int32(c-'0')
	}
	return n
}

// SkipSpace returns the offset of the first byte from i on that is no white space.
func SkipSpace(src []byte, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\n' || src[i] == '\t' || src[i] == '\r') {
		i++
	}
	return i
}

// scanScalar returns the offset after the string, number or literal at i.
func scanScalar(src []byte, i int) (int, error) {
	switch c := src[i]; {
	case c == '"':
		return ScanString(src, i)
	case c == '-' || c >= '0' && c <= '9':
		return scanNumber(src, i)
	case c == 't':
		return scanWord(src, i, "true")
	case c == 'f':
		return scanWord(src, i, "false")
	case c == 'n':
		return scanWord(src, i, "null")
	}
	return i, &syntaxError{"a value", i}
}

func scanWord(src []byte, i int, word string) (int, error) {
	if end := i + len(word); end <= len(src) && string(src[i:end]) == word {
		return end, nil
	}
	return i, &syntaxError{word, i}
}

// ScanString returns the offset after the closing quote of the string at i.
func ScanString(src []byte, i int) (int, error) {
	for i++; i < len(src); i++ {
		switch c := src[i]; {
		case c == '"':
			return i + 1, nil
		case c < 0x20:
			return i, &syntaxError{"no control character in a string", i}
		case c == '\\':
			i++
			if i >= len(src) {
				return i, ErrEnd
			}
			if src[i] == 'u' {
				if _, ok := hex4(src, i+1); !ok {
					return i, &syntaxError{"four hexadecimal digits", i}
				}
				i += 4
			} else if bytes.IndexByte([]byte(`"\/bfnrt`), src[i]) < 0 {
				return i, &syntaxError{"an escape", i}
			}
		}
	}
	return i, ErrEnd
}

// hex4 reads the four hexadecimal digits of \uXXXX at i.
func hex4(src []byte, i int) (rune, bool) {
	if i+4 > len(src) {
		return 0, false
	}
	var r rune
	for _, c := range src[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// scanNumber returns the offset after the number at i.
func scanNumber(src []byte, i int) (int, error) {
	if src[i] == '-' {
		i++
	}
	from := i
	if i = digits(src, i); i == from || src[from] == '0' && i > from+1 {
		return from, &syntaxError{"a number", from}
	}
	if i < len(src) && src[i] == '.' {
		from = i + 1
		if i = digits(src, from); i == from {
			return i, &syntaxError{"a digit", i}
		}
	}
	if i < len(src) && (src[i] == 'e' || src[i] == 'E') {
		i++
		if i < len(src) && (src[i] == '+' || src[i] == '-') {
			i++
		}
		from = i
		if i = digits(src, from); i == from {
			return i, &syntaxError{"a digit", i}
		}
	}
	return i, nil
}

func digits(src []byte, i int) int {
	for i < len(src) && src[i] >= '0' && src[i] <= '9' {
		i++
	}
	return i
}

// Unescape appends the text of a validated JSON string to dst as UTF-8. UTF-8 has no form for half
// a surrogate pair, nor for bytes that were no UTF-8 to begin with: those become U+FFFD. exact is
// false when that happened to an escape, so that the text cannot be told from its result.
func Unescape(dst, text []byte) (_ []byte, exact bool) {
	exact = true
	for i := 0; i < len(text); {
		c := text[i]
		if c != '\\' {
			r, n := utf8.DecodeRune(text[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i += 2
		switch c = text[i-1]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, n, ok := escapedRune(text, i)
			dst, exact, i = utf8.AppendRune(dst, r), exact && ok, i+n
			continue
		}
		dst = append(dst, c)
	}
	return dst, exact
}

// escapedRune reads the hexadecimal digits of \uXXXX at i, and of the second half when they are the
// first of a surrogate pair. It returns the number of bytes read; ok is false for half a pair.
func escapedRune(text []byte, i int) (r rune, n int, ok bool) {
	r, _ = hex4(text, i)
	if r < 0xd800 || r > 0xdfff {
		return r, 4, true
	}
	if r < 0xdc00 && i+6 <= len(text) && text[i+4] == '\\' && text[i+5] == 'u' {
		if low, _ := hex4(text, i+6); low >= 0xdc00 && low <= 0xdfff {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 10, true
		}
	}
	return utf8.RuneError, 4, false
}
