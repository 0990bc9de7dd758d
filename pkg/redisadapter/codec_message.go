package redisadapter

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/socketio"
)

// Packet types of Socket.IO that a broadcast may have.
const (
	typeEvent       = 2
	typeBinaryEvent = 5
)

var (
	errTooLarge   = errors.New("message is larger than the limit")
	errEnvelope   = errors.New("message is no array [uid, packet, options]")
	errPacket     = errors.New("packet is no event")
	errEvent      = errors.New("packet data is no array that begins with an event name")
	errReserved   = errors.New("event name is reserved")
	errNamedTwice = errors.New("two placeholders name the same attachment")
	errTrailing   = errors.New("bytes after the message")
	errTooMany    = errors.New("more binary values than clients take")
	errStray      = errors.New("placeholder refers to no attachment")
	errRaw        = errors.New("raw form of the packet data is damaged")
	// errNotForUs marks messages that are fine and concern others: our own, another namespace's,
	// the copy for nodes of generation 2.
	errNotForUs = errors.New("message is not for this adapter")
)

// broadcast is what a message on a namespace's channel says.
type broadcast struct {
	data socketio.Payload // the array ["event", …]
	opts *socket.BroadcastOptions

	from   string // uid of who sent it, if number is not 0
	number uint64 // see recovery.go
}

// nodeDepth bounds the nesting of what Node nodes are shown: their codec and JSON.stringify recurse, and
// at about 2,500 levels the whole process dies of a stack overflow. Beyond it only our own instances get
// the message.
const nodeDepth = 512

// encoder is a msgpack.Encoder for messages of the cluster.
type encoder struct{ msgpack.Encoder }

// codec reads and writes messages of up to limit bytes and most binary values. Safe for concurrent
// use.
type codec struct {
	limit    int
	most     int
	encoders sync.Pool
}

func newCodec(limit, most int) *codec {
	return &codec{limit: limit, most: most, encoders: sync.Pool{New: func() any { return &encoder{} }}}
}

// outline checks what is to be encoded, and makes the outline that the encoder follows. It looks at
// sizes before anything is copied. An attachment that two placeholders name would be written, and
// sent to each client, twice: a message must not cost more than a small multiple of its size.
func (c *codec) outline(e *encoder, data socketio.Payload) error {
	size := len(data.JSON)
	for _, a := range data.Attachments {
		size += len(a)
	}
	if size > c.limit {
		return errTooLarge
	}
	if err := c.countAttachments(data); err != nil {
		return err
	}
	if err := e.Scan(data.JSON, len(data.Attachments)); err != nil {
		return fmt.Errorf("encode data: %w", err)
	}
	named := make([]bool, len(data.Attachments))
	for _, part := range e.Containers {
		if !isAttachment(part) {
			continue
		}
		if named[part.Attachment] {
			return errNamedTwice
		}
		named[part.Attachment] = true
	}
	return nil
}

// countAttachments refuses more binary values than receivers' parsers take.
func (c *codec) countAttachments(data socketio.Payload) error {
	if n := len(data.Attachments); n > c.most {
		return fmt.Errorf("%w: %d of at most %d (MAX_ATTACHMENTS)", errTooMany, n, c.most)
	}
	return nil
}

// message is one PUBLISH: one broadcast needs one, or two when it is binary.
type message = []byte

// encodeBroadcast encodes an event for all instances. second is nil except for binary data, see
// appendBroadcast.
func (c *codec) encodeBroadcast(uid, nsp string, data socketio.Payload, opts *socket.BroadcastOptions) (first, second message, err error) {
	e := c.encoders.Get().(*encoder)
	defer func() { e.Reset(); c.encoders.Put(e) }()
	if err := c.outline(e, data); err != nil {
		return nil, nil, err
	}
	forAll, binary := !hasRooms(opts), e.showsBinary(data)
	if first, err = c.appendBroadcast(e, uid, nsp, data, opts, kindOf(binary && forAll)); err != nil {
		return nil, nil, err
	}
	if binary && forAll && e.Depth <= nodeDepth {
		second, err = c.appendBroadcast(e, uid, nsp, data, opts, kindLegacy)
	}
	return first, second, err
}

// encodeOnce encodes an event as one message. With old, a binary one suits generation 2 and not
// generation 4.
func (c *codec) encodeOnce(uid, nsp string, data socketio.Payload, opts *socket.BroadcastOptions, old bool) (message, error) {
	e := &encoder{}
	if err := c.outline(e, data); err != nil {
		return nil, err
	}
	k := kindCommon
	if old && e.showsBinary(data) {
		k = kindNoNode4
	}
	return c.appendBroadcast(e, uid, nsp, data, opts, k)
}

// envelopeOf reads who sent a broadcast, and the namespace it is for.
func envelopeOf(b []byte) (uid, nsp string, err error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil || size < 3 {
		return "", "", errEnvelope
	}
	if uid, b, err = msgp.ReadStringBytes(b); err != nil {
		return "", "", err
	}
	nsp = "/"
	members, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return "", "", errPacket
	}
	for range members {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return "", "", err
		}
		if string(key) == "nsp" {
			nsp, b, err = msgp.ReadStringBytes(b)
		} else {
			b, err = msgp.Skip(b)
		}
		if err != nil {
			return "", "", err
		}
	}
	return uid, nsp, nil
}

// encodeForNodes encodes an event for Node nodes only: our own instances pass over a message whose
// fourth element is a number.
func (c *codec) encodeForNodes(uid, nsp string, data socketio.Payload, opts *socket.BroadcastOptions) (messages []message, err error) {
	first, second, err := c.encodeBroadcast(uid, nsp, data, opts)
	for _, m := range []message{first, second} {
		if m != nil {
			messages = append(messages, forNodes(m))
		}
	}
	return messages, err
}

// forNodes replaces whatever follows the first three elements of m by a number.
func forNodes(m message) message {
	rest := m[1:]
	for range 3 {
		rest, _ = msgp.Skip(rest)
	}
	m = m[:len(m)-len(rest)]
	m[0] = 0x94 // four elements
	return append(m, 1)
}

// showsBinary tells whether Node nodes get to see binary values of data, which has been scanned.
// Clients of generation 2 die of a packet of type 5 without any.
func (e *encoder) showsBinary(data socketio.Payload) bool {
	binary := slices.ContainsFunc(e.Containers, isAttachment)
	if binary && e.ProtoKeys && e.Depth <= nodeDepth {
		e.Out = e.Out[:0]
		e.AppendJSON(data.JSON, data.Attachments)
		binary = e.Bins > 0
	}
	return binary
}

func isAttachment(c msgpack.Container) bool { return c.Attachment >= 0 }

// kind is for whom a message is.
type kind int

const (
	kindCommon  kind = iota // everybody
	kindModern              // generation 4 and our own
	kindLegacy              // generation 2
	kindNoNode4             // generation 2 and our own
)

func kindOf(split bool) kind {
	if split {
		return kindModern
	}
	return kindCommon
}

// appendBroadcast builds the message
//
//	[uid, {type, data, nsp}, {rooms, except, flags}]             what Node writes
//	[uid, {type, data, nsp}, {rooms, except, flags}, raw, atts]  raw: data as JSON text, when data is not exactly it; atts: its attachments, if any
//	[uid, {type, data, nsp}, {rooms, except, flags}, 1]          for Node nodes only
//	[uid, nil,               {rooms, except, flags}, raw, atts]  nested deeper than Node can bear: Node nodes ignore a message without packet
//
// Node's adapters look at the first three elements only. (The fourth must be truthy, though: to
// socket.io-redis 5 it sits where the flag "came from another node" is expected.)
//
// Binary data splits the generations: a packet with Buffers has type 5 in generation 2, which would
// write it as JSON otherwise, and type 2 in generation 4, which would write a broken packet
// otherwise. So there are two messages, each of which the other generation passes over:
//
//	kindLegacy  type 5, nsp ["/chat"]: generation 2 compares with ==, for which this array equals "/chat"; generation 4 with ===
//	kindModern  type 2, rooms {"__proto__": [], length: -1}: see appendOptions
//
// That works for broadcasts to a whole namespace. One to rooms goes out once, with the type that
// the nodes in the cluster want; if there are both, with type 2, so that clients of generation 2
// nodes see {"type":"Buffer","data":[…]} in place of bytes, as they do when a generation 4 node
// sends it.
func (c *codec) appendBroadcast(e *encoder, uid, nsp string, data socketio.Payload, opts *socket.BroadcastOptions, k kind) (message, error) {
	// The envelope's size depends on how the data turned out, so it is written with the larger one
	// and corrected below.
	e.Out = msgp.AppendString(msgp.AppendArrayHeader(e.Out[:0], 3), uid)
	raw := e.Depth > nodeDepth
	if raw {
		e.Out = msgp.AppendNil(e.Out)
	} else {
		e.Out = msgp.AppendMapHeader(e.Out, 3)
		typ := typeEvent
		if k == kindLegacy || k == kindNoNode4 {
			typ = typeBinaryEvent
		}
		e.Out = msgp.AppendInt(msgp.AppendString(e.Out, "type"), typ)
		e.Out = msgp.AppendString(e.Out, "data")
		e.AppendJSON(data.JSON, data.Attachments)
		e.Out = msgp.AppendString(e.Out, "nsp")
		if k == kindLegacy {
			e.Out = msgp.AppendArrayHeader(e.Out, 1)
		}
		e.Out = msgp.AppendString(e.Out, nsp)
		raw = e.Lossy && k != kindLegacy
	}
	e.Out = appendOptions(e.Out, opts, k == kindModern)
	if raw {
		e.Out[0]++ // fixarray: one element more
		e.Out = msgp.AppendStringFromBytes(e.Out, data.JSON)
		if len(data.Attachments) > 0 {
			e.Out[0]++
			e.Out = msgp.AppendArrayHeader(e.Out, uint32(len(data.Attachments)))
			for _, a := range data.Attachments {
				e.Out = msgp.AppendBytes(e.Out, a)
			}
		}
	}
	if len(e.Out) > c.limit {
		return nil, errTooLarge
	}
	return bytes.Clone(e.Out), nil
}

// decodeBroadcast reads a message of any generation for the adapter uid of namespace nsp.
// errNotForUs is no fault; any other error means that the message is malformed or hostile. The
// result shares nothing with b.
func (c *codec) decodeBroadcast(b []byte, uid, nsp string) (msg broadcast, err error) {
	if len(b) > c.limit {
		return msg, errTooLarge
	}
	size, rest, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil || size < 3 {
		return msg, errEnvelope
	}
	if from, after, err := msgp.ReadStringZC(rest); err == nil {
		if string(from) == uid {
			return msg, errNotForUs
		}
		rest = after
	} else if rest, err = msgp.Skip(rest); err != nil {
		return msg, err
	}
	packet, rest, err := readPacket(rest, nsp)
	if err != nil {
		return msg, err
	}
	if msg.opts, rest, err = readOptions(rest); err != nil {
		return msg, err
	}
	if size > 3 && msgp.NextType(rest) == msgp.IntType {
		return msg, errNotForUs
	}
	if size > 3 && msgp.NextType(rest) == msgp.StrType {
		if msg.data, rest, err = readRaw(rest, size > 4); err != nil {
			return msg, err
		}
	} else {
		if packet == nil {
			return msg, errPacket
		}
		if msg.data, err = decodeData(packet); err != nil {
			return msg, err
		}
		for range size - 3 {
			if rest, err = msgp.Skip(rest); err != nil {
				return msg, err
			}
		}
	}
	if len(rest) > 0 {
		return msg, errTrailing
	}
	if err := c.countAttachments(msg.data); err != nil {
		return msg, err
	}
	return msg, checkEvent(msg.data.JSON)
}

// readPacket reads the packet of a broadcast and returns its encoded data, nil if there is no
// packet.
func readPacket(b []byte, nsp string) (data, rest []byte, err error) {
	if rest, ok := cutAbsent(b); ok {
		return nil, rest, nil
	}
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return nil, b, errPacket
	}
	typ, to, mine := int64(-1), []byte("/"), true
	for range size {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return nil, b, err
		}
		after, err := msgp.Skip(b)
		if err != nil {
			return nil, b, err
		}
		switch string(key) {
		case "type":
			if typ, _, err = msgp.ReadInt64Bytes(b); err != nil {
				return nil, b, errPacket
			}
		case "data":
			data = b[:len(b)-len(after)]
		case "nsp":
			if _, absent := cutAbsent(b); !absent {
				to, _, err = msgp.ReadStringZC(b)
				mine = err == nil
			}
		}
		b = after
	}
	if !mine || string(to) != nsp {
		return nil, b, errNotForUs
	}
	if typ != typeEvent && typ != typeBinaryEvent || data == nil {
		return nil, b, errPacket
	}
	return data, b, nil
}

// decodeData turns the encoded data of a packet into JSON text.
func decodeData(b []byte) (socketio.Payload, error) {
	d := msgpack.Decoder{Out: make([]byte, 0, len(b)+len(b)/4+16)}
	if _, err := d.Value(b); err != nil {
		return socketio.Payload{}, err
	}
	for i, a := range d.Attachments {
		d.Attachments[i] = bytes.Clone(a)
	}
	return socketio.Payload{JSON: d.Out, Attachments: d.Attachments}, checkPlaceholders(d.Out, len(d.Attachments))
}

// checkPlaceholders tells whether every placeholder in data, whatever wrote it, refers to one of
// the attachments: clients close the connection over one that does not. Without attachments nothing
// is a placeholder.
func checkPlaceholders(data []byte, attachments int) error {
	if attachments == 0 {
		return nil
	}
	var o msgpack.Outline
	if err := o.Scan(data, attachments); err != nil {
		return err
	}
	if o.Strays {
		return errStray
	}
	return nil
}

// readRaw reads the fourth and the fifth element of one of our messages.
func readRaw(b []byte, attachments bool) (data socketio.Payload, rest []byte, err error) {
	text, b, err := msgp.ReadStringZC(b)
	if err != nil {
		return data, b, err
	}
	if attachments {
		var size uint32
		if size, b, err = msgp.ReadArrayHeaderBytes(b); err != nil {
			return data, b, errRaw
		}
		if size > msgpack.MaxAttachments {
			return data, b, msgpack.ErrAttachments
		}
		for range size {
			var a []byte
			if a, b, err = msgp.ReadBytesZC(b); err != nil {
				return data, b, errRaw
			}
			data.Attachments = append(data.Attachments, bytes.Clone(a))
		}
	}
	var o msgpack.Outline
	if err := o.Scan(text, len(data.Attachments)); err != nil {
		return data, b, fmt.Errorf("%w: %w", errRaw, err)
	}
	if o.Strays && len(data.Attachments) > 0 {
		return data, b, errStray
	}
	data.JSON = bytes.ToValidUTF8(bytes.TrimSpace(text), []byte("\ufffd"))
	return data, b, nil
}

// checkEvent tells whether data, valid JSON, may be sent to clients as an event: clients of
// generation 4 close the connection otherwise.
func checkEvent(data []byte) error {
	i := msgpack.SkipSpace(data, 0)
	if data[i] != '[' {
		return errEvent
	}
	i = msgpack.SkipSpace(data, i+1)
	if c := data[i]; c != '"' {
		if c == '-' || c >= '0' && c <= '9' {
			return nil
		}
		return errEvent
	}
	end, err := msgpack.ScanString(data, i)
	if err != nil {
		return errEvent
	}
	name := data[i+1 : end-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name, _ = msgpack.Unescape(nil, name)
	}
	switch string(name) {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return errReserved
	}
	return nil
}
