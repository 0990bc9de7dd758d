package redisadapter

import (
	"slices"

	"github.com/tinylib/msgp/msgp"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/socketio"
)

// classic is the wire of socket.io-redis 5.4 and @socket.io/redis-adapter 8 (its createAdapter), see
// codec_message.go and request.go.
type classic struct {
	a     *Adapter
	names namespaceChannels
	own   string // response channel of this instance
}

func newClassic(a *Adapter) *classic {
	names := channelsOf(a.hub.cfg.key, a.nsp)
	return &classic{a: a, names: names, own: names.specific(string(a.uid))}
}

func (w *classic) legacy() bool { return true }

func (w *classic) subscription() subscription {
	n := w.names
	return subscription{
		nsp: w.a.nsp, patterns: []string{n.pattern}, channels: []string{n.request, n.response, w.own, n.peers}, listeners: n.listeners(),
	}
}

func (n namespaceChannels) listeners() listeners {
	return listeners{all: n.request, modern: n.responsePattern(), ours: n.peers}
}

func (w *classic) codec() *codec { return w.a.hub.codec }

func (w *classic) broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64) ([]item, error) {
	if len(data.Attachments) > 0 && hasRooms(opts) {
		return []item{w.binaryToRooms(data, opts, number)}, nil
	}
	first, second, err := w.codec().encodeBroadcast(string(w.a.uid), w.a.nsp, data, opts)
	if err != nil {
		return nil, err
	}
	channel := w.channel(opts)
	first = numbered(first, number)
	if second != nil {
		return []item{{channel: channel, payload: first}, {channel: channel, payload: second}}, nil
	}
	return []item{{channel: channel, payload: first}}, nil
}

// binaryToRooms asks which generations are there, since each wants another form.
func (w *classic) binaryToRooms(data socketio.Payload, opts *socket.BroadcastOptions, number uint64) item {
	return item{ask: &question{of: w.names.listeners(), answered: func(c census, err error) []item {
		var b message
		if err == nil {
			b, err = w.codec().encodeOnce(string(w.a.uid), w.a.nsp, data, opts, c.legacy() > 0 && c.node4() == 0)
		}
		if err != nil {
			w.a.hub.drop(item{}, err)
			return nil
		}
		return []item{{channel: w.channel(opts), payload: numbered(b, number)}}
	}}}
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

func (w *classic) request(req *request) (item, error) { return w.json(w.names.request, req) }

func (w *classic) peers(req *request) (item, error) { return w.json(w.names.peers, req) }

// answer goes on the channel the asker listens to. Generation 2 nodes have only the common one.
func (w *classic) answer(req *request, r *response) (item, error) {
	channel := w.names.response
	if req.LegacyID != "" {
		r.LegacyID = req.LegacyID
	} else {
		r.RequestID = req.RequestID
		if (w.a.specific || req.Type == sessionRequest) && req.UID != "" {
			channel = w.names.specific(req.UID)
		}
	}
	return w.json(channel, r)
}

func (w *classic) json(channel string, v any) (item, error) {
	if req, ok := v.(*request); ok {
		req.UID = string(w.a.uid)
	}
	b, err := encodeJSON(v)
	return item{channel: channel, payload: b}, err
}

// ackRequest: generation 2 nodes do not know such broadcasts. While there is one, only our own
// instances are asked; the clients of Node nodes get the event without being asked.
func (w *classic) ackRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c census) (list []item, unasked int, err error) {
	e := &encoder{}
	if err := w.codec().outline(e, data); err != nil {
		return nil, 0, err
	}
	binary := slices.ContainsFunc(e.Containers, isAttachment)
	req := ackRequestOf(id, w.a.nsp, data, opts)
	req.UID = string(w.a.uid)
	var b message
	if binary {
		b, err = e.appendAckRequest(req, opts)
	} else {
		b, err = encodeJSON(req)
	}
	if err == nil && len(b) > w.codec().limit {
		err = errTooLarge
	}
	if err != nil {
		return nil, 0, err
	}
	if c.legacy() == 0 && e.Depth <= nodeDepth {
		return []item{{channel: w.names.request, payload: b}}, 0, nil
	}
	list = append(list, item{channel: w.names.peers, payload: b})
	if e.Depth <= nodeDepth {
		plain, err := w.codec().encodeForNodes(string(w.a.uid), w.a.nsp, data, opts)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range plain {
			list = append(list, item{channel: w.channel(opts), payload: m})
		}
	}
	return list, c.legacy() + c.node4(), nil
}

// appendAckRequest encodes a request with binary data, as a generation 4 node does.
func (e *encoder) appendAckRequest(req *request, opts *socket.BroadcastOptions) (message, error) {
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
func (w *classic) ack(req *request, args []socketio.Payload) (item, error) {
	resp := &response{Type: typeOf(rtypes.BROADCAST_ACK)}
	if len(args) == 0 {
		return w.answer(req, resp)
	}
	e := &encoder{}
	if err := w.codec().outline(e, args[0]); err != nil {
		return item{}, err
	}
	if e.Depth > nodeDepth {
		return item{}, msgpack.ErrTextDepth
	}
	if !slices.ContainsFunc(e.Containers, isAttachment) {
		resp.Packet = args[0].JSON
		return w.answer(req, resp)
	}
	if req.UID == "" {
		var err error
		if resp.Packet, err = inlineBinary(args[0], w.codec().limit); err != nil {
			return item{}, err
		}
		return w.answer(req, resp)
	}
	e.Out = msgp.AppendMapHeader(nil, 3)
	e.Out = msgp.AppendInt(msgp.AppendString(e.Out, "type"), int(rtypes.BROADCAST_ACK))
	e.Out = msgp.AppendString(msgp.AppendString(e.Out, "requestId"), req.RequestID)
	e.Out = msgp.AppendString(e.Out, "packet")
	e.AppendJSON(args[0].JSON, args[0].Attachments)
	return item{channel: w.names.specific(req.UID), payload: e.Out}, nil
}

func (w *classic) receive(channel string, b []byte) error {
	switch channel {
	case w.names.request, w.names.peers:
		var req request
		attachments, err := w.codec().decodeRequest(b, &req)
		if err != nil {
			return err
		}
		req.attachments = attachments
		return w.a.receiveRequest(&req)
	case w.names.response, w.own:
		var r response
		attachments, err := w.codec().decodeRequest(b, &r)
		if err != nil {
			return err
		}
		r.attachments = attachments
		return w.a.receiveResponse(&r)
	}
	msg, err := w.codec().decodeBroadcast(b, string(w.a.uid), w.a.nsp)
	if err != nil {
		return err
	}
	if w.a.Recovers() {
		msg.from, msg.number = numberOf(b)
	}
	w.a.receiveBroadcast(msg)
	return nil
}
