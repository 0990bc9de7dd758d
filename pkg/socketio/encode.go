package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/zishang520/engine.io/v2/types"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/jsonscan"
)

var errTooDeep = fmt.Errorf("values are nested deeper than %d", jsonscan.MaxDepth)

// EncodeData turns what the library keeps in parser.Packet.Data, []any{event, args…}, into a
// Payload that holds the whole JSON array.
//
// A Payload travels raw. []byte, io.Reader and types.BufferInterface become attachments, at the top
// and inside []any and map[string]any; a types.StringBuffer or strings.Reader is text. All other
// values are encoded by encoding/json, without its escaping of HTML; there a []byte is a base64
// string. Several payloads with attachments are merged: their placeholders get new numbers. What a
// receiver's parser would refuse is an error: a placeholder without an attachment of its own, from
// whatever value, and more than [jsonscan.MaxAttachments].
func EncodeData(data []any) (Payload, error) {
	e := valueEncoder{buf: make([]byte, 0, sizeHint(data))}
	err := e.list(data, 0)
	if err == nil {
		err = e.check()
	}
	if err != nil {
		return Payload{}, fmt.Errorf("encode packet: %w", err)
	}
	return Payload{JSON: e.buf, Attachments: e.attachments, Packed: packList(data)}, nil
}

// sizeHint makes one allocation do for raw payloads.
func sizeHint(data []any) int {
	n := 2
	for _, v := range data {
		switch v := v.(type) {
		case Payload:
			n += len(v.json()) + 1
		case string:
			n += len(v) + 3
		default:
			n += 32
		}
	}
	return n
}

type valueEncoder struct {
	buf         []byte
	attachments [][]byte
}

func (e *valueEncoder) value(v any, depth int) error {
	if depth > jsonscan.MaxDepth {
		return errTooDeep
	}
	switch v := v.(type) {
	case nil:
		e.buf = append(e.buf, null...)
	case Payload:
		return e.payload(v)
	case *Payload:
		return e.payload(*v)
	case string:
		return e.text(v)
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case int:
		e.buf = strconv.AppendInt(e.buf, int64(v), 10)
	case []byte:
		e.attach(v)
	case []any:
		return e.list(v, depth+1)
	case map[string]any:
		return e.object(v, depth+1)
	case *types.StringBuffer:
		return e.text(v.String())
	case *strings.Reader:
		b, err := io.ReadAll(v)
		if err != nil {
			return err
		}
		return e.text(string(b))
	case io.Reader:
		return e.reader(v)
	default:
		return e.json(v)
	}
	return nil
}

func (e *valueEncoder) list(list []any, depth int) error {
	e.buf = append(e.buf, '[')
	for i, v := range list {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := e.value(v, depth); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

// object writes the keys sorted, as encoding/json does.
func (e *valueEncoder) object(m map[string]any, depth int) error {
	if m == nil {
		e.buf = append(e.buf, null...)
		return nil
	}
	e.buf = append(e.buf, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := e.text(k); err != nil {
			return err
		}
		e.buf = append(e.buf, ':')
		if err := e.value(m[k], depth); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

// text writes a string; the usual one needs no escapes.
func (e *valueEncoder) text(s string) error {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return e.json(s)
		}
	}
	e.buf = append(append(append(e.buf, '"'), s...), '"')
	return nil
}

func (e *valueEncoder) json(v any) error {
	w := bytes.NewBuffer(e.buf)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	e.buf = bytes.TrimSuffix(w.Bytes(), []byte("\n"))
	return nil
}

func (e *valueEncoder) attach(b []byte) {
	e.placeholder(len(e.attachments))
	e.attachments = append(e.attachments, b)
}

func (e *valueEncoder) placeholder(num int) {
	e.buf = append(e.buf, `{"_placeholder":true,"num":`...)
	e.buf = append(strconv.AppendInt(e.buf, int64(num), 10), '}')
}

func (e *valueEncoder) reader(r io.Reader) error {
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	if b, ok := r.(types.BufferInterface); ok {
		e.attach(bytes.Clone(b.Bytes())) // not consumed: a broadcast may send it again
		return nil
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read attachment: %w", err)
	}
	e.attach(b)
	return nil
}

// check makes sure that what was written can be read. Values that looked harmless, such as an object
// of a client that has a member "_placeholder", are placeholders in a packet with attachments.
func (e *valueEncoder) check() error {
	if len(e.attachments) == 0 {
		return nil
	}
	if n := len(e.attachments); n > jsonscan.MaxAttachments {
		return fmt.Errorf("%d attachments, more than %d", n, jsonscan.MaxAttachments)
	}
	_, err := jsonscan.Placeholders(nil, e.buf, len(e.attachments))
	return err
}

// payload writes p as it is but for the numbers of its placeholders.
func (e *valueEncoder) payload(p Payload) error {
	if len(p.Attachments) == 0 {
		e.buf = append(e.buf, p.json()...)
		return nil
	}
	b := p.json()
	if end, err := jsonscan.Value(b, 0); err != nil || jsonscan.End(b, end) != nil {
		return errors.New("a Payload with attachments is not valid JSON")
	}
	found, err := jsonscan.Placeholders(nil, b, len(p.Attachments))
	if err != nil {
		return err
	}
	last := 0
	for _, h := range found {
		e.buf = append(e.buf, b[last:h.Start]...)
		e.attach(p.Attachments[h.Num])
		last = h.End
	}
	e.buf = append(e.buf, b[last:]...)
	return nil
}

// appendHeader writes what stands before the JSON of a packet, see decoder for the grammar.
func appendHeader(dst []byte, t PacketType, attachments int, nsp string, id *uint64) []byte {
	if attachments > 0 && (t == Event || t == Ack) {
		t += BinaryEvent - Event
	}
	dst = append(dst, '0'+byte(t))
	if attachments > 0 {
		dst = append(strconv.AppendInt(dst, int64(attachments), 10), '-')
	}
	if nsp != "/" && nsp != "" {
		dst = append(append(dst, nsp...), ',')
	}
	if id != nil {
		dst = strconv.AppendUint(dst, *id, 10)
	}
	return dst
}

// ackFrames is newFrames for the answer to an event, whatever number that has.
func ackFrames(ev *incoming, data Payload) []*engineio.Frame {
	if ev.longID == nil {
		return newFrames(Ack, ev.link.name, ev.id, data)
	}
	header := appendHeader(nil, Ack, len(data.Attachments), ev.link.name, nil)
	return framesOf(append(header, ev.longID...), data)
}

// newFrames makes the Engine.IO messages of a packet: its text and one for each attachment. They
// must be sent with nothing between them.
func newFrames(t PacketType, nsp string, id *uint64, data Payload) []*engineio.Frame {
	var buf [64]byte
	return framesOf(appendHeader(buf[:0], t, len(data.Attachments), nsp, id), data)
}

func framesOf(header []byte, data Payload) []*engineio.Frame {
	frames := make([]*engineio.Frame, 0, 1+len(data.Attachments))
	frames = append(frames, engineio.NewTextFrame(header, data.JSON))
	for _, b := range data.Attachments {
		frames = append(frames, engineio.NewBinaryFrame(b))
	}
	return frames
}
