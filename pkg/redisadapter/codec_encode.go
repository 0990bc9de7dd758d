package redisadapter

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// encoder turns JSON text into MessagePack in one walk, guided by the text's outline. Key order
// stays, no value is built in between. Reusable; not for concurrent use.
type encoder struct {
	outline
	out         []byte
	src         []byte
	attachments [][]byte
	pos         int  // in src
	next        int  // in outline.containers
	lossy       bool // what a peer decodes will not be exactly src
	bins        int  // binary values written
	scratch     []byte
}

// appendJSON appends src as MessagePack; src must be what o was made from, not deeper than
// nodeDepth. Placeholders become bin values. What MessagePack, or the codec of Node nodes, cannot
// carry is replaced by the nearest it can, and lossy tells that this has happened:
//
//	number beyond 64 bits or spelled unlike JavaScript (1.0, 1e2, -0)   the float64 next to it
//	half a surrogate pair ("\ud800")                                    U+FFFD
//	member "__proto__"                                                  left out: Node would set the object's prototype, and dies of some
func (e *encoder) appendJSON(src []byte, attachments [][]byte) {
	e.src, e.attachments, e.pos, e.next, e.lossy = src, attachments, skipSpace(src, 0), 0, e.protoKeys
	e.bins = 0
	e.value()
}

// value encodes the value at pos and leaves pos behind it and the white space that follows.
func (e *encoder) value() {
	switch c := e.src[e.pos]; c {
	case '{', '[':
		e.container(c == '{')
	case '"':
		e.string(e.rawString())
	case 't':
		e.out = msgp.AppendBool(e.out, true)
		e.pos += len("true")
	case 'f':
		e.out = msgp.AppendBool(e.out, false)
		e.pos += len("false")
	case 'n':
		e.out = msgp.AppendNil(e.out)
		e.pos += len("null")
	default:
		from := e.pos
		e.pos, _ = scanNumber(e.src, from)
		e.number(e.src[from:e.pos])
	}
	e.pos = skipSpace(e.src, e.pos)
}

func (e *encoder) container(object bool) {
	c := e.containers[e.next]
	if c.attachment >= 0 {
		e.out = msgp.AppendBytes(e.out, e.attachments[c.attachment])
		e.bins++
		e.pos, e.next = int(c.end), int(c.next)
		return
	}
	e.next++
	e.pos = skipSpace(e.src, e.pos+1)
	if object {
		e.out = msgp.AppendMapHeader(e.out, uint32(c.size))
	} else {
		e.out = msgp.AppendArrayHeader(e.out, uint32(c.size))
	}
	for e.src[e.pos] != '}' && e.src[e.pos] != ']' {
		if object {
			e.member()
		} else {
			e.value()
		}
		if e.src[e.pos] == ',' {
			e.pos = skipSpace(e.src, e.pos+1)
		}
	}
	e.pos++
}

// member encodes a name and its value.
func (e *encoder) member() {
	mark, bins, name := len(e.out), e.bins, e.rawString()
	e.string(name)
	e.pos = skipSpace(e.src, skipSpace(e.src, e.pos)+1) // the colon
	e.value()
	if e.protoKeys && nameOf(name) == memberProto {
		e.out, e.bins = e.out[:mark], bins
	}
}

// rawString returns what stands between the quotes at pos, and moves behind them.
func (e *encoder) rawString() []byte {
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

func (e *encoder) string(raw []byte) {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		e.out = msgp.AppendStringFromBytes(e.out, raw)
		return
	}
	var exact bool
	e.scratch, exact = unescape(e.scratch[:0], raw)
	e.lossy = e.lossy || !exact
	e.out = msgp.AppendStringFromBytes(e.out, e.scratch)
}

// number encodes an integer of up to 64 bits as such, anything else as float64. Node's own encoder
// turns integers of 2^64 and more into their remainder (1e21 into 3875820019684212736); no integer
// path is open to them here.
func (e *encoder) number(text []byte) {
	if n, ok := parseInteger(text); ok {
		if text[0] == '-' {
			e.out = msgp.AppendInt64(e.out, int64(-n))
		} else {
			e.out = msgp.AppendUint64(e.out, n)
		}
		return
	}
	f, _ := strconv.ParseFloat(string(text), 64) // out of range: ±Inf, as JSON.parse reads it
	e.out = msgp.AppendFloat64(e.out, f)
	e.scratch = appendNumber(e.scratch[:0], f)
	e.lossy = e.lossy || !bytes.Equal(e.scratch, text)
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

// reset drops what the encoder refers to, and buffers that one huge message made grow.
func (e *encoder) reset() {
	const keep = 1 << 16
	e.src, e.attachments = nil, nil
	e.out, e.scratch = e.out[:0], e.scratch[:0]
	if cap(e.out) > keep {
		e.out = nil
	}
	if cap(e.scratch) > keep {
		e.scratch = nil
	}
	if cap(e.containers) > keep/16 {
		e.containers = nil
	}
	if cap(e.stack) > keep/16 {
		e.stack = nil
	}
}
