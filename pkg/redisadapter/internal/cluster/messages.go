package cluster

import (
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// Messages are the cluster messages of an instance in a namespace. Modes Sharded and Streams have them in common; the formats of both
// embed it, and say what goes elsewhere.
type Messages struct {
	*wire.Codec
	UID, Nsp string
	Names    Channels
	Own      string // response channel of this instance
	Binary   bool   // all are MessagePack, not only those with binary data
}

// MessagesOf are those of the instance uid, on channels with these names.
func MessagesOf(c *wire.Codec, names Channels, nsp, uid string) Messages {
	return Messages{Codec: c, UID: uid, Nsp: nsp, Names: names, Own: names.Specific(uid)}
}

func (w *Messages) Legacy() bool { return false }

func (w *Messages) NeedsCensus(socketio.Payload, *socket.BroadcastOptions) bool { return false }

func (w *Messages) Subscription() wire.Subscription {
	n := w.Names
	return wire.Subscription{
		Nsp: w.Nsp, Own: w.Own, Channels: []string{n.Main, w.Own, n.Peers}, Listeners: wire.Listeners{All: n.Main, Ours: n.Peers},
	}
}

// publish makes a message for a channel, or for that of our own instances if Node could not bear it.
func (w *Messages) publish(m Message, channel string) (wire.Out, error) {
	b, deep, err := Encode(w.Codec, m, w.Binary)
	if deep {
		channel = w.Names.Peers
	}
	return wire.Out{Channel: channel, Payload: b}, err
}

// ToAll makes a message for all instances, or for our own if only they know its type.
func (w *Messages) ToAll(m Message) (wire.Out, error) {
	channel := w.Names.Main
	if m.Type == TypePeerRequest {
		channel = w.Names.Peers
	}
	return w.publish(m, channel)
}

func (w *Messages) Peers(req *wire.Request) (wire.Out, error) {
	b, err := wire.EncodeJSON(req)
	if err != nil {
		return wire.Out{}, err
	}
	data := socketio.Payload{JSON: b, Attachments: req.Attachments}
	return w.ToAll(Message{Type: TypePeerRequest, UID: w.UID, Nsp: w.Nsp, Data: data})
}

func (w *Messages) AckRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c wire.Census) (list []wire.Out, unasked int, err error) {
	it, err := w.ToAll(Broadcast(w.UID, w.Nsp, data, opts, id))
	if err != nil {
		return nil, 0, err
	}
	if it.Channel == w.Names.Peers {
		unasked = c.Node4()
	}
	return []wire.Out{it}, unasked, nil
}

// AnswerOn makes the answer to a request, for a channel that its sender listens to.
func (w *Messages) AnswerOn(channel string, req *wire.Request, r *wire.Response) (wire.Out, error) {
	m, err := ResponseOf(w.UID, w.Nsp, req, r)
	if err != nil {
		return wire.Out{}, err
	}
	return w.publish(m, channel)
}

// AckOf passes on the first argument, there is no room for more in the protocol.
func AckOf(args []socketio.Payload) *wire.Response {
	r := &wire.Response{Type: wire.TypeOf(rtypes.BROADCAST_ACK)}
	if len(args) > 0 {
		r.Packet, r.Attachments = args[0].JSON, args[0].Attachments
	}
	return r
}

func (w *Messages) Decode(_ string, b []byte, reach wire.Reach) (wire.Received, error) {
	m, err := Decode(w.Codec, b)
	if err != nil {
		return wire.Received{}, err
	}
	return m.Received(w.UID, w.Nsp, reach)
}
