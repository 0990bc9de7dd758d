package redisadapter

import (
	"slices"

	"github.com/tinylib/msgp/msgp"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/socketio"
)

// classic is the format of socket.io-redis 5.4 and @socket.io/redis-adapter 8 (its createAdapter).
type classic struct {
	*codec
	uid, nsp string
	names    namespaceChannels
	own      string // response channel of this instance
	specific bool   // answer generation 4 nodes on their own response channel
}

func newClassic(c *codec, key, nsp, uid string, specific bool) *classic {
	names := channelsOf(key, nsp)
	return &classic{codec: c, uid: uid, nsp: nsp, names: names, own: names.specific(uid), specific: specific}
}

func (w *classic) legacy() bool { return true }

func (w *classic) subscription() subscription {
	n := w.names
	return subscription{
		nsp: w.nsp, patterns: []string{n.pattern}, channels: []string{n.request, n.response, w.own, n.peers}, listeners: n.listeners(),
	}
}

func (n namespaceChannels) listeners() listeners {
	return listeners{all: n.request, modern: n.responsePattern(), ours: n.peers}
}

// needsCensus: each generation wants another form of a binary broadcast to rooms.
func (w *classic) needsCensus(data socketio.Payload, opts *socket.BroadcastOptions) bool {
	return len(data.Attachments) > 0 && hasRooms(opts)
}

func (w *classic) broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64, c census) ([]out, error) {
	channel := w.channel(opts)
	if w.needsCensus(data, opts) {
		b, err := encodeOnce(w.codec, w.uid, w.nsp, data, opts, c.legacyNodes() > 0 && c.node4() == 0)
		if err != nil {
			return nil, err
		}
		return []out{{channel: channel, payload: numbered(b, number)}}, nil
	}
	first, second, err := encodeBroadcast(w.codec, w.uid, w.nsp, data, opts)
	if err != nil {
		return nil, err
	}
	list := []out{{channel: channel, payload: numbered(first, number)}}
	if second != nil {
		list = append(list, out{channel: channel, payload: second})
	}
	return list, nil
}

// channel is the namespace's channel, or for a single room its own, which spares instances without
// that room the decoding.
func (w *classic) channel(opts *socket.BroadcastOptions) string {
	if opts != nil && opts.Rooms != nil && opts.Rooms.Len() == 1 {
		if keys := opts.Rooms.Keys(); len(keys) == 1 {
			return w.names.broadcast + string(keys[0]) + "#"
		}
	}
	return w.names.broadcast
}

func (w *classic) request(req *request) (out, error) { return w.json(w.names.request, req) }

func (w *classic) peers(req *request) (out, error) { return w.json(w.names.peers, req) }

// answer goes on the channel the asker listens to. Generation 2 nodes have only the common one.
func (w *classic) answer(req *request, r *response) (out, error) {
	channel := w.names.response
	if req.LegacyID != "" {
		r.LegacyID = req.LegacyID
	} else {
		r.RequestID = req.RequestID
		if (w.specific || req.Type == sessionRequest) && req.UID != "" {
			channel = w.names.specific(req.UID)
		}
	}
	return w.json(channel, r)
}

func (w *classic) json(channel string, v any) (out, error) {
	if req, ok := v.(*request); ok {
		req.UID = w.uid
	}
	b, err := encodeJSON(v)
	return out{channel: channel, payload: b}, err
}

// ackRequest: generation 2 nodes do not know such broadcasts. While there is one, only our own
// instances are asked; the clients of Node nodes get the event without being asked.
func (w *classic) ackRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c census) (list []out, unasked int, err error) {
	e := &encoder{}
	if err := w.codec.outline(e, data); err != nil {
		return nil, 0, err
	}
	binary := slices.ContainsFunc(e.Containers, isAttachment)
	req := ackRequestOf(id, w.nsp, data, opts)
	req.UID = w.uid
	var b message
	if binary {
		b, err = appendAckRequest(e, req, opts)
	} else {
		b, err = encodeJSON(req)
	}
	if err == nil && len(b) > w.codec.limit {
		err = errTooLarge
	}
	if err != nil {
		return nil, 0, err
	}
	if c.legacyNodes() == 0 && e.Depth <= nodeDepth {
		return []out{{channel: w.names.request, payload: b}}, 0, nil
	}
	list = append(list, out{channel: w.names.peers, payload: b})
	if e.Depth <= nodeDepth {
		plain, err := encodeForNodes(w.codec, w.uid, w.nsp, data, opts)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range plain {
			list = append(list, out{channel: w.channel(opts), payload: m})
		}
	}
	return list, c.legacyNodes() + c.node4(), nil
}

// appendAckRequest encodes a request with binary data, as a generation 4 node does.
func appendAckRequest(e *encoder, req *request, opts *socket.BroadcastOptions) (message, error) {
	if e.Depth > nodeDepth {
		return nil, msgpack.ErrTextDepth
	}
	e.Out = msgp.AppendMapHeader(nil, 5)
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "uid"), req.UID)
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "requestId"), req.RequestID)
	e.Out = msgp.AppendInt(msgp.AppendString(e.Out, "type"), int(req.Type))
	e.Out = msgp.AppendMapHeader(msgp.AppendString(e.Out, "packet"), 3)
	e.Out = msgp.AppendInt(msgp.AppendString(e.Out, "type"), typeEvent)
	e.Out = msgp.AppendString(e.Out, "data")
	e.AppendJSON(req.Packet.Data, req.attachments)
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "nsp"), req.Packet.Nsp)
	return appendOptions(msgp.AppendString(e.Out, "opts"), opts, false), nil
}

// ack passes on the first argument, there is no room for more in the protocol. Binary has to be
// MessagePack, which must not come near generation 2 nodes, so it takes the asker's own channel.
func (w *classic) ack(req *request, args []socketio.Payload) (out, error) {
	resp := &response{Type: typeOf(rtypes.BROADCAST_ACK)}
	if len(args) == 0 {
		return w.answer(req, resp)
	}
	e := &encoder{}
	if err := w.codec.outline(e, args[0]); err != nil {
		return out{}, err
	}
	if e.Depth > nodeDepth {
		return out{}, msgpack.ErrTextDepth
	}
	if !slices.ContainsFunc(e.Containers, isAttachment) {
		resp.Packet = args[0].JSON
		return w.answer(req, resp)
	}
	if req.UID == "" {
		var err error
		if resp.Packet, err = inlineBinary(args[0], w.codec.limit); err != nil {
			return out{}, err
		}
		return w.answer(req, resp)
	}
	e.Out = msgp.AppendMapHeader(nil, 3)
	e.Out = msgp.AppendInt(msgp.AppendString(e.Out, "type"), int(rtypes.BROADCAST_ACK))
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "requestId"), req.RequestID)
	e.Out = msgp.AppendString(e.Out, "packet")
	e.AppendJSON(args[0].JSON, args[0].Attachments)
	return out{channel: w.names.specific(req.UID), payload: e.Out}, nil
}

func (w *classic) decode(channel string, b []byte, wanted func(*socket.BroadcastOptions) bool) (received, error) {
	switch channel {
	case w.names.request, w.names.peers:
		req := &request{}
		attachments, err := decodeRequest(w.codec, b, req)
		if err != nil {
			return received{}, err
		}
		req.attachments = attachments
		return received{request: req}, nil
	case w.names.response, w.own:
		r := &response{}
		attachments, err := decodeRequest(w.codec, b, r)
		if err != nil {
			return received{}, err
		}
		r.attachments = attachments
		return received{response: r}, nil
	}
	msg, err := decodeBroadcast(w.codec, b, w.uid, w.nsp, wanted)
	if err != nil {
		return received{}, err
	}
	return received{broadcast: &msg}, nil
}

// decodeEntry: this format has no stream.
func (w *classic) decodeEntry(*entry, func(*socket.BroadcastOptions) bool) (received, error) {
	return received{}, errNotForUs
}
