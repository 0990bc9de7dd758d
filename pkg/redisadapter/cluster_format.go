package redisadapter

import (
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// clusterFormat is the format of createShardedAdapter of @socket.io/redis-adapter 8.3: cluster messages
// on the channels of clusterChannels.
type clusterFormat struct {
	*codec
	uid, nsp string
	names    clusterChannels
	own      string // response channel of this instance
	slots    bool   // channels of different slots are at different servers
}

// newCluster makes the format of an instance; uid should be one of adapterID.
func newClusterFormat(c *codec, key, nsp, uid string, slots bool) *clusterFormat {
	names := clusterChannelsOf(key, nsp)
	return &clusterFormat{codec: c, uid: uid, nsp: nsp, names: names, own: names.specific(uid), slots: slots}
}

// clusterChannels are the channels of a namespace in mode sharded. Names of Node's adapter are
// given; ours are chosen to be in the slot of main, so that one server of a Redis Cluster has them
// all, in order.
type clusterChannels struct {
	main  string // "socket.io#/chat#"; that and "uid#" is the response channel of one instance, that and "room#" carries Node's broadcasts to one room
	peers string // "socket.io-peers#/chat#n#": our own instances only
}

func clusterChannelsOf(key, nsp string) clusterChannels {
	main := key + "#" + nsp + "#"
	return clusterChannels{main: main, peers: nameInSlot(key+"-peers#"+nsp+"#", slotOf(main))}
}

// specific is the response channel of one instance.
func (n clusterChannels) specific(uid string) string { return n.main + uid + "#" }

// answers is where an answer for the instance uid goes. In a Redis Cluster the response channel of a
// Node node is anywhere; an answer on the main channel reaches it as well, and everybody else passes
// over it.
func (w *clusterFormat) answers(uid string) string {
	own := w.names.specific(uid)
	if w.slots && slotOf(own) != slotOf(w.names.main) {
		return w.names.main
	}
	return own
}

func (w *clusterFormat) legacy() bool { return false }

func (w *clusterFormat) subscription() subscription {
	n := w.names
	return subscription{
		nsp: w.nsp, channels: []string{n.main, w.own, n.peers}, listeners: listeners{all: n.main, ours: n.peers},
	}
}

// broadcast goes to all instances, also one to a single room, which Node's adapter gives a channel
// of its own: in a Redis Cluster that is another server, and order would be lost.
func (w *clusterFormat) broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64, _ census) ([]out, error) {
	it, err := w.to(clusterBroadcast(w.uid, w.nsp, data, opts, "").numbered(number), w.names.main)
	if err != nil {
		return nil, err
	}
	return []out{it}, nil
}

// to makes a publish of m on channel, or on that of our own instances if Node could not bear m.
func (w *clusterFormat) to(m clusterMessage, channel string) (out, error) {
	b, deep, err := encodeCluster(w.codec, m, false)
	if deep {
		channel = w.names.peers
	}
	return out{channel: channel, payload: b}, err
}

func (w *clusterFormat) request(req *request) (out, error) {
	m, err := clusterRequest(w.uid, w.nsp, req)
	if err != nil {
		return out{}, err
	}
	channel := w.names.main
	if m.Type == clusterPeerRequest {
		channel = w.names.peers
	}
	return w.to(m, channel)
}

func (w *clusterFormat) peers(req *request) (out, error) {
	b, err := encodeJSON(req)
	if err != nil {
		return out{}, err
	}
	return w.to(clusterMessage{
		Type: clusterPeerRequest, UID: w.uid, Nsp: w.nsp, Data: socketio.Payload{JSON: b, Attachments: req.attachments},
	}, w.names.peers)
}

func (w *clusterFormat) ackRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c census) (list []out, unasked int, err error) {
	it, err := w.to(clusterBroadcast(w.uid, w.nsp, data, opts, id), w.names.main)
	if err != nil {
		return nil, 0, err
	}
	if it.channel == w.names.peers {
		unasked = c.node4()
	}
	return []out{it}, unasked, nil
}

func (w *clusterFormat) answer(req *request, r *response) (out, error) {
	m, err := clusterResponse(w.uid, w.nsp, req, r)
	if err != nil {
		return out{}, err
	}
	return w.to(m, w.answers(req.UID))
}

// ack passes on the first argument, there is no room for more in the protocol.
func (w *clusterFormat) ack(req *request, args []socketio.Payload) (out, error) {
	r := &response{Type: typeOf(rtypes.BROADCAST_ACK)}
	if len(args) > 0 {
		r.Packet, r.attachments = args[0].JSON, args[0].Attachments
	}
	return w.answer(req, r)
}

func (w *clusterFormat) decode(_ string, b []byte, wanted func(*socket.BroadcastOptions) bool) (received, error) {
	m, err := decodeCluster(w.codec, b)
	if err != nil {
		return received{}, err
	}
	return m.received(w.uid, w.nsp, wanted)
}

// decodeEntry: this format has no stream.
func (w *clusterFormat) decodeEntry(*entry, func(*socket.BroadcastOptions) bool) (received, error) {
	return received{}, errNotForUs
}

func (w *clusterFormat) needsCensus(socketio.Payload, *socket.BroadcastOptions) bool { return false }

// isAnswer tells the types of answers. Node's nodes may send them on any channel, too.
func isAnswer(t adapter.MessageType) bool {
	switch t {
	case clusterFetched, clusterServerSideDone, clusterClientCount, clusterAck, clusterPeerAnswer:
		return true
	}
	return false
}

// received reads what a message says to the instance uid in nsp.
func (m *clusterMessage) received(uid, nsp string, wanted func(*socket.BroadcastOptions) bool) (received, error) {
	switch {
	case m.UID == uid || m.Nsp != nsp:
		return received{}, errNotForUs
	case m.Type == clusterHeartbeat1 || m.Type == clusterHeartbeat2 || m.Type == clusterClose:
		return received{}, errNotForUs
	case m.Type == clusterBroadcastType:
		return m.broadcast(wanted)
	case isAnswer(m.Type):
		r, err := m.response()
		if err != nil {
			return received{}, err
		}
		return received{response: r}, nil
	}
	req, err := m.request()
	if err != nil {
		return received{}, err
	}
	return received{request: req}, nil
}
