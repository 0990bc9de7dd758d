package msgpack

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"

	"socketio-chat/pkg/jsonscan"
)

// Encoder turns JSON text into MessagePack in one walk, guided by the text's Outline. Key order
// stays, no value is built in between. Reusable; not for concurrent use.
type Encoder struct {
	Outline
	Out         []byte // MessagePack
	src         []byte
	attachments [][]byte
	pos         int  // in src
	next        int  // in Outline.Containers
	Lossy       bool // what a peer decodes will not be exactly src
	Bins        int  // binary values written
	scratch     []byte
}

// AppendJSON appends src to Out as MessagePack; src must be what Scan has read just now, and as deep as
// recursion may go. Placeholders become bin values. What MessagePack, or the codec of Node nodes, cannot
// carry is replaced by the nearest it can, and Lossy tells that this has happened:
//
//	number beyond 64 bits or spelled unlike JavaScript (1.0, 1e2, -0)   the float64 next to it
//	half a surrogate pair ("\ud800")                                    U+FFFD
//	member "__proto__"                                                  left out: Node would set the object's prototype, and dies of some
func (e *Encoder) AppendJSON(src []byte, attachments [][]byte) {
	e.src, e.attachments, e.pos, e.next, e.Lossy = src, attachments, jsonscan.SkipSpace(src, 0), 0, e.ProtoKeys
	e.Bins = 0
	e.value()
}

// value encodes the value at pos and leaves pos behind it and the white space that follows.
func (e *Encoder) value() {
	switch c := e.src[e.pos]; c {
	case '{', '[':
		e.container(c == '{')
	case '"':
		e.string(e.rawString())
	case 't':
		e.Out = msgp.AppendBool(e.Out, true)
		e.pos += len("true")
	case 'f':
		e.Out = msgp.AppendBool(e.Out, false)
		e.pos += len("false")
	case 'n':
		e.Out = msgp.AppendNil(e.Out)
		e.pos += len("null")
	default:
		from := e.pos
		e.pos, _ = jsonscan.Number(e.src, from)
		e.number(e.src[from:e.pos])
	}
	e.pos = jsonscan.SkipSpace(e.src, e.pos)
}

func (e *Encoder) container(object bool) {
	c := e.Containers[e.next]
	if c.Attachment >= 0 {
		e.Out = msgp.AppendBytes(e.Out, e.attachments[c.Attachment])
		e.Bins++
		e.pos, e.next = int(c.End), int(c.Next)
		return
	}
	e.next++
	e.pos = jsonscan.SkipSpace(e.src, e.pos+1)
	if object {
		e.Out = msgp.AppendMapHeader(e.Out, uint32(c.Size))
	} else {
		e.Out = msgp.AppendArrayHeader(e.Out, uint32(c.Size))
	}
	for e.src[e.pos] != '}' && e.src[e.pos] != ']' {
		if object {
			e.member()
		} else {
			e.value()
		}
		if e.src[e.pos] == ',' {
			e.pos = jsonscan.SkipSpace(e.src, e.pos+1)
		}
	}
	e.pos++
}

// member encodes a name and its value.
func (e *Encoder) member() {
	mark, bins, name := len(e.Out), e.Bins, e.rawString()
	e.string(name)
	e.pos = jsonscan.SkipSpace(e.src, jsonscan.SkipSpace(e.src, e.pos)+1) // the colon
	e.value()
	if e.ProtoKeys && nameOf(name) == memberProto {
		e.Out, e.Bins = e.Out[:mark], bins
	}
}

// rawString returns what stands between the quotes at pos, and moves behind them.
func (e *Encoder) rawString() []byte {
	from := e.pos + 1
	end := from
	for {
		end += bytes.IndexByte(e.src[end:], '"')
		// A quote is escaped when an odd number of backslashes stands before it.
		slashes := 0
		for slashes < end-from && e.src[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			break
		}
		end++
	}
	e.pos = end + 1
	return e.src[from:end]
}

func (e *Encoder) string(raw []byte) {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		e.Out = msgp.AppendStringFromBytes(e.Out, raw)
		return
	}
	var exact bool
	e.scratch, exact = Unescape(e.scratch[:0], raw)
	e.Lossy = e.Lossy || !exact
	e.Out = msgp.AppendStringFromBytes(e.Out, e.scratch)
}

// number encodes an integer of up to 64 bits as such, anything else as float64. Node's own Encoder
// turns integers of 2^64 and more into their remainder (1e21 into 3875820019684212736); no integer
// path is open to them here.
func (e *Encoder) number(text []byte) {
	if n, ok := parseInteger(text); ok {
		if text[0] == '-' {
			e.Out = msgp.AppendInt64(e.Out, int64(-n))
		} else {
			e.Out = msgp.AppendUint64(e.Out, n)
		}
		return
	}
	f, _ := strconv.ParseFloat(string(text), 64) // out of range: ±Inf, as JSON.parse reads it
	e.Out = msgp.AppendFloat64(e.Out, f)
	e.scratch = AppendNumber(e.scratch[:0], f)
	e.Lossy = e.Lossy || !bytes.Equal(e.scratch, text)
}

// parseInteger returns the magnitude of an integer that fits int64 (with a minus sign) or uint64.
// "-0" is no integer to JavaScript.
func parseInteger(text []byte) (n uint64, ok bool) {
	limit := ^uint64(0)
	if text[0] == '-' {
		text, limit = text[1:], 1<<63
		if text[0] == '0' {
			return 0, false
		}
	}
	for _, c := range text {
		d := uint64(c - '0')
		if c < '0' || c > '9' || n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// Reset drops what the Encoder refers to, and buffers that one huge message made grow.
func (e *Encoder) Reset() {
	const keep = 1 << 16
	e.src, e.attachments = nil, nil
	e.Out, e.scratch = e.Out[:0], e.scratch[:0]
	if cap(e.Out) > keep {
		e.Out = nil
	}
	if cap(e.scratch) > keep {
		e.scratch = nil
	}
	if cap(e.Containers) > keep/16 {
		e.Containers = nil
	}
	if cap(e.stack) > keep/16 {
		e.stack = nil
	}
}
