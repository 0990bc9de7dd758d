package socketio

import (
	"log/slog"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// libraryParser is what the library encodes with. Its decoder decodes nothing: packets reach the
// library ready made.
type libraryParser struct{ log *slog.Logger }

func (p libraryParser) NewEncoder() parser.Encoder { return p }
func (p libraryParser) NewDecoder() parser.Decoder { return new(libraryDecoder) }

// Encode returns one encodedPacket, or nothing for data that JSON cannot hold; the log says so.
func (p libraryParser) Encode(packet *parser.Packet) []types.BufferInterface {
	e, err := encodePacket(packet)
	if err != nil {
		p.dropped(packet, err)
		return nil
	}
	return []types.BufferInterface{e}
}

// frames is Encode for code that needs nothing but what is sent.
func (p libraryParser) frames(packet *parser.Packet) (frames []*engineio.Frame, packed []byte, ok bool) {
	t := packetType(packet)
	data, err := encodePacketData(t, packet.Data)
	if err != nil {
		p.dropped(packet, err)
		return nil, nil, false
	}
	return newFrames(t, packet.Nsp, packet.Id, data), data.Packed, true
}

func (p libraryParser) dropped(packet *parser.Packet, err error) {
	p.log.Error("packet dropped: its data cannot be encoded",
		slog.String("namespace", packet.Nsp), slog.Any("error", err))
}

// packetType translates the library's type. Whether a packet is binary its data decides.
func packetType(packet *parser.Packet) PacketType {
	t := PacketType(packet.Type - parser.CONNECT)
	if t == BinaryEvent || t == BinaryAck {
		t -= BinaryEvent - Event
	}
	return t
}

// encodedPacket is a packet on its way from the library's encoder to conn.Write. Sending the text
// and the attachments is one call, so that no other packet gets between them.
//
// It is also a buffer of the packet's text, for code that expects one.
type encodedPacket struct {
	types.BufferInterface
	typ    PacketType
	nsp    string
	data   any // of the parser.Packet
	frames []*engineio.Frame
	packed []byte // the data as MessagePack, where it came so
}

// Clone returns the packet itself: nobody reads it through the buffer's methods.
func (e *encodedPacket) Clone() types.BufferInterface { return e }

func encodePacket(packet *parser.Packet) (*encodedPacket, error) {
	t := packetType(packet)
	data, err := encodePacketData(t, packet.Data)
	if err != nil {
		return nil, err
	}
	header := appendHeader(nil, t, len(data.Attachments), packet.Nsp, packet.Id)
	return &encodedPacket{
		BufferInterface: types.NewStringBuffer(append(header, data.JSON...)),
		typ:             t,
		nsp:             packet.Nsp,
		data:            packet.Data,
		frames:          newFrames(t, packet.Nsp, packet.Id, data),
		packed:          data.Packed,
	}, nil
}

func encodePacketData(t PacketType, data any) (Payload, error) {
	switch d := data.(type) {
	case nil:
		if t == Ack { // without arguments
			return Payload{JSON: []byte("[]")}, nil
		}
		return Payload{}, nil
	case []any:
		if d == nil {
			d = []any{}
		}
		return EncodeData(d)
	case *connectData:
		if d.Pid == "" {
			e := valueEncoder{buf: append(make([]byte, 0, 64), `{"sid":`...)}
			err := e.text(string(d.Sid))
			return Payload{JSON: append(e.buf, '}')}, err
		}
	case map[string]any:
		if _, ok := d["message"]; ok && t == ConnectError && len(d) <= 2 {
			return encodeConnectError(d)
		}
	}
	return encodeValue(data)
}

// connectData is the library's answer to a CONNECT of protocol 5.
type connectData = struct {
	Sid socket.SocketId         `json:"sid" msgpack:"sid"`
	Pid socket.PrivateSessionId `json:"pid,omitempty" msgpack:"pid,omitempty"`
}

func encodeValue(v any) (Payload, error) {
	var e valueEncoder
	if err := e.value(v, 0); err != nil {
		return Payload{}, err
	}
	return Payload{JSON: e.buf, Attachments: e.attachments}, nil
}

// encodeConnectError writes the keys in Node's order, and no "data" where there is none.
func encodeConnectError(m map[string]any) (Payload, error) {
	if _, ok := m["data"]; !ok && len(m) == 2 {
		return encodeValue(m) // an application's own
	}
	fields := struct {
		Message any `json:"message"`
		Data    any `json:"data,omitempty"`
	}{m["message"], m["data"]}
	return encodeValue(fields)
}

// libraryDecoder hands packets that are decoded already to the one listener that the library's
// Client registers for "decoded".
type libraryDecoder struct {
	events.EventEmitter // nil; only the methods below are ever called
	decoded             events.Listener
}

func (d *libraryDecoder) On(_ events.EventName, fns ...events.Listener) error {
	for _, fn := range fns {
		d.decoded = fn
	}
	return nil
}

func (d *libraryDecoder) RemoveListener(events.EventName, events.Listener) bool { return true }

// Add takes a *parser.Packet; anything else is ignored.
func (d *libraryDecoder) Add(v any) error {
	if p, ok := v.(*parser.Packet); ok && d.decoded != nil {
		d.decoded(p)
	}
	return nil
}

func (d *libraryDecoder) Destroy() {}
