package redisadapter

import (
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// format is the format of a mode's messages in one namespace, and the places they go to: what the
// nodes of that mode, Node's and ours, understand of each other. It turns values into bytes for
// channels and back, and knows neither Redis nor what becomes of the values. Methods are safe for
// concurrent use and do not block.
//
//	mode      format    a broadcast                       a request, an answer
//	pubsub    classic   [uid, packet, opts] MessagePack   JSON on channels of their own
//	sharded   cluster   {type, data, uid, nsp} JSON       the same, on the same channels
//	streams   streams   an entry with these fields        the same in MessagePack, published
type format interface {
	// subscription is what an instance must receive.
	subscription() subscription
	// needsCensus tells whether broadcast depends on the census.
	needsCensus(data socketio.Payload, opts *socket.BroadcastOptions) bool
	// broadcast makes the messages that tell the other instances of an event. number, if not 0, goes
	// along: the event's place in the sequence of its sender, which recovery counts by.
	broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64, c census) ([]out, error)
	// request makes the message that asks the other instances. Of req, UID is set here.
	request(req *request) (out, error)
	// peers does the same for our own instances only; Node nodes do not see it.
	peers(req *request) (out, error)
	// ackRequest makes the messages of a broadcast that wants acknowledgements; unasked is how many of
	// the instances will not answer.
	ackRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c census) (list []out, unasked int, err error)
	// answer makes the message that answers req.
	answer(req *request, r *response) (out, error)
	// ack makes the message that passes on what a client has acknowledged. There is room for the first
	// argument only.
	ack(req *request, args []socketio.Payload) (out, error)
	// decode reads a message of one of the subscription's channels. A broadcast whose options wanted
	// refuses is not read any further; wanted may be nil. errNotForUs and errNobodyHere are no faults;
	// any other error means that the message is malformed or hostile.
	decode(channel string, payload []byte, wanted func(*socket.BroadcastOptions) bool) (received, error)
	// decodeEntry reads an entry of the stream.
	decodeEntry(e *entry, wanted func(*socket.BroadcastOptions) bool) (received, error)
	// legacy tells whether generation 2 nodes may be there.
	legacy() bool
}

// out is a message on its way to Redis: payload for channel, or an entry of the stream.
type out struct {
	channel string
	payload message
	entry   *entry
}

// message is the payload of one PUBLISH: one broadcast needs one, or two when it is binary.
type message = []byte

func (o out) size() int {
	if o.entry != nil {
		return o.entry.size()
	}
	return len(o.channel) + len(o.payload)
}

// received is what a message says; one of the fields is set.
type received struct {
	broadcast *broadcast
	request   *request
	response  *response
}

// broadcast is an event for the sockets that opts select.
type broadcast struct {
	data socketio.Payload // the array ["event", …]
	opts *socket.BroadcastOptions

	from   string // uid of the instance that sent it, if number is not 0
	number uint64 // see format
}

// entry is an entry of the stream.
type entry struct {
	uid, nsp string
	hidden   bool // from Node: data is nested deeper than Node can bear
	typ      string
	data     string // JSON text, or MessagePack in base64
	json     string // the data as JSON text, when MessagePack is not exactly it
	atts     string // its binary values, base64 of a MessagePack array
}

// size is about what the entry takes in Redis, in bytes.
func (e *entry) size() int {
	return len(e.uid) + len(e.nsp) + len(e.typ) + len(e.data) + len(e.json) + len(e.atts) + 64
}

// subscription is what a receiver wants.
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

// census is who listens in a namespace. There is no registry of instances: each generation gives
// itself away by what it subscribes to.
//
//	                                    generation 2   generation 4   ours
//	request and response channel             x              x           x
//	a response channel of its own                           x           x
//	peers channel                                                       x
type census struct {
	all    int // instances
	modern int // of these, generation 4 and our own
	ours   int
}

// legacyNodes is the number of generation 2 nodes.
func (c census) legacyNodes() int { return max(c.all-c.modern, 0) }

// others is the number of instances beside this one that answer requests of generation 4.
func (c census) others() int { return max(c.modern-1, 0) }

// node4 is the number of generation 4 nodes.
func (c census) node4() int { return max(c.modern-c.ours, 0) }
