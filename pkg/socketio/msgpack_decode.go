package socketio

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"

	"socketio-chat/pkg/jsonscan"
	"socketio-chat/pkg/msgpack"
)

// The packets of socket.io-msgpack-parser, each one message:
//
//	packet  = map                    ; MessagePack; unknown members are ignored, of equal ones the last counts
//	"type"  = integer                ; see PacketType
//	"nsp"   = str                    ; "/…"
//	"id"    = integer                ; of an EVENT that asks for an acknowledgement, and of the ACK; else absent
//	"data"  = array                  ; EVENT: name first; ACK
//	        / map                    ; CONNECT, optional; CONNECT_ERROR
//	        / str                    ; CONNECT_ERROR
//
// Clients of protocol 4, with version 2 of the parser, send and get CONNECT, DISCONNECT and errors as JSON text
// of the same members, and have types 5 and 6 for events and answers with binary data.
//
// What is bounded in JSON is bounded here too: nesting, arguments, binary values.

var (
	errTextMessage = errors.New("text from a client that speaks MessagePack")
	errTrailing    = errors.New("bytes behind the packet")
	errPacketMap   = errors.New("a packet is a map with type and nsp")
)

// decodeMsgPack reads one message of the parser. The packet aliases data.
func decodeMsgPack(data []byte, binary bool, protocol int, bounds decoderBounds) (*Packet, error) {
	p := packets.Get().(*Packet)
	u := unpacker{p: p, typ: -1, bounds: bounds}
	err := errTextMessage
	switch {
	case binary:
		err = u.packet(data)
	case protocol == 3:
		err = u.text(data)
	}
	if err == nil {
		err = u.check(protocol)
	}
	if err != nil {
		p.release()
		return nil, err
	}
	p.size = len(data)
	return p, nil
}

// An unpacker reads the members of a packet as they come; check tells at the end whether they fit.
type unpacker struct {
	p      *Packet
	typ    int64 // -1: there was none
	list   bool  // data is an array
	bounds decoderBounds
}

func (u *unpacker) packet(b []byte) error {
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return errPacketMap
	}
	for range size {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return fmt.Errorf("read a packet: %w", err)
		}
		if b, err = u.member(string(key), b); err != nil {
			return fmt.Errorf("read %q of a packet: %w", key, err)
		}
	}
	if len(b) > 0 {
		return errTrailing
	}
	return nil
}

func (u *unpacker) member(key string, b []byte) (rest []byte, err error) {
	if rest, absent := cutAbsent(b); absent {
		return rest, nil
	}
	switch key {
	case "type":
		u.typ, rest, err = readInteger(b)
	case "nsp":
		u.p.Nsp, rest, err = msgp.ReadStringBytes(b)
	case "id":
		var id int64
		if id, rest, err = readInteger(b); err == nil {
			if id < 0 {
				return rest, errAckID
			}
			n := uint64(id)
			u.p.ID = &n
		}
	case "data":
		return u.data(b)
	default:
		return u.decoder().Value(b)
	}
	return rest, err
}

// cutAbsent takes undefined and nil, which Python's clients write for it, off b.
func cutAbsent(b []byte) (rest []byte, ok bool) {
	if len(b) > 0 && b[0] == 0xc0 {
		return b[1:], true
	}
	return msgpack.CutUndefined(b)
}

// readInteger reads a number without a fraction, whatever its form.
func readInteger(b []byte) (n int64, rest []byte, err error) {
	if len(b) > 0 && (b[0] == 0xca || b[0] == 0xcb) {
		f, rest, err := msgpack.ReadFloat(b)
		if err == nil && (f != math.Trunc(f) || math.Abs(f) > 1<<53) {
			err = errors.New("not an integer")
		}
		return int64(f), rest, err
	}
	return msgp.ReadInt64Bytes(b)
}

func (u *unpacker) data(b []byte) (rest []byte, err error) {
	p := u.p
	clear(p.Args)
	p.Args, p.Data, u.list = p.Args[:0], Payload{}, false
	d := u.decoder()
	if msgp.NextType(b) != msgp.ArrayType {
		rest, err = d.Value(b)
		p.Data = Payload{JSON: d.Out, Attachments: d.Attachments}
		return rest, bound(err)
	}
	u.list = true
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return b, err
	}
	if int64(size) > int64(cmp.Or(u.bounds.arguments, DefaultArguments)+1) {
		return b, errArguments
	}
	d.Out = append(d.Out, '[')
	for i := range size {
		if i > 0 {
			d.Out = append(d.Out, ',')
		}
		from := len(d.Out)
		if rest, err = d.Value(b); err != nil {
			return rest, bound(err)
		}
		p.Args = append(p.Args, Payload{JSON: d.Out[from:len(d.Out):len(d.Out)], Packed: b[: len(b)-len(rest) : len(b)-len(rest)]})
		b = rest
	}
	d.Out = append(d.Out, ']')
	for i := range p.Args {
		p.Args[i].Attachments = d.Attachments
	}
	return b, checkPlaceholders(d.Out, len(d.Attachments))
}

func (u *unpacker) decoder() *msgpack.Decoder {
	return &msgpack.Decoder{MaxDepth: jsonscan.MaxDepth, MaxBins: cmp.Or(u.bounds.attachments, DefaultAttachments)}
}

// bound makes one error of what is out of bounds, however it is written.
func bound(err error) error {
	if errors.Is(err, msgpack.ErrAttachments) {
		return errTooMany
	}
	return err
}

// text reads what version 2 of the parser sends as JSON.
func (u *unpacker) text(b []byte) error {
	var fields struct {
		Type *int64          `json:"type"`
		Nsp  *string         `json:"nsp"`
		ID   *uint64         `json:"id"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(b, &fields); err != nil || fields.Type == nil || fields.Nsp == nil {
		return errPacketMap
	}
	u.typ, u.p.Nsp, u.p.ID = *fields.Type, *fields.Nsp, fields.ID
	if len(fields.Data) == 0 || string(fields.Data) == "null" {
		return nil
	}
	if fields.Data[0] != '[' {
		u.p.Data.JSON = fields.Data
		return nil
	}
	u.list = true
	list, err := splitArray(u.p.Args[:0], fields.Data, cmp.Or(u.bounds.arguments, DefaultArguments)+1)
	u.p.Args = list
	return err
}

// check tells whether the members make a packet that a client may send.
func (u *unpacker) check(protocol int) error {
	p := u.p
	last := ConnectError
	if protocol == 3 {
		last = BinaryAck
	}
	if u.typ < 0 || u.typ > int64(last) {
		return fmt.Errorf("unknown packet type %d", u.typ)
	}
	if p.Nsp == "" || p.Nsp[0] != '/' || !utf8.ValidString(p.Nsp) {
		return errPacketMap
	}
	p.Type = PacketType(u.typ)
	if p.Type >= BinaryEvent {
		p.Type -= BinaryEvent - Event
	}
	switch p.Type {
	case Event, Ack:
		if !u.list {
			return payloadError(p.Type, errors.New("not an array"))
		}
		if p.Type == Event {
			if len(p.Args) == 0 {
				return payloadError(p.Type, errEventName)
			}
			return p.checkName()
		}
	case Disconnect:
		if u.list || p.Data.JSON != nil {
			return payloadError(p.Type, errors.New("there must be none"))
		}
	default:
		if u.list || p.Data.JSON != nil && p.Data.JSON[0] != '{' && (p.Type != ConnectError || p.Data.JSON[0] != '"') {
			return payloadError(p.Type, errors.New("not an object"))
		}
	}
	return nil
}
