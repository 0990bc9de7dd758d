package socketio

import (
	"bytes"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/msgpack"
)

// send sends the messages of packets that newFrames made, in the form that the client speaks. packed is the data
// of the only packet as MessagePack, where it came so.
func (c *conn) send(frames []*engineio.Frame, packed []byte) bool {
	if c.msgpack {
		frames = repack(c.Protocol(), frames, packed)
	}
	return c.eio.Send(frames...)
}

// packedForms is one packet for clients that speak MessagePack, made when the first of them is to get it.
type packedForms struct {
	frames []*engineio.Frame // as newFrames made them
	packed []byte            // the data, where it came as MessagePack
	three  []*engineio.Frame // of protocol 3
	four   []*engineio.Frame
}

// formLocked returns what to send to l.
func (a *LocalAdapter) formLocked(l *link, p *packedForms) []*engineio.Frame {
	if !a.packs || !l.conn.msgpack {
		return p.frames
	}
	form := &p.four
	if l.eio.Protocol() == 3 {
		form = &p.three
	}
	if *form == nil {
		*form = repack(l.eio.Protocol(), p.frames, p.packed)
	}
	return *form
}

// joinPacked makes one array of arguments that all came as MessagePack; nil if they did not.
func joinPacked(args []Payload) []byte {
	out := msgp.AppendArrayHeader(nil, uint32(len(args)))
	for _, a := range args {
		if a.Packed == nil {
			return nil
		}
		out = append(out, a.Packed...)
	}
	return out
}

// packFrames makes the message of a packet in the form of socket.io-msgpack-parser, with the members in the
// order in which Node writes them. See decodeMsgPack for the grammar.
func packFrames(protocol int, t PacketType, nsp string, id *uint64, data Payload) []*engineio.Frame {
	if protocol == 3 && t != Event && t != Ack {
		return []*engineio.Frame{engineio.NewTextFrame(appendTextPacket(nil, t, nsp, data))}
	}
	packed, ok := data.pack()
	if !ok {
		return nil // not valid JSON: the application's own
	}
	return []*engineio.Frame{engineio.NewBinaryFrame(appendPacked(protocol, t, nsp, id, packed, len(data.Attachments) > 0))}
}

func appendPacked(protocol int, t PacketType, nsp string, id *uint64, data []byte, binary bool) []byte {
	size := uint32(2)
	if id != nil {
		size++
	}
	if len(data) > 0 {
		size++
	}
	if binary && protocol == 3 && (t == Event || t == Ack) {
		t += BinaryEvent - Event
	}
	out := msgp.AppendMapHeader(make([]byte, 0, len(data)+len(nsp)+48), size)
	appendID := func() {
		if id != nil {
			out = msgp.AppendUint64(msgp.AppendString(out, "id"), *id)
		}
	}
	if t == Ack || t == BinaryAck {
		appendID()
	}
	out = msgp.AppendInt(msgp.AppendString(out, "type"), int(t))
	if len(data) > 0 {
		out = append(msgp.AppendString(out, "data"), data...)
	}
	if t == Event || t == BinaryEvent {
		appendID()
	}
	return msgp.AppendString(msgp.AppendString(out, "nsp"), nsp)
}

// appendTextPacket writes what version 2 of the parser leaves as JSON.
func appendTextPacket(dst []byte, t PacketType, nsp string, data Payload) []byte {
	dst = strconv.AppendInt(append(dst, `{"type":`...), int64(t), 10)
	dst = msgpack.AppendString(append(dst, `,"nsp":`...), []byte(nsp))
	if t == ConnectError && len(data.JSON) > 0 {
		dst = append(append(dst, `,"data":`...), data.JSON...)
	}
	return append(dst, '}')
}

// pack returns p as MessagePack: as it came if it came so. A zero Payload has none.
func (p Payload) pack() (packed []byte, ok bool) {
	if p.Packed != nil {
		return p.Packed, true
	}
	if len(p.JSON) == 0 {
		return nil, true
	}
	var e msgpack.Encoder
	if err := e.Scan(p.JSON, len(p.Attachments)); err != nil || e.Depth > packedDepth {
		return nil, false
	}
	e.AppendJSON(p.JSON, p.Attachments)
	return e.Out, true
}

// packedDepth bounds the nesting of what is sent: the client's decoder recurses, and so does ours.
const packedDepth = 1024

// packList is the MessagePack of data, what EncodeData takes, if one of it came as MessagePack and has to
// reach others unchanged; else nil.
func packList(data []any) []byte {
	came := false
	for _, v := range data {
		if p, ok := payloadOf(v); ok && p.Packed != nil {
			came = true
		}
	}
	if !came {
		return nil
	}
	out := msgp.AppendArrayHeader(nil, uint32(len(data)))
	for _, v := range data {
		p, ok := payloadOf(v)
		if !ok {
			var err error
			if p, err = encodeValue(v); err != nil {
				return nil
			}
		}
		packed, ok := p.pack()
		if !ok {
			return nil
		}
		out = append(out, packed...)
	}
	return out
}

func payloadOf(v any) (Payload, bool) {
	switch v := v.(type) {
	case Payload:
		return v, true
	case *Payload:
		return *v, true
	}
	return Payload{}, false
}

// packOffset adds the offset of an event as its last argument; packed is its array.
func packOffset(packed []byte, id PacketID) []byte {
	if packed == nil {
		return nil
	}
	size, rest, err := msgp.ReadArrayHeaderBytes(packed)
	if err != nil {
		return nil
	}
	out := msgp.AppendArrayHeader(make([]byte, 0, len(packed)+32), size+1)
	return msgp.AppendStringFromBytes(append(out, rest...), id.append(nil))
}

// repack translates the messages of packets, which newFrames made, for a client that speaks MessagePack.
// packed is the data of the only one of them, or nil.
func repack(protocol int, frames []*engineio.Frame, packed []byte) []*engineio.Frame {
	out := make([]*engineio.Frame, 0, len(frames))
	for i := 0; i < len(frames); {
		text := frames[i].Text()
		i++
		if len(text) == 0 {
			continue // not made by newFrames
		}
		h, data := cutHeader(text)
		for range min(h.attachments, len(frames)-i) {
			data.Attachments = append(data.Attachments, frames[i].Binary())
			i++
		}
		data.Packed = packed
		out = append(out, packFrames(protocol, h.typ, h.nsp, h.id, data)...)
	}
	return out
}

// header is what appendHeader writes.
type header struct {
	typ         PacketType
	attachments int
	nsp         string
	id          *uint64
}

// cutHeader reads a text that appendHeader began.
func cutHeader(text []byte) (h header, data Payload) {
	h.typ, h.nsp, text = PacketType(text[0]-'0'), "/", text[1:]
	if h.typ >= BinaryEvent {
		h.typ -= BinaryEvent - Event
		count, rest, _ := bytes.Cut(text, []byte("-"))
		h.attachments, _ = strconv.Atoi(string(count))
		text = rest
	}
	if len(text) > 0 && text[0] == '/' {
		nsp, rest, _ := bytes.Cut(text, []byte(","))
		h.nsp, text = string(nsp), rest
	}
	digits := 0
	for digits < len(text) && isDigit(text[digits]) {
		digits++
	}
	if id, err := strconv.ParseUint(string(text[:digits]), 10, 64); err == nil {
		h.id = &id
	}
	return h, Payload{JSON: text[digits:]}
}
