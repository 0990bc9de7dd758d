package classic

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// readPacket reads the packet of a broadcast and returns its encoded data, nil if there is no
// packet.
func readPacket(b []byte, nsp string) (data, rest []byte, err error) {
	if rest, ok := cutAbsent(b); ok {
		return nil, rest, nil
	}
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return nil, b, wire.ErrPacket
	}
	typ, to, mine := 0, []byte("/"), true
	for range size {
		var key []byte
		if key, b, err = readName(b); err != nil {
			return nil, b, err
		}
		after, err := msgp.Skip(b)
		if err != nil {
			return nil, b, err
		}
		switch string(key) {
		case "type":
			typ = readType(b)
		case "data":
			data = b[:len(b)-len(after)]
		case "nsp":
			to, mine = readNamespace(b)
		}
		b = after
	}
	if !mine || string(to) != nsp {
		return nil, b, wire.ErrNotForUs
	}
	if typ != wire.TypeEvent && typ != wire.TypeBinaryEvent || data == nil {
		return nil, b, wire.ErrPacket
	}
	return data, b, nil
}

// readName reads the name of a member; one that is no string is none of ours.
func readName(b []byte) (name, rest []byte, err error) {
	if msgp.NextType(b) == msgp.StrType {
		return msgp.ReadStringZC(b)
	}
	rest, err = msgp.Skip(b)
	return nil, rest, err
}

// readType reads the type of a packet: a number in any form, or that of an EVENT as text or bytes, which Node
// passes on. 0 is no type of a broadcast.
func readType(b []byte) int {
	if len(b) > 0 && b[0] <= 0x7f {
		return int(b[0]) // a small number, as nearly everybody writes it
	}
	switch msgp.NextType(b) {
	case msgp.IntType, msgp.UintType, msgp.Float32Type, msgp.Float64Type, msgp.StrType, msgp.BinType:
	default:
		return 0
	}
	text, _, err := msgpack.AppendText(nil, b)
	if err != nil {
		return 0
	}
	typ, err := strconv.Atoi(string(text))
	if err != nil || typ == wire.TypeBinaryEvent && (msgp.NextType(b) == msgp.StrType || msgp.NextType(b) == msgp.BinType) {
		return 0
	}
	return typ
}

// readNamespace reads the namespace of a packet, which may be bytes for Node 5.4; undefined means the
// default one. ok is false for anything else.
func readNamespace(b []byte) (nsp []byte, ok bool) {
	if _, absent := msgpack.CutUndefined(b); absent {
		return []byte("/"), true
	}
	var err error
	switch msgp.NextType(b) {
	case msgp.StrType:
		nsp, _, err = msgp.ReadStringZC(b)
	case msgp.BinType:
		nsp, _, err = msgp.ReadBytesZC(b)
	default:
		return nil, false
	}
	return nsp, err == nil
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
	return socketio.Payload{JSON: d.Out, Attachments: d.Attachments}, wire.CheckPlaceholders(d.Out, len(d.Attachments))
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
			return data, b, wire.ErrRaw
		}
		if size > msgpack.MaxAttachments {
			return data, b, msgpack.ErrAttachments
		}
		for range size {
			var a []byte
			if a, b, err = msgp.ReadBytesZC(b); err != nil {
				return data, b, wire.ErrRaw
			}
			data.Attachments = append(data.Attachments, bytes.Clone(a))
		}
	}
	var o msgpack.Outline
	if err := o.Scan(text, len(data.Attachments)); err != nil {
		return data, b, fmt.Errorf("%w: %w", wire.ErrRaw, err)
	}
	if o.Strays && len(data.Attachments) > 0 {
		return data, b, wire.ErrStray
	}
	data.JSON = bytes.ToValidUTF8(bytes.TrimSpace(text), []byte("\ufffd"))
	return data, b, nil
}

// Numbered adds a number to an encoded broadcast of the classic wire, see above. Without one, m stays.
func Numbered(m wire.Message, number uint64) wire.Message {
	if number == 0 {
		return m
	}
	rest := m[1:]
	for range 2 {
		rest, _ = msgp.Skip(rest)
	}
	at := len(m) - len(rest)
	after, err := msgp.Skip(rest)
	if err != nil || m[at] != 0x83 { // a map of three, see appendOptions
		return m
	}
	end := len(m) - len(after)
	out := make(wire.Message, 0, len(m)+16)
	out = append(out, m[:end]...)
	out[at]++
	out = msgp.AppendUint64(msgp.AppendString(out, "seq"), number)
	return append(out, after...)
}
