package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/jsonscan"
	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/socketio"
)

// Packet types of Socket.IO that a broadcast may have.
const (
	TypeEvent       = 2
	TypeBinaryEvent = 5
)

var (
	ErrTooLarge    = errors.New("message is larger than the limit")
	ErrEnvelope    = errors.New("message is no array [uid, packet, options]")
	ErrPacket      = errors.New("packet is no event")
	ErrEvent       = errors.New("packet data is no array that begins with an event name")
	ErrReserved    = errors.New("event name is reserved")
	ErrNamedTwice  = errors.New("two placeholders name the same attachment")
	ErrTrailing    = errors.New("bytes after the message")
	errTooMany     = errors.New("more binary values than clients take")
	ErrStray       = errors.New("placeholder refers to no attachment")
	ErrRequestType = errors.New("unknown request")
	ErrRooms       = errors.New("rooms are no list of strings")
	ErrID          = errors.New("id is neither text nor a number")
	ErrCount       = errors.New("count is no whole number")
	ErrOptions     = errors.New("options are no map")
	ErrNoOptions   = errors.New("request has no options, which Node's adapter would die of")
	ErrRaw         = errors.New("raw form of the packet data is damaged")
	// ErrNotForUs marks messages that are fine and concern others: our own, another namespace's,
	// the copy for nodes of generation 2.
	ErrNotForUs = errors.New("message is not for this adapter")
	// ErrNobodyHere marks broadcasts that nobody of this instance is to get.
	ErrNobodyHere = errors.New("no socket of this instance is meant")
)

// NodeDepth bounds the nesting of what Node nodes are shown: their codec and JSON.stringify recurse, and
// at about 2,500 levels the whole process dies of a stack overflow. Beyond it only our own instances get
// the message.
const NodeDepth = 512

// ErrNodeDepth says that something that only Node's forms can carry is nested deeper than [NodeDepth].
var ErrNodeDepth = fmt.Errorf("values are nested deeper than %d, which Node's codec may not survive", NodeDepth)

// Encoder is a msgpack.Encoder for messages of the cluster.
type Encoder struct{ msgpack.Encoder }

// Codec reads and writes messages of up to limit bytes and most binary values. Safe for concurrent
// use.
type Codec struct {
	Limit    int
	most     int
	Encoders sync.Pool
}

func NewCodec(limit, most int) *Codec {
	return &Codec{Limit: limit, most: most, Encoders: sync.Pool{New: func() any { return &Encoder{} }}}
}

// Outline checks what is to be encoded, and makes the outline that the encoder follows. It looks at
// sizes before anything is copied. An attachment that two placeholders name would be written, and
// sent to each client, twice: a message must not cost more than a small multiple of its size.
func (c *Codec) Outline(e *Encoder, data socketio.Payload) error {
	size := len(data.JSON)
	for _, a := range data.Attachments {
		size += len(a)
	}
	if size > c.Limit {
		return ErrTooLarge
	}
	if err := c.CountAttachments(data); err != nil {
		return err
	}
	if err := e.Scan(data.JSON, len(data.Attachments)); err != nil {
		return fmt.Errorf("encode data: %w", err)
	}
	named := make([]bool, len(data.Attachments))
	for _, part := range e.Containers {
		if !IsAttachment(part) {
			continue
		}
		if named[part.Attachment] {
			return ErrNamedTwice
		}
		named[part.Attachment] = true
	}
	return nil
}

// CountAttachments refuses more binary values than receivers' parsers take.
func (c *Codec) CountAttachments(data socketio.Payload) error {
	if n := len(data.Attachments); n > c.most {
		return fmt.Errorf("%w: %d of at most %d (MAX_ATTACHMENTS)", errTooMany, n, c.most)
	}
	return nil
}

func IsAttachment(c msgpack.Container) bool { return c.Attachment >= 0 }

// CheckPlaceholders tells whether every placeholder in data, whatever wrote it, refers to one of
// the attachments: clients close the connection over one that does not. Without attachments nothing
// is a placeholder.
func CheckPlaceholders(data []byte, attachments int) error {
	if attachments == 0 {
		return nil
	}
	var o msgpack.Outline
	if err := o.Scan(data, attachments); err != nil {
		return err
	}
	if o.Strays {
		return ErrStray
	}
	return nil
}

// CheckEvent tells whether data, valid JSON, may be sent to clients as an event: clients of
// generation 4 close the connection otherwise.
func CheckEvent(data []byte) error {
	i := jsonscan.SkipSpace(data, 0)
	if data[i] != '[' {
		return ErrEvent
	}
	i = jsonscan.SkipSpace(data, i+1)
	if c := data[i]; c != '"' {
		if c == '-' || c >= '0' && c <= '9' {
			return nil
		}
		return ErrEvent
	}
	end, err := jsonscan.String(data, i)
	if err != nil {
		return ErrEvent
	}
	name := data[i+1 : end-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name, _ = msgpack.Unescape(nil, name)
	}
	if jsonscan.ReservedEvent(string(name)) {
		return ErrReserved
	}
	return nil
}

// ReadAttachments reads an array of binary values.
func ReadAttachments(b []byte) (list [][]byte, rest []byte, err error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, b, ErrRaw
	}
	if size > msgpack.MaxAttachments {
		return nil, b, msgpack.ErrAttachments
	}
	for range size {
		var a []byte
		if a, b, err = msgp.ReadBytesZC(b); err != nil {
			return nil, b, ErrRaw
		}
		list = append(list, bytes.Clone(a))
	}
	return list, b, nil
}

// InlineBinary returns p as JSON alone, attachments as JSON.stringify writes a Buffer:
// {"type":"Buffer","data":[1,2,3]}. What takes more than about limit bytes is refused before it is
// written.
func InlineBinary(p socketio.Payload, limit int) (json.RawMessage, error) {
	var o msgpack.Outline
	if len(p.Attachments) == 0 || o.Scan(p.JSON, len(p.Attachments)) != nil {
		return p.JSON, nil
	}
	size := len(p.JSON)
	for _, c := range o.Containers {
		if c.Attachment >= 0 {
			size += inlinedByte * len(p.Attachments[c.Attachment])
		}
	}
	if size > inlinedByte*limit {
		return nil, ErrTooLarge
	}
	var out []byte
	from := 0
	for _, c := range o.Containers {
		if c.Attachment < 0 || int(c.Begin) < from {
			continue
		}
		out = append(append(out, p.JSON[from:c.Begin]...), `{"type":"Buffer","data":[`...)
		for i, b := range p.Attachments[c.Attachment] {
			if i > 0 {
				out = append(out, ',')
			}
			out = strconv.AppendUint(out, uint64(b), 10)
		}
		out = append(out, `]}`...)
		from = int(c.End)
	}
	return append(out, p.JSON[from:]...), nil
}

// inlinedByte is how many characters a byte takes at most, with its comma.
const inlinedByte = 4

var ErrRequest = errors.New("neither JSON nor MessagePack of a request or response")

// DecodeRequest reads a message of a request or response channel into v, a *request or *response,
// and returns its binary parts.
func DecodeRequest(c *Codec, b []byte, v any) (attachments [][]byte, err error) {
	if len(b) > c.Limit {
		return nil, ErrTooLarge
	}
	if len(b) > 0 && b[0] != '{' {
		d := msgpack.Decoder{}
		rest, err := d.Value(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRequest, err)
		}
		if len(rest) > 0 {
			return nil, ErrTrailing
		}
		for i, a := range d.Attachments {
			d.Attachments[i] = bytes.Clone(a)
		}
		b, attachments = d.Out, d.Attachments
	}
	if err := json.Unmarshal(b, v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return attachments, nil
}

// Payload returns a part of a message as a payload of its own.
func Payload(raw json.RawMessage, attachments [][]byte) socketio.Payload {
	return socketio.Payload{JSON: bytes.ToValidUTF8(raw, []byte("\ufffd")), Attachments: attachments}
}

// EncodeJSON marshals v without the escapes of <, > and & that encoding/json adds for HTML.
func EncodeJSON(v any) (Message, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// namedFlag is a flag by its name in JavaScript.
type namedFlag struct {
	Name string
	On   bool
}

func FlagsOf(flags *socket.BroadcastFlags) [5]namedFlag {
	return [...]namedFlag{
		{"volatile", flags.Volatile}, {"compress", flags.Compress}, {"broadcast", flags.Broadcast}, {"binary", flags.Binary},
		{"expectSingleResponse", flags.ExpectSingleResponse},
	}
}

// MaxTimeout bounds a timeout another instance asks for.
const MaxTimeout = 24 * time.Hour

func HasRooms(opts *socket.BroadcastOptions) bool {
	return opts != nil && opts.Rooms != nil && opts.Rooms.Len() > 0
}
