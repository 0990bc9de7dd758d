package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/socket.io/v2/adapter"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// Encode encodes m, as MessagePack if it has binary data or binary is set, else as JSON. deep
// tells that the message is nested deeper than Node nodes can bear: they must not get it.
func Encode(c *wire.Codec, m Message, binary bool) (b wire.Message, deep bool, err error) {
	e := c.Encoders.Get().(*wire.Encoder)
	defer func() { e.Reset(); c.Encoders.Put(e) }()
	if len(m.Data.JSON) > 0 {
		if err := c.Outline(e, m.Data); err != nil {
			return nil, false, err
		}
		deep = e.Depth > wire.NodeDepth
	}
	for _, part := range e.Containers {
		binary = binary || wire.IsAttachment(part)
	}
	if e.Out = e.Out[:0]; binary {
		appendCluster(e, m, deep)
	} else {
		e.Out = strconv.AppendInt(append(e.Out, `{"type":`...), int64(m.Type), 10)
		if len(m.Data.JSON) > 0 {
			e.Out = append(append(e.Out, `,"data":`...), m.Data.JSON...)
		}
		e.Out = msgpack.AppendString(append(e.Out, `,"uid":`...), []byte(m.UID))
		e.Out = append(msgpack.AppendString(append(e.Out, `,"nsp":`...), []byte(m.Nsp)), '}')
	}
	if len(e.Out) > c.Limit {
		return nil, deep, wire.ErrTooLarge
	}
	return bytes.Clone(e.Out), deep, nil
}

// appendCluster encodes m as MessagePack; its data has been scanned.
func appendCluster(e *wire.Encoder, m Message, deep bool) {
	raw := deep
	e.Out = msgp.AppendMapHeader(e.Out, 3)
	e.Out = msgp.AppendInt(msgp.AppendString(e.Out, "type"), int(m.Type))
	if len(m.Data.JSON) > 0 && !deep {
		e.Out[0]++ // fixmap: one member more
		e.Out = msgp.AppendString(e.Out, "data")
		e.AppendJSON(m.Data.JSON, m.Data.Attachments)
		raw = e.Lossy
	}
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "uid"), m.UID)
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "nsp"), m.Nsp)
	if !raw {
		return
	}
	e.Out[0]++
	e.Out = msgp.AppendStringFromBytes(msgp.AppendString(e.Out, "raw"), m.Data.JSON)
	if len(m.Data.Attachments) > 0 {
		e.Out[0]++
		e.Out = msgp.AppendArrayHeader(msgp.AppendString(e.Out, "atts"), uint32(len(m.Data.Attachments)))
		for _, a := range m.Data.Attachments {
			e.Out = msgp.AppendBytes(e.Out, a)
		}
	}
}

// Decode reads a message. Its data shares nothing with b and is valid JSON; whether it makes
// sense, broadcast, request and response tell.
func Decode(c *wire.Codec, b []byte) (m Message, err error) {
	if len(b) > c.Limit {
		return m, wire.ErrTooLarge
	}
	if len(b) == 0 {
		return m, errClusterMessage
	}
	if b[0] != '{' {
		if m, err = decodeClusterBinary(b); err == nil {
			err = c.CountAttachments(m.Data)
		}
		return m, err
	}
	var parts struct {
		Type *wire.Whole     `json:"type"`
		Data json.RawMessage `json:"data"`
		UID  wire.ID         `json:"uid"`
		Nsp  string          `json:"nsp"`
	}
	if err := json.Unmarshal(b, &parts); err != nil {
		return m, fmt.Errorf("%w: %w", errClusterMessage, err)
	}
	if parts.Type == nil {
		return m, errClusterMessage
	}
	m = Message{Type: adapter.MessageType(*parts.Type), UID: parts.UID.Text(), Nsp: parts.Nsp, Data: wire.Payload(parts.Data, nil)}
	return m, nil
}

// readType reads the type of a message, a whole number in any form.
func readType(b []byte) (int64, []byte, error) {
	switch msgp.NextType(b) {
	case msgp.IntType, msgp.UintType, msgp.Float32Type, msgp.Float64Type:
	default:
		return 0, b, errClusterMessage
	}
	text, rest, err := msgpack.AppendText(nil, b)
	if err != nil {
		return 0, b, err
	}
	typ, err := strconv.ParseInt(string(text), 10, 32)
	return typ, rest, err
}

func decodeClusterBinary(b []byte) (m Message, err error) {
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return m, errClusterMessage
	}
	typ, raw := int64(-1), socketio.Payload{}
	for range size {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return m, errClusterMessage
		}
		switch string(key) {
		case "type":
			typ, b, err = readType(b)
		case "uid":
			m.UID, b, err = msgp.ReadStringBytes(b)
		case "nsp":
			m.Nsp, b, err = msgp.ReadStringBytes(b)
		case "data":
			d := msgpack.Decoder{}
			b, err = d.Value(b)
			for i, a := range d.Attachments {
				d.Attachments[i] = bytes.Clone(a)
			}
			m.Data = socketio.Payload{JSON: d.Out, Attachments: d.Attachments}
		case "raw":
			var text []byte
			text, b, err = msgp.ReadStringZC(b)
			raw.JSON = bytes.ToValidUTF8(bytes.Clone(text), []byte("\ufffd"))
		case "atts":
			raw.Attachments, b, err = wire.ReadAttachments(b)
		default:
			b, err = msgp.Skip(b)
		}
		if err != nil {
			return m, fmt.Errorf("%w: %w", errClusterMessage, err)
		}
	}
	switch {
	case len(b) > 0:
		return m, wire.ErrTrailing
	case typ < 0:
		return m, errClusterMessage
	case raw.JSON != nil:
		m.Data = raw
		if !json.Valid(raw.JSON) {
			return m, wire.ErrRaw
		}
	}
	m.Type = adapter.MessageType(typ)
	return m, wire.CheckPlaceholders(m.Data.JSON, len(m.Data.Attachments))
}
