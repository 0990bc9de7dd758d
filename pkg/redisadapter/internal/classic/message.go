package classic

import (
	"bytes"
	"slices"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// EncodeBroadcast encodes an event for all instances. second is nil except for binary data, see
// appendBroadcast.
func EncodeBroadcast(c *wire.Codec, uid, nsp string, data socketio.Payload, opts *socket.BroadcastOptions) (first, second wire.Message, err error) {
	e := c.Encoders.Get().(*wire.Encoder)
	defer func() { e.Reset(); c.Encoders.Put(e) }()
	if err := c.Outline(e, data); err != nil {
		return nil, nil, err
	}
	forAll, binary := !wire.HasRooms(opts), showsBinary(e, data)
	if first, err = appendBroadcast(c, e, uid, nsp, data, opts, kindOf(binary && forAll)); err != nil {
		return nil, nil, err
	}
	if binary && forAll && e.Depth <= wire.NodeDepth {
		second, err = appendBroadcast(c, e, uid, nsp, data, opts, kindLegacy)
	}
	return first, second, err
}

// EncodeOnce encodes an event as one message. With old, a binary one suits generation 2 and not
// generation 4.
func EncodeOnce(c *wire.Codec, uid, nsp string, data socketio.Payload, opts *socket.BroadcastOptions, old bool) (wire.Message, error) {
	e := &wire.Encoder{}
	if err := c.Outline(e, data); err != nil {
		return nil, err
	}
	k := kindCommon
	if old && showsBinary(e, data) {
		k = kindNoNode4
	}
	return appendBroadcast(c, e, uid, nsp, data, opts, k)
}

// EnvelopeOf reads who sent a broadcast, and the namespace it is for.
func EnvelopeOf(b []byte) (uid, nsp string, err error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil || size < 3 {
		return "", "", wire.ErrEnvelope
	}
	if uid, b, err = msgp.ReadStringBytes(b); err != nil {
		return "", "", err
	}
	nsp = "/"
	members, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return "", "", wire.ErrPacket
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
func encodeForNodes(c *wire.Codec, uid, nsp string, data socketio.Payload, opts *socket.BroadcastOptions) (messages []wire.Message, err error) {
	first, second, err := EncodeBroadcast(c, uid, nsp, data, opts)
	for _, m := range []wire.Message{first, second} {
		if m != nil {
			messages = append(messages, forNodes(m))
		}
	}
	return messages, err
}

// forNodes replaces whatever follows the first three elements of m by a number.
func forNodes(m wire.Message) wire.Message {
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
func showsBinary(e *wire.Encoder, data socketio.Payload) bool {
	binary := slices.ContainsFunc(e.Containers, wire.IsAttachment)
	if binary && e.ProtoKeys && e.Depth <= wire.NodeDepth {
		e.Out = e.Out[:0]
		e.AppendJSON(data.JSON, data.Attachments)
		binary = e.Bins > 0
	}
	return binary
}

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
func appendBroadcast(c *wire.Codec, e *wire.Encoder, uid, nsp string, data socketio.Payload, opts *socket.BroadcastOptions, k kind) (wire.Message, error) {
	// The envelope's size depends on how the data turned out, so it is written with the larger one
	// and corrected below.
	e.Out = msgp.AppendString(msgp.AppendArrayHeader(e.Out[:0], 3), uid)
	raw := e.Depth > wire.NodeDepth
	if raw {
		e.Out = msgp.AppendNil(e.Out)
	} else {
		e.Out = msgp.AppendMapHeader(e.Out, 3)
		typ := wire.TypeEvent
		if k == kindLegacy || k == kindNoNode4 {
			typ = wire.TypeBinaryEvent
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
	if len(e.Out) > c.Limit {
		return nil, wire.ErrTooLarge
	}
	return bytes.Clone(e.Out), nil
}

// DecodeBroadcast reads a message of any generation for the adapter uid of namespace nsp.
// ErrNotForUs and errNobodyHere are no faults; any other error means that the message is malformed or hostile. The
// result shares nothing with b.
func DecodeBroadcast(c *wire.Codec, b []byte, uid, nsp string, reach wire.Reach) (msg wire.Broadcast, err error) {
	if len(b) > c.Limit {
		return msg, wire.ErrTooLarge
	}
	size, rest, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil || size < 2 {
		return msg, wire.ErrEnvelope
	}
	if from, after, err := msgp.ReadStringZC(rest); err == nil {
		if string(from) == uid {
			return msg, wire.ErrNotForUs
		}
		msg.From = string(from)
		rest = after
	} else if rest, err = msgp.Skip(rest); err != nil {
		return msg, err
	}
	packet, rest, err := readPacket(rest, nsp)
	if err != nil {
		return msg, err
	}
	if size == 2 { // Node 5.4 takes it: everybody
		msg.Opts, size = everybody(), 3
	} else if msg.Opts, msg.Number, rest, err = readOptions(rest); err != nil {
		return msg, err
	}
	if !reach.Any(msg.Opts) {
		return msg, wire.ErrNobodyHere
	}
	if size > 3 && msgp.NextType(rest) == msgp.IntType {
		return msg, wire.ErrNotForUs
	}
	if size > 3 && msgp.NextType(rest) == msgp.StrType {
		if msg.Data, rest, err = readRaw(rest, size > 4); err != nil {
			return msg, err
		}
	} else {
		if packet == nil {
			return msg, wire.ErrPacket
		}
		if msg.Data, err = decodeData(packet); err != nil {
			return msg, err
		}
		for range size - 3 {
			if rest, err = msgp.Skip(rest); err != nil {
				return msg, err
			}
		}
	}
	if len(rest) > 0 {
		return msg, wire.ErrTrailing
	}
	if err := c.CountAttachments(msg.Data); err != nil {
		return msg, err
	}
	return msg, wire.CheckEvent(msg.Data.JSON)
}
