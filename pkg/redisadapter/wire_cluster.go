package redisadapter

import (
	"slices"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// clusterWire is the wire of createShardedAdapter of @socket.io/redis-adapter 8.3: cluster messages
// on the channels of clusterChannels.
type clusterWire struct {
	a     *Adapter
	names clusterChannels
	own   string // response channel of this instance
	slots bool   // channels of different slots are at different servers
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
func (w *clusterWire) answers(uid string) string {
	own := w.names.specific(uid)
	if w.slots && slotOf(own) != slotOf(w.names.main) {
		return w.names.main
	}
	return own
}

// newClusterWire makes the wire of an Adapter, whose id it replaces by one that puts its response
// channel into the slot of the main one.
func newClusterWire(a *Adapter, slots bool) *clusterWire {
	w := &clusterWire{a: a, names: clusterChannelsOf(a.hub.cfg.key, a.nsp), slots: slots}
	a.uid = adapterID(w.names)
	w.own = w.names.specific(string(a.uid))
	return w
}

func (w *clusterWire) legacy() bool { return false }

func (w *clusterWire) subscription() subscription {
	n := w.names
	return subscription{
		nsp: w.a.nsp, channels: []string{n.main, w.own, n.peers}, listeners: listeners{all: n.main, ours: n.peers},
	}
}

func (w *clusterWire) codec() *codec { return w.a.hub.codec }

// broadcast goes to all instances, also one to a single room, which Node's adapter gives a channel
// of its own: in a Redis Cluster that is another server, and order would be lost.
func (w *clusterWire) broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64) ([]item, error) {
	it, err := w.item(clusterBroadcast(string(w.a.uid), w.a.nsp, data, opts, "").numbered(number), w.names.main)
	if err != nil {
		return nil, err
	}
	return []item{it}, nil
}

// item makes a publish of m on channel, or on that of our own instances if Node could not bear m.
func (w *clusterWire) item(m clusterMessage, channel string) (item, error) {
	b, deep, err := w.codec().encodeCluster(m, false)
	if deep {
		channel = w.names.peers
	}
	return item{channel: channel, payload: b}, err
}

func (w *clusterWire) request(req *request) (item, error) {
	m, err := clusterRequest(string(w.a.uid), w.a.nsp, req)
	if err != nil {
		return item{}, err
	}
	channel := w.names.main
	if m.Type == clusterPeerRequest {
		channel = w.names.peers
	}
	return w.item(m, channel)
}

func (w *clusterWire) peers(req *request) (item, error) {
	b, err := encodeJSON(req)
	if err != nil {
		return item{}, err
	}
	return w.item(clusterMessage{
		Type: clusterPeerRequest, UID: string(w.a.uid), Nsp: w.a.nsp, Data: socketio.Payload{JSON: b, Attachments: req.attachments},
	}, w.names.peers)
}

func (w *clusterWire) ackRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c census) (list []item, unasked int, err error) {
	it, err := w.item(clusterBroadcast(string(w.a.uid), w.a.nsp, data, opts, id), w.names.main)
	if err != nil {
		return nil, 0, err
	}
	if it.channel == w.names.peers {
		unasked = c.node4()
	}
	return []item{it}, unasked, nil
}

func (w *clusterWire) answer(req *request, r *response) (item, error) {
	m, err := clusterResponse(string(w.a.uid), w.a.nsp, req, r)
	if err != nil {
		return item{}, err
	}
	return w.item(m, w.answers(req.UID))
}

// ack passes on the first argument, there is no room for more in the protocol.
func (w *clusterWire) ack(req *request, args []socketio.Payload) (item, error) {
	r := &response{Type: typeOf(rtypes.BROADCAST_ACK)}
	if len(args) > 0 {
		r.Packet, r.attachments = args[0].JSON, args[0].Attachments
	}
	return w.answer(req, r)
}

func (w *clusterWire) receive(_ string, b []byte) error {
	m, err := w.codec().decodeCluster(b)
	if err != nil {
		return err
	}
	return w.a.receiveCluster(&m)
}

// answerTypes are the types of answers. Node's nodes may send them on any channel, too.
var answerTypes = []int{int(clusterFetched), int(clusterServerSideDone), int(clusterClientCount), int(clusterAck), int(clusterPeerAnswer)}

// receiveCluster does what a message of another instance says.
func (a *Adapter) receiveCluster(m *clusterMessage) error {
	switch {
	case m.UID == string(a.uid) || m.Nsp != a.nsp:
		return errNotForUs
	case m.Type == clusterHeartbeat1 || m.Type == clusterHeartbeat2 || m.Type == clusterClose:
		return errNotForUs
	case m.Type == clusterBroadcastType:
		msg, withAck, err := m.broadcast()
		switch {
		case err != nil:
			return err
		case withAck != nil:
			return a.receiveRequest(withAck)
		}
		a.receiveBroadcast(msg)
		return nil
	case slices.Contains(answerTypes, int(m.Type)):
		r, err := m.response()
		if err != nil {
			return err
		}
		return a.receiveResponse(r)
	}
	req, err := m.request()
	if err != nil {
		return err
	}
	return a.receiveRequest(req)
}
