package cluster

import (
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// clusterFormat is the format of createShardedAdapter of @socket.io/redis-adapter 8.3: cluster messages
// on the channels of ChannelsOf.
type clusterFormat struct {
	Messages
	slots bool // channels of different slots are at different servers
}

// New makes the format of an instance; uid should be one of adapterID.
func New(c *wire.Codec, key, nsp, uid string, slots bool) *clusterFormat {
	return &clusterFormat{MessagesOf(c, ChannelsOf(key, nsp), nsp, uid), slots}
}

// Channels are the channels of a namespace.
type Channels struct {
	Main  string // "socket.io#/chat#"; that and "uid#" is the response channel of one instance, that and "room#" carries Node's broadcasts to one room
	Peers string // "socket.io-peers#/chat#n#": our own instances only
}

// ChannelsOf are those of mode Sharded. The names of Node's adapter are given; ours are chosen to be in the slot of main, so that one
// server of a Redis Cluster has them all, in order.
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

// Broadcast goes to all instances, also one to a single room, which Node's adapter gives a channel
// of its own: in a Redis Cluster that is another server, and order would be lost.
func (w *clusterFormat) Broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64, _ wire.Census) ([]wire.Out, error) {
	it, err := w.ToAll(Broadcast(w.UID, w.Nsp, data, opts, "").Numbered(number))
	if err != nil {
		return nil, err
	}
	return []wire.Out{it}, nil
}

func (w *clusterFormat) Request(req *wire.Request) (wire.Out, error) {
	m, err := RequestOf(w.UID, w.Nsp, req)
	if err != nil {
		return wire.Out{}, err
	}
	return w.ToAll(m)
}

func (w *clusterFormat) Answer(req *wire.Request, r *wire.Response) (wire.Out, error) {
	return w.AnswerOn(w.answers(req.UID), req, r)
}

func (w *clusterFormat) Ack(req *wire.Request, args []socketio.Payload) (wire.Out, error) {
	return w.Answer(req, AckOf(args))
}

// DecodeEntry: this format has no stream.
func (w *clusterFormat) DecodeEntry(*wire.Entry, wire.Reach) (wire.Received, error) {
	return wire.Received{}, wire.ErrNotForUs
}

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
