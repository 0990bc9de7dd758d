package classic

import (
	"slices"
	"strings"

	"github.com/tinylib/msgp/msgp"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// Format is the format of socket.io-redis 5.4 and @socket.io/redis-adapter 8 (its createAdapter).
type Format struct {
	*wire.Codec
	Uid, Nsp string
	Names    namespaceChannels
	Own      string // response channel of this instance
	specific bool   // answer generation 4 nodes on their own response channel
}

func New(c *wire.Codec, key, nsp, uid string, specific bool) *Format {
	names := ChannelsOf(key, nsp)
	return &Format{Codec: c, Uid: uid, Nsp: nsp, Names: names, Own: names.specific(uid), specific: specific}
}

func (w *Format) Legacy() bool { return true }

func (w *Format) Subscription() wire.Subscription {
	n := w.Names
	return wire.Subscription{
		Nsp: w.Nsp, Own: w.Own, Patterns: []string{n.pattern}, Channels: []string{n.Request, n.Response, w.Own, n.Peers}, Listeners: n.listeners(),
	}
}

func (n namespaceChannels) listeners() wire.Listeners {
	return wire.Listeners{All: n.Request, Modern: n.responsePattern(), Ours: n.Peers}
}

// NeedsCensus: each generation wants another form of a binary broadcast to rooms.
func (w *Format) NeedsCensus(data socketio.Payload, opts *socket.BroadcastOptions) bool {
	return len(data.Attachments) > 0 && wire.HasRooms(opts)
}

func (w *Format) Broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64, c wire.Census) ([]wire.Out, error) {
	channel := w.Channel(opts)
	if w.NeedsCensus(data, opts) {
		b, err := EncodeOnce(w.Codec, w.Uid, w.Nsp, data, opts, c.LegacyNodes() > 0 && c.Node4() == 0)
		if err != nil {
			return nil, err
		}
		return []wire.Out{{Channel: channel, Payload: Numbered(b, number)}}, nil
	}
	first, second, err := EncodeBroadcast(w.Codec, w.Uid, w.Nsp, data, opts)
	if err != nil {
		return nil, err
	}
	list := []wire.Out{{Channel: channel, Payload: Numbered(first, number)}}
	if second != nil {
		list = append(list, wire.Out{Channel: channel, Payload: second})
	}
	return list, nil
}

// Channel is the namespace's channel, or for a single room its own, which spares instances without
// that room the decoding.
func (w *Format) Channel(opts *socket.BroadcastOptions) string {
	if opts != nil && opts.Rooms != nil && opts.Rooms.Len() == 1 {
		if keys := opts.Rooms.Keys(); len(keys) == 1 {
			return w.Names.broadcast + string(keys[0]) + "#"
		}
	}
	return w.Names.broadcast
}

// room is the room that a channel is for, "" for the namespace's own.
func (w *Format) room(channel string) socket.Room {
	room, _ := strings.CutPrefix(channel, w.Names.broadcast)
	return socket.Room(strings.TrimSuffix(room, "#"))
}

func (w *Format) Request(req *wire.Request) (wire.Out, error) { return w.json(w.Names.Request, req) }

func (w *Format) Peers(req *wire.Request) (wire.Out, error) { return w.json(w.Names.Peers, req) }

// Answer goes on the channel the asker listens to. Generation 2 nodes have only the common one.
func (w *Format) Answer(req *wire.Request, r *wire.Response) (wire.Out, error) {
	channel := w.Names.Response
	if req.LegacyID != "" {
		r.LegacyID = wire.ID(req.LegacyID)
	} else {
		r.RequestID = wire.ID(req.RequestID)
		if (w.specific || req.Type == wire.SessionRequest) && req.UID != "" {
			channel = w.Names.specific(req.UID)
		}
	}
	return w.json(channel, r)
}

func (w *Format) json(channel string, v any) (wire.Out, error) {
	if req, ok := v.(*wire.Request); ok {
		req.UID = w.Uid
	}
	b, err := wire.EncodeJSON(v)
	return wire.Out{Channel: channel, Payload: b}, err
}

// AckRequest: generation 2 nodes do not know such broadcasts. While there is one, only our own
// instances are asked; the clients of Node nodes get the event without being asked.
func (w *Format) AckRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c wire.Census) (list []wire.Out, unasked int, err error) {
	e := &wire.Encoder{}
	if err := w.Codec.Outline(e, data); err != nil {
		return nil, 0, err
	}
	binary := slices.ContainsFunc(e.Containers, wire.IsAttachment)
	req := wire.AckRequestOf(id, w.Nsp, data, opts)
	req.UID = w.Uid
	var b wire.Message
	if binary {
		b, err = appendAckRequest(e, req, opts)
	} else {
		b, err = wire.EncodeJSON(req)
	}
	if err == nil && len(b) > w.Codec.Limit {
		err = wire.ErrTooLarge
	}
	if err != nil {
		return nil, 0, err
	}
	if c.LegacyNodes() == 0 && e.Depth <= wire.NodeDepth {
		return []wire.Out{{Channel: w.Names.Request, Payload: b}}, 0, nil
	}
	list = append(list, wire.Out{Channel: w.Names.Peers, Payload: b})
	if e.Depth <= wire.NodeDepth {
		plain, err := encodeForNodes(w.Codec, w.Uid, w.Nsp, data, opts)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range plain {
			list = append(list, wire.Out{Channel: w.Channel(opts), Payload: m})
		}
	}
	return list, c.LegacyNodes() + c.Node4(), nil
}

// appendAckRequest encodes a request with binary data, as a generation 4 node does.
func appendAckRequest(e *wire.Encoder, req *wire.Request, opts *socket.BroadcastOptions) (wire.Message, error) {
	if e.Depth > wire.NodeDepth {
		return nil, wire.ErrNodeDepth
	}
	e.Out = msgp.AppendMapHeader(nil, 5)
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "uid"), req.UID)
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "requestId"), req.RequestID)
	e.Out = msgp.AppendInt(msgp.AppendString(e.Out, "type"), int(req.Type))
	e.Out = msgp.AppendMapHeader(msgp.AppendString(e.Out, "packet"), 3)
	e.Out = msgp.AppendInt(msgp.AppendString(e.Out, "type"), wire.TypeEvent)
	e.Out = msgp.AppendString(e.Out, "data")
	e.AppendJSON(req.Packet.Data, req.Attachments)
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "nsp"), req.Packet.Nsp)
	return appendOptions(msgp.AppendString(e.Out, "opts"), opts, false), nil
}

// Ack passes on the first argument, there is no room for more in the protocol. Binary has to be
// MessagePack, which must not come near generation 2 nodes, so it takes the asker's own channel.
func (w *Format) Ack(req *wire.Request, args []socketio.Payload) (wire.Out, error) {
	resp := &wire.Response{Type: wire.TypeOf(rtypes.BROADCAST_ACK)}
	if len(args) == 0 {
		return w.Answer(req, resp)
	}
	e := &wire.Encoder{}
	if err := w.Codec.Outline(e, args[0]); err != nil {
		return wire.Out{}, err
	}
	if e.Depth > wire.NodeDepth {
		return wire.Out{}, wire.ErrNodeDepth
	}
	if !slices.ContainsFunc(e.Containers, wire.IsAttachment) {
		resp.Packet = args[0].JSON
		return w.Answer(req, resp)
	}
	if req.UID == "" {
		var err error
		if resp.Packet, err = wire.InlineBinary(args[0], w.Codec.Limit); err != nil {
			return wire.Out{}, err
		}
		return w.Answer(req, resp)
	}
	e.Out = msgp.AppendMapHeader(nil, 3)
	e.Out = msgp.AppendInt(msgp.AppendString(e.Out, "type"), int(rtypes.BROADCAST_ACK))
	e.Out = wire.ID(req.RequestID).Append(msgp.AppendString(e.Out, "requestId"))
	e.Out = msgp.AppendString(e.Out, "packet")
	e.AppendJSON(args[0].JSON, args[0].Attachments)
	return wire.Out{Channel: w.Names.specific(req.UID), Payload: e.Out}, nil
}

func (w *Format) Decode(channel string, b []byte, reach wire.Reach) (wire.Received, error) {
	switch channel {
	case w.Names.Request, w.Names.Peers:
		req := &wire.Request{}
		attachments, err := wire.DecodeRequest(w.Codec, b, req)
		if err != nil {
			return wire.Received{}, err
		}
		req.Attachments = attachments
		return wire.Received{Request: req}, nil
	case w.Names.Response, w.Own:
		r := &wire.Response{}
		attachments, err := wire.DecodeRequest(w.Codec, b, r)
		if err != nil {
			return wire.Received{}, err
		}
		r.Attachments = attachments
		return wire.Received{Response: r}, nil
	}
	if room := w.room(channel); room != "" && reach != nil && !reach(room) {
		return wire.Received{}, wire.ErrNobodyHere
	}
	msg, err := DecodeBroadcast(w.Codec, b, w.Uid, w.Nsp, reach)
	if err != nil {
		return wire.Received{}, err
	}
	return wire.Received{Broadcast: &msg}, nil
}

// DecodeEntry: this format has no stream.
func (w *Format) DecodeEntry(*wire.Entry, wire.Reach) (wire.Received, error) {
	return wire.Received{}, wire.ErrNotForUs
}
