package cluster

import (
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// clusterFormat is the format of createShardedAdapter of @socket.io/redis-adapter 8.3: cluster messages
// on the channels of clusterChannels.
type clusterFormat struct {
	*wire.Codec
	uid, nsp string
	Names    Channels
	own      string // response channel of this instance
	slots    bool   // channels of different slots are at different servers
}

// newCluster makes the format of an instance; uid should be one of adapterID.
func New(c *wire.Codec, key, nsp, uid string, slots bool) *clusterFormat {
	names := ChannelsOf(key, nsp)
	return &clusterFormat{Codec: c, uid: uid, nsp: nsp, Names: names, own: names.Specific(uid), slots: slots}
}

// Channels are the channels of a namespace in mode sharded. Names of Node's adapter are
// given; ours are chosen to be in the slot of main, so that one server of a Redis Cluster has them
// All, in order.
type Channels struct {
	Main  string // "socket.io#/chat#"; that and "uid#" is the response channel of one instance, that and "room#" carries Node's broadcasts to one room
	Peers string // "socket.io-peers#/chat#n#": our own instances only
}

func ChannelsOf(key, nsp string) Channels {
	main := key + "#" + nsp + "#"
	return Channels{Main: main, Peers: NameInSlot(key+"-peers#"+nsp+"#", SlotOf(main))}
}

// Specific is the response channel of one instance.
func (n Channels) Specific(uid string) string { return n.Main + uid + "#" }

// answers is where an answer for the instance uid goes. In a Redis Cluster the response channel of a
// Node node is anywhere; an answer on the main channel reaches it as well, and everybody else passes
// over it.
func (w *clusterFormat) answers(uid string) string {
	own := w.Names.Specific(uid)
	if w.slots && SlotOf(own) != SlotOf(w.Names.Main) {
		return w.Names.Main
	}
	return own
}

func (w *clusterFormat) Legacy() bool { return false }

func (w *clusterFormat) Subscription() wire.Subscription {
	n := w.Names
	return wire.Subscription{
		Nsp: w.nsp, Own: w.own, Channels: []string{n.Main, w.own, n.Peers}, Listeners: wire.Listeners{All: n.Main, Ours: n.Peers},
	}
}

// Broadcast goes to all instances, also one to a single room, which Node's adapter gives a channel
// of its own: in a Redis Cluster that is another server, and order would be lost.
func (w *clusterFormat) Broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64, _ wire.Census) ([]wire.Out, error) {
	it, err := w.to(Broadcast(w.uid, w.nsp, data, opts, "").Numbered(number), w.Names.Main)
	if err != nil {
		return nil, err
	}
	return []wire.Out{it}, nil
}

// to makes a publish of m on channel, or on that of our own instances if Node could not bear m.
func (w *clusterFormat) to(m Message, channel string) (wire.Out, error) {
	b, deep, err := Encode(w.Codec, m, false)
	if deep {
		channel = w.Names.Peers
	}
	return wire.Out{Channel: channel, Payload: b}, err
}

func (w *clusterFormat) Request(req *wire.Request) (wire.Out, error) {
	m, err := RequestOf(w.uid, w.nsp, req)
	if err != nil {
		return wire.Out{}, err
	}
	channel := w.Names.Main
	if m.Type == TypePeerRequest {
		channel = w.Names.Peers
	}
	return w.to(m, channel)
}

func (w *clusterFormat) Peers(req *wire.Request) (wire.Out, error) {
	b, err := wire.EncodeJSON(req)
	if err != nil {
		return wire.Out{}, err
	}
	return w.to(Message{
		Type: TypePeerRequest, UID: w.uid, Nsp: w.nsp, Data: socketio.Payload{JSON: b, Attachments: req.Attachments},
	}, w.Names.Peers)
}

func (w *clusterFormat) AckRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c wire.Census) (list []wire.Out, unasked int, err error) {
	it, err := w.to(Broadcast(w.uid, w.nsp, data, opts, id), w.Names.Main)
	if err != nil {
		return nil, 0, err
	}
	if it.Channel == w.Names.Peers {
		unasked = c.Node4()
	}
	return []wire.Out{it}, unasked, nil
}

func (w *clusterFormat) Answer(req *wire.Request, r *wire.Response) (wire.Out, error) {
	m, err := ResponseOf(w.uid, w.nsp, req, r)
	if err != nil {
		return wire.Out{}, err
	}
	return w.to(m, w.answers(req.UID))
}

// Ack passes on the first argument, there is no room for more in the protocol.
func (w *clusterFormat) Ack(req *wire.Request, args []socketio.Payload) (wire.Out, error) {
	r := &wire.Response{Type: wire.TypeOf(rtypes.BROADCAST_ACK)}
	if len(args) > 0 {
		r.Packet, r.Attachments = args[0].JSON, args[0].Attachments
	}
	return w.Answer(req, r)
}

func (w *clusterFormat) Decode(_ string, b []byte, reach wire.Reach) (wire.Received, error) {
	m, err := Decode(w.Codec, b)
	if err != nil {
		return wire.Received{}, err
	}
	return m.Received(w.uid, w.nsp, reach)
}

// DecodeEntry: this format has no stream.
func (w *clusterFormat) DecodeEntry(*wire.Entry, wire.Reach) (wire.Received, error) {
	return wire.Received{}, wire.ErrNotForUs
}

func (w *clusterFormat) NeedsCensus(socketio.Payload, *socket.BroadcastOptions) bool { return false }

// isAnswer tells the types of answers. Node's nodes may send them on any channel, too.
func isAnswer(t adapter.MessageType) bool {
	switch t {
	case clusterFetched, clusterServerSideDone, clusterClientCount, clusterAck, clusterPeerAnswer:
		return true
	}
	return false
}

// Received reads what a message says to the instance uid in nsp.
func (m *Message) Received(uid, nsp string, reach wire.Reach) (wire.Received, error) {
	switch {
	case m.UID == uid || m.Nsp != nsp:
		return wire.Received{}, wire.ErrNotForUs
	case m.Type == clusterHeartbeat1 || m.Type == clusterHeartbeat2 || m.Type == clusterClose:
		return wire.Received{}, wire.ErrNotForUs
	case m.Type == clusterBroadcastType:
		return m.broadcast(reach)
	case isAnswer(m.Type):
		r, err := m.response()
		if err != nil {
			return wire.Received{}, err
		}
		return wire.Received{Response: r}, nil
	}
	req, err := m.request()
	if err != nil {
		return wire.Received{}, err
	}
	return wire.Received{Request: req}, nil
}
