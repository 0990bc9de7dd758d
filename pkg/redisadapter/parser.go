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
)

// Parser implements the library's Parser interface in Node's wire format, for other users of the
// library: give it to an emitter's options and what the emitter publishes is understood by Node
// nodes and by ours. Safe for concurrent use.
type Parser struct{ codec *codec }

var _ rtypes.Parser = (*Parser)(nil)

// NewParser returns a Parser for messages of up to 16 MiB and 255 binary values.
func NewParser() *Parser { return &Parser{newCodec(16<<20, msgpack.MaxAttachments)} }

var errParserType = errors.New("parser takes *types.RedisPacket, *types.RedisRequest and *types.RedisResponse")

// Encode encodes a *types.RedisPacket as a broadcast in MessagePack, a *types.RedisRequest or
// *types.RedisResponse as JSON.
func (p *Parser) Encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case *rtypes.RedisPacket:
		if v.Packet == nil {
			return nil, errPacket
		}
		data, err := packetData(v.Packet)
		if err != nil {
			return nil, err
		}
		nsp := v.Packet.Nsp
		if nsp == "" {
			nsp = "/"
		}
		return encodeOnce(p.codec, string(v.Uid), nsp, data, adapter.DecodeOptions(v.Opts), false)
	case *rtypes.RedisRequest, *rtypes.RedisResponse:
		return encodeJSON(v)
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
	uid, nsp, err := envelopeOf(b)
	if err != nil {
		return err
	}
	msg, err := decodeBroadcast(p.codec, b, "", nsp, nil)
	if err != nil {
		return err
	}
	args, err := msg.data.Elements()
	if err != nil {
		return err
	}
	data := make([]any, len(args))
	for i, a := range args {
		if data[i] = any(a); i == 0 {
			var name string
			if err := a.Decode(&name); err != nil {
				return errEvent
			}
			data[0] = name
		}
	}
	to.Uid = adapter.ServerId(uid)
	to.Packet = &parser.Packet{Type: parser.EVENT, Nsp: nsp, Data: data}
	to.Opts = adapter.EncodeOptions(msg.opts)
	return nil
}

// parsed is the classic wire with a parser of the application's for broadcasts.
type parsed struct {
	*classic
	parser rtypes.Parser
}

// packet makes the message of a broadcast; the parser wants the packet, not its data.
func (w *parsed) packet(packet *parser.Packet, opts *socket.BroadcastOptions) (out, error) {
	b, err := w.parser.Encode(&rtypes.RedisPacket{Uid: adapter.ServerId(w.uid), Packet: packet, Opts: adapter.EncodeOptions(opts)})
	return out{channel: w.channel(opts), payload: b}, err
}

// decode reads what packet of another instance wrote.
func (w *parsed) decode(channel string, b []byte, wanted func(*socket.BroadcastOptions) bool) (received, error) {
	switch channel {
	case w.names.request, w.names.peers, w.names.response, w.own:
		return w.classic.decode(channel, b, wanted)
	}
	if len(b) > w.limit {
		return received{}, errTooLarge
	}
	var p *rtypes.RedisPacket
	if err := w.parser.Decode(b, &p); err != nil {
		return received{}, err
	}
	switch {
	case p == nil || p.Packet == nil:
		return received{}, errPacket
	case string(p.Uid) == w.uid:
		return received{}, errNotForUs
	case p.Packet.Nsp != w.nsp && (p.Packet.Nsp != "" || w.nsp != "/"):
		return received{}, errNotForUs
	case p.Packet.Type != parser.EVENT && p.Packet.Type != parser.BINARY_EVENT:
		return received{}, errPacket
	}
	data, err := packetData(p.Packet)
	if err != nil {
		return received{}, err
	}
	return received{broadcast: &broadcast{data: data, opts: adapter.DecodeOptions(p.Opts)}}, nil
}
