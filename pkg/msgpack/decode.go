package msgpack

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// Bounds of what a Decoder builds from one message, unless it has others. Node nodes die of deeper nesting than
// WireDepth themselves; clients of the Socket.IO project close the connection at more than ten
// attachments, an application may have told its own to take more.
const (
	WireDepth      = 2048
	MaxAttachments = 255
)

// Reasons why a Decoder refuses what is well-formed MessagePack, or nearly so.
var (
	ErrDepth       = errors.New("MessagePack is nested too deep")
	ErrKey         = errors.New("MessagePack: a map key has no text")
	ErrAttachments = errors.New("MessagePack: too many binary values")
	ErrNoMembers   = errors.New("MessagePack: a map announces more members than the message can hold")
)

// Decoder turns MessagePack into JSON text, member by member, the way JSON.stringify prints what
// Node's codec decodes: undefined is null in an array and absent in an object, dates are ISO
// strings, a bin value becomes a placeholder and an attachment.
type Decoder struct {
	Out         []byte   // JSON text
	Attachments [][]byte // the bin values; they alias what was decoded

	// MaxDepth bounds the nesting, MaxBins the Attachments, of what Value accepts. 0 means WireDepth and
	// MaxAttachments.
	MaxDepth, MaxBins int

	depth int
	key   []byte // scratch
}

// Value appends the first value of b to Out and returns what follows it. After an error Out is of no use.
func (d *Decoder) Value(b []byte) (rest []byte, err error) {
	if len(b) == 0 {
		return b, msgp.ErrShortBytes
	}
	switch c := b[0]; {
	case c <= 0x7f || c >= 0xe0: // fixint
		d.Out = strconv.AppendInt(d.Out, int64(int8(c)), 10)
		return b[1:], nil
	case c <= 0x8f || c == 0xde || c == 0xdf:
		return d.object(b)
	case c <= 0x9f || c == 0xdc || c == 0xdd:
		return d.array(b)
	case c <= 0xbf || c >= 0xd9 && c <= 0xdb:
		text, rest, err := msgp.ReadStringZC(b)
		if err == nil {
			d.Out = AppendString(d.Out, text)
		}
		return rest, err
	case c == 0xc0:
		d.Out = append(d.Out, "null"...)
		return b[1:], nil
	case c == 0xc2:
		d.Out = append(d.Out, "false"...)
		return b[1:], nil
	case c == 0xc3:
		d.Out = append(d.Out, "true"...)
		return b[1:], nil
	case c >= 0xc4 && c <= 0xc6:
		data, rest, err := msgp.ReadBytesZC(b)
		if err != nil {
			return rest, err
		}
		return rest, d.attachment(data)
	case c >= 0xca && c <= 0xd3:
		return d.number(b)
	case c >= 0xc7 && c <= 0xc9 || c >= 0xd4 && c <= 0xd8:
		return d.extension(b)
	}
	return b, msgp.InvalidPrefixError(b[0])
}

func (d *Decoder) array(b []byte) ([]byte, error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return b, err
	}
	if d.depth++; d.depth > cmp.Or(d.MaxDepth, WireDepth) {
		return b, ErrDepth
	}
	d.Out = append(d.Out, '[')
	for i := range size {
		if i > 0 {
			d.Out = append(d.Out, ',')
		}
		if b, err = d.Value(b); err != nil {
			return b, err
		}
	}
	d.Out = append(d.Out, ']')
	d.depth--
	return b, nil
}

func (d *Decoder) object(b []byte) ([]byte, error) {
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return b, err
	}
	if d.depth++; d.depth > cmp.Or(d.MaxDepth, WireDepth) {
		return b, ErrDepth
	}
	d.Out = append(d.Out, '{')
	first := true
	for range size {
		key, after, err := d.name(b)
		if err != nil {
			return b, err
		}
		if rest, ok := CutUndefined(after); ok {
			b = rest
			continue
		}
		if !first {
			d.Out = append(d.Out, ',')
		}
		first = false
		d.Out = append(AppendString(d.Out, key), ':')
		if b, err = d.Value(after); err != nil {
			return b, err
		}
	}
	d.Out = append(d.Out, '}')
	d.depth--
	return b, nil
}

// name reads the name of a member, see AppendText.
func (d *Decoder) name(b []byte) (name, rest []byte, err error) {
	if msgp.NextType(b) == msgp.StrType {
		name, rest, err = msgp.ReadStringZC(b)
	} else {
		name, rest, err = AppendText(d.key[:0], b)
		d.key = name
	}
	if errors.Is(err, msgp.ErrShortBytes) {
		err = ErrNoMembers
	}
	return name, rest, err
}

// attachment sets data aside and appends the placeholder for it.
func (d *Decoder) attachment(data []byte) error {
	if len(d.Attachments) >= cmp.Or(d.MaxBins, MaxAttachments) {
		return ErrAttachments
	}
	d.Out = append(d.Out, `{"_placeholder":true,"num":`...)
	d.Out = append(strconv.AppendInt(d.Out, int64(len(d.Attachments)), 10), '}')
	d.Attachments = append(d.Attachments, data)
	return nil
}

func (d *Decoder) number(b []byte) ([]byte, error) {
	switch c := b[0]; {
	case c == 0xca || c == 0xcb:
		f, rest, err := ReadFloat(b)
		if err == nil {
			d.Out = AppendNumber(d.Out, f)
		}
		return rest, err
	case c <= 0xcf:
		n, rest, err := msgp.ReadUint64Bytes(b)
		if err == nil {
			d.Out = strconv.AppendUint(d.Out, n, 10)
		}
		return rest, err
	default:
		n, rest, err := msgp.ReadInt64Bytes(b)
		if err == nil {
			d.Out = strconv.AppendInt(d.Out, n, 10)
		}
		return rest, err
	}
}

// ReadFloat reads a float of either width off b, which must not be empty.
func ReadFloat(b []byte) (f float64, rest []byte, err error) {
	if b[0] == 0xca {
		short, rest, err := msgp.ReadFloat32Bytes(b)
		return float64(short), rest, err
	}
	return msgp.ReadFloat64Bytes(b)
}

// CutUndefined takes JavaScript's undefined off b: fixext 1, type 0. Only socket.io-redis 5's codec
// writes it, the later one writes nil.
func CutUndefined(b []byte) (rest []byte, ok bool) {
	if len(b) >= 3 && b[0] == 0xd4 && b[1] == 0 {
		return b[3:], true
	}
	return b, false
}

// extension appends the value of an extension type, as far as Node's codec writes it:
//
//	fixext 1, type 0       undefined
//	fixext 8, type 0       Date: int64, milliseconds (socket.io-redis 5)
//	fixext 4, type -1      Date: uint32, seconds
//	fixext 8, type -1      Date: 30 bits nanoseconds, 34 bits seconds
//	ext 8, type -1, 12     Date: uint32 nanoseconds, int64 seconds
//	ext 8-32, type 0       ArrayBuffer and its views (socket.io-redis 5)
//	any other              [type, bytes], see unknown
func (d *Decoder) extension(b []byte) ([]byte, error) {
	if rest, ok := CutUndefined(b); ok {
		d.Out = append(d.Out, "null"...)
		return rest, nil
	}
	rest, err := msgp.Skip(b)
	if err != nil {
		return b, err
	}
	whole := b[:len(b)-len(rest)]
	switch c := b[0]; {
	case c == 0xd7 && whole[1] == 0:
		d.Out = AppendDate(d.Out, float64(int64(binary.BigEndian.Uint64(whole[2:]))))
	case c == 0xd6 && whole[1] == 0xff:
		d.Out = AppendDate(d.Out, float64(binary.BigEndian.Uint32(whole[2:]))*1e3)
	case c == 0xd7 && whole[1] == 0xff:
		v := binary.BigEndian.Uint64(whole[2:])
		d.Out = AppendDate(d.Out, math.Trunc(float64(v&(1<<34-1))*1e3+float64(v>>34)/1e6))
	case c == 0xc7 && whole[1] == 12 && whole[2] == 0xff:
		ns, s := binary.BigEndian.Uint32(whole[3:]), int64(binary.BigEndian.Uint64(whole[7:]))
		d.Out = AppendDate(d.Out, math.Trunc(float64(s)*1e3+float64(ns)/1e6))
	case c == 0xc7 && whole[2] == 0:
		return rest, d.attachment(whole[3:])
	case c == 0xc8 && whole[3] == 0:
		return rest, d.attachment(whole[4:])
	case c == 0xc9 && whole[5] == 0:
		return rest, d.attachment(whole[6:])
	default:
		return rest, d.unknown(whole)
	}
	return rest, nil
}

// unknown appends an extension of a type that Node's codec does not know, as it does: [type, bytes].
func (d *Decoder) unknown(whole []byte) error {
	var head int // bytes before the type
	switch whole[0] {
	case 0xc7:
		head = 2
	case 0xc8:
		head = 3
	case 0xc9:
		head = 5
	default:
		head = 1
	}
	d.Out = append(strconv.AppendInt(append(d.Out, '['), int64(int8(whole[head])), 10), ',')
	if err := d.attachment(whole[head+1:]); err != nil {
		return err
	}
	d.Out = append(d.Out, ']')
	return nil
}

const hexDigits = "0123456789abcdef"

// AppendString appends text as a JSON string, escaped as JSON.stringify does. The result is always
// valid UTF-8, since clients close a connection over anything else: the three-byte form of a lone
// surrogate becomes its escape, any other stray byte U+FFFD.
func AppendString(b, text []byte) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		n := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, n = utf8.DecodeRune(text[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			b = append(b, text[from:i]...)
			b, n = appendStray(b, text[i:])
		} else {
			b = append(b, text[from:i]...)
			b = appendEscape(b, c)
		}
		i += n
		from = i
	}
	return append(append(b, text[from:]...), '"')
}

// appendEscape appends an ASCII character that may not stand in a JSON string.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\t':
		return append(b, `\t`...)
	case '\n':
		return append(b, `\n`...)
	case '\f':
		return append(b, `\f`...)
	case '\r':
		return append(b, `\r`...)
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// appendStray appends a stand-in for the bytes at the start of text, which are not UTF-8, and
// returns how many it stands for.
func appendStray(b, text []byte) ([]byte, int) {
	if len(text) >= 3 && text[0] == 0xed && text[1]&0xe0 == 0xa0 && text[2]&0xc0 == 0x80 {
		low := text[1]&0x3f<<6 | text[2]&0x3f // the last byte of 0xd800 | …
		return append(b, '\\', 'u', 'd', hexDigits[8|text[1]>>2&7], hexDigits[low>>4], hexDigits[low&15]), 3
	}
	return utf8.AppendRune(b, utf8.RuneError), 1
}
