package redisadapter

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zishang520/socket.io-go-parser/v2/parser"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/classic"
	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Parser implements the library's Parser interface in Node's wire format, for other users of the
// library: give it to an emitter's options and what the emitter publishes is understood by Node
// nodes and by ours. Safe for concurrent use.
type Parser struct{ codec *wire.Codec }

var _ rtypes.Parser = (*Parser)(nil)

// NewParser returns a Parser for messages of up to 16 MiB and 255 binary values.
func NewParser() *Parser { return &Parser{wire.NewCodec(16<<20, msgpack.MaxAttachments)} }

var errParserType = errors.New("parser takes *types.RedisPacket, *types.RedisRequest and *types.RedisResponse")

// Encode encodes a *types.RedisPacket as a broadcast in MessagePack, a *types.RedisRequest or
// *types.RedisResponse as JSON.
func (p *Parser) Encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case *rtypes.RedisPacket:
		if v.Packet == nil {
			return nil, wire.ErrPacket
		}
		data, err := packetData(v.Packet)
		if err != nil {
			return nil, err
		}
		nsp := v.Packet.Nsp
		if nsp == "" {
			nsp = "/"
		}
		return classic.EncodeOnce(p.codec, string(v.Uid), nsp, data, adapter.DecodeOptions(v.Opts), false)
	case *rtypes.RedisRequest, *rtypes.RedisResponse:
		return wire.EncodeJSON(v)
	}
	return nil, fmt.Errorf("encode %T: %w", v, errParserType)
}

// Decode is the way back; v is a pointer to one of these types, or to a pointer to one. Arguments
// of an event become socketio.Payload values.
func (p *Parser) Decode(b []byte, v any) error {
	switch v := v.(type) {
	case **rtypes.RedisPacket:
		*v = &rtypes.RedisPacket{}
		return p.decodePacket(b, *v)
	case *rtypes.RedisPacket:
		return p.decodePacket(b, v)
	case **rtypes.RedisRequest, *rtypes.RedisRequest, **rtypes.RedisResponse, *rtypes.RedisResponse:
		if len(b) > 0 && b[0] != '{' {
			d := msgpack.Decoder{}
			if _, err := d.Value(b); err != nil {
				return err
			}
			b = d.Out
		}
		return json.Unmarshal(b, v)
	}
	return fmt.Errorf("decode into %T: %w", v, errParserType)
}

func (p *Parser) decodePacket(b []byte, to *rtypes.RedisPacket) error {
	uid, nsp, err := classic.EnvelopeOf(b)
	if err != nil {
		return err
	}
	msg, err := classic.DecodeBroadcast(p.codec, b, "", nsp, nil)
	if err != nil {
		return err
	}
	args, err := msg.Data.Elements()
	if err != nil {
		return err
	}
	data := make([]any, len(args))
	for i, a := range args {
		if data[i] = any(a); i == 0 {
			var name string
			if err := a.Decode(&name); err != nil {
				return wire.ErrEvent
			}
			data[0] = name
		}
	}
	to.Uid = adapter.ServerId(uid)
	to.Packet = &parser.Packet{Type: parser.EVENT, Nsp: nsp, Data: data}
	to.Opts = adapter.EncodeOptions(msg.Opts)
	return nil
}

// parsed is the classic wire with a parser of the application's for broadcasts.
type parsed struct {
	*classic.Format
	parser rtypes.Parser
}

// packet makes the message of a broadcast; the parser wants the packet, not its data.
func (w *parsed) packet(packet *parser.Packet, opts *socket.BroadcastOptions) (wire.Out, error) {
	b, err := w.parser.Encode(&rtypes.RedisPacket{Uid: adapter.ServerId(w.Uid), Packet: packet, Opts: adapter.EncodeOptions(opts)})
	return wire.Out{Channel: w.Channel(opts), Payload: b}, err
}

// Decode reads what packet of another instance wrote.
func (w *parsed) Decode(channel string, b []byte, reach wire.Reach) (wire.Received, error) {
	switch channel {
	case w.Names.Request, w.Names.Peers, w.Names.Response, w.Own:
		return w.Format.Decode(channel, b, reach)
	}
	if len(b) > w.Limit {
		return wire.Received{}, wire.ErrTooLarge
	}
	var p *rtypes.RedisPacket
	if err := w.parser.Decode(b, &p); err != nil {
		return wire.Received{}, err
	}
	switch {
	case p == nil || p.Packet == nil:
		return wire.Received{}, wire.ErrPacket
	case string(p.Uid) == w.Uid:
		return wire.Received{}, wire.ErrNotForUs
	case p.Packet.Nsp != w.Nsp && (p.Packet.Nsp != "" || w.Nsp != "/"):
		return wire.Received{}, wire.ErrNotForUs
	case p.Packet.Type != parser.EVENT && p.Packet.Type != parser.BINARY_EVENT:
		return wire.Received{}, wire.ErrPacket
	}
	data, err := packetData(p.Packet)
	if err != nil {
		return wire.Received{}, err
	}
	return wire.Received{Broadcast: &wire.Broadcast{Data: data, Opts: adapter.DecodeOptions(p.Opts)}}, nil
}
