package msgpack

import (
	"bytes"

	"socketio-chat/pkg/jsonscan"
)

// Outline is what a first pass over a JSON text finds. MessagePack announces the size of a
// container before its content, so an Encoder that keeps nothing but bytes has to know the sizes in
// advance. The pass is also the validation, by the grammar, limits and errors of package jsonscan: a text that has an Outline
// may be walked without looking for errors. Reusable; not for concurrent use.
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
	i := jsonscan.SkipSpace(src, 0)
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
// it. For a non-empty container it reads only the opening bracket and returns ^offset of the first
// element.
func (o *Outline) scanValue(src []byte, i int) (_ int, err error) {
	if i >= len(src) {
		return i, jsonscan.ErrEnd
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
			return i, jsonscan.ErrEnd
		}
		if src[i] == closer(c) {
			return i, nil
		}
		return ^i, nil
	}
	end, err := jsonscan.Scalar(src, i)
	if err == nil {
		o.note(key, src[i:end])
	}
	return end, err
}

// scanTail reads what may follow a value: brackets that close, then a comma and the offset of the
// next value, or the end of the text.
func (o *Outline) scanTail(src []byte, i, attachments int) (next int, done bool, err error) {
	for {
		i = jsonscan.SkipSpace(src, i)
		top := o.top()
		if top == nil {
			if i < len(src) {
				return i, false, jsonscan.ErrAt(i)
			}
			return i, true, nil
		}
		if i >= len(src) {
			return i, false, jsonscan.ErrEnd
		}
		want := byte(']')
		if top.object {
			want = '}'
		}
		switch src[i] {
		case ',':
			return jsonscan.SkipSpace(src, i+1), false, nil
		case want:
			i++
			o.close(i, attachments)
		default:
			return i, false, jsonscan.ErrAt(i)
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
	if len(o.stack) == jsonscan.MaxDepth {
		return i, jsonscan.ErrDepth
	}
	if parent := o.top(); parent != nil && !parent.object {
		parent.size++
	}
	o.stack = append(o.stack, frame{index: int32(len(o.Containers)), num: -1, object: object})
	o.Containers = append(o.Containers, Container{Attachment: -1, Begin: int32(i)})
	o.Depth = max(o.Depth, len(o.stack))
	return jsonscan.SkipSpace(src, i+1), nil
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
	end, next, err := jsonscan.Key(src, i)
	if err != nil {
		return memberNone, next, err
	}
	key := nameOf(src[i+1 : end-1])
	if key == memberProto {
		o.ProtoKeys = true
	} else {
		top.size++
	}
	if i = jsonscan.SkipSpace(src, next); i >= len(src) {
		return key, i, jsonscan.ErrEnd
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
