package redisadapter

import (
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// wire is the format of a mode's messages in one namespace, and the places they go to: what the
// nodes of that mode, Node's and ours, understand of each other. An Adapter has one. It knows bytes
// and channels; the hub's transport knows how they travel, the Adapter what they mean. Methods are
// safe for concurrent use and neither block nor wait for Redis.
//
//	mode      wire      a broadcast                       a request, an answer
//	pubsub    classic   [uid, packet, opts] MessagePack   JSON on channels of their own
//	sharded   cluster   {type, data, uid, nsp} JSON       the same, on the same channels
//	streams   stream    an entry with these fields        the same in MessagePack, published
type wire interface {
	// subscription is what the Adapter must receive.
	subscription() subscription
	// broadcast makes the messages that tell the other instances of an event. number, if not 0, goes
	// along, see recovery.go.
	broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64) ([]item, error)
	// request makes the message that asks the other instances. Of req, UID is set here.
	request(req *request) (item, error)
	// peers does the same for our own instances only; Node nodes do not see it.
	peers(req *request) (item, error)
	// ackRequest makes the messages of a broadcast that wants acknowledgements, with c as of when
	// they go out; unasked is how many of the instances will not answer.
	ackRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c census) (list []item, unasked int, err error)
	// answer makes the message that answers req.
	answer(req *request, r *response) (item, error)
	// ack makes the message that passes on what a client has acknowledged.
	ack(req *request, args []socketio.Payload) (item, error)
	// receive reads a message and gives it to the Adapter's handlers. errNotForUs is no fault; any
	// other error means that the message is malformed or hostile.
	receive(channel string, payload []byte) error
	// legacy tells whether generation 2 nodes may be there.
	legacy() bool
}

// subscription is what a receiver wants from the hub.
type subscription struct {
	nsp      string
	patterns []string
	channels []string
	listeners
}

// listeners are the channels whose subscribers tell who is there in a namespace, see census.
type listeners struct {
	all    string // every instance listens to it
	modern string // pattern of the channels that one instance each listens to; "": all instances are modern
	ours   string // our own instances listen to it
}
