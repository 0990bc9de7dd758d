package wire

import (
	"slices"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// Format is the format of a mode's messages in one namespace, and the places they go to: what the
// nodes of that mode, Node's and ours, understand of each other. It turns values into bytes for
// Channels and back, and knows neither Redis nor what becomes of the values. Methods are safe for
// concurrent use and do not block.
//
//	mode      format    a broadcast                       a request, an answer
//	pubsub    classic   [uid, packet, opts] MessagePack   JSON on channels of their own
//	sharded   cluster   {type, data, uid, nsp} JSON       the same, on the same channels
//	streams   streams   an entry with these fields        the same in MessagePack, published
type Format interface {
	// Subscription is what an instance must receive.
	Subscription() Subscription
	// NeedsCensus tells whether broadcast depends on the census.
	NeedsCensus(data socketio.Payload, opts *socket.BroadcastOptions) bool
	// Broadcast makes the messages that tell the other instances of an event. number, if not 0, goes
	// along: the event's place in the sequence of its sender, which recovery counts by.
	Broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64, c Census) ([]Out, error)
	// Request makes the message that asks the other instances. Of req, UID is set here.
	Request(req *Request) (Out, error)
	// Peers does the same for our own instances only; Node nodes do not see it.
	Peers(req *Request) (Out, error)
	// AckRequest makes the messages of a broadcast that wants acknowledgements; unasked is how many of
	// the instances will not answer.
	AckRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c Census) (list []Out, unasked int, err error)
	// Answer makes the message that answers req.
	Answer(req *Request, r *Response) (Out, error)
	// Ack makes the message that passes on what a client has acknowledged. There is room for the first
	// argument only.
	Ack(req *Request, args []socketio.Payload) (Out, error)
	// Decode reads a message of one of the subscription's channels. A broadcast to rooms that
	// reach does not have is not read any further. errNotForUs and errNobodyHere are no faults;
	// any other error means that the message is malformed or hostile.
	Decode(channel string, payload []byte, reach Reach) (Received, error)
	// DecodeEntry reads an entry of the stream.
	DecodeEntry(e *Entry, reach Reach) (Received, error)
	// Legacy tells whether generation 2 nodes may be there.
	Legacy() bool
}

// Reach tells whether a broadcast to a room concerns this instance. nil: all do.
type Reach func(socket.Room) bool

// Any tells whether a broadcast with these options does.
func (r Reach) Any(opts *socket.BroadcastOptions) bool {
	return r == nil || !HasRooms(opts) || slices.ContainsFunc(opts.Rooms.Keys(), r)
}

// Out is a message on its way to Redis: payload for channel, or an entry of the stream.
type Out struct {
	Channel string
	Payload Message
	Entry   *Entry
	// Soon lets it overtake what waits for its turn, or for other instances to come back.
	Soon bool
}

// Message is the payload of one PUBLISH: one broadcast needs one, or two when it is binary.
type Message = []byte

func (o Out) Size() int {
	if o.Entry != nil {
		return o.Entry.Size()
	}
	return len(o.Channel) + len(o.Payload)
}

// Received is what a message says; one of the fields is set.
type Received struct {
	Broadcast *Broadcast
	Request   *Request
	Response  *Response
}

// Broadcast is an event for the sockets that opts select.
type Broadcast struct {
	Data socketio.Payload // the array ["event", …]
	Opts *socket.BroadcastOptions

	From   string // uid of the instance that sent it, if number is not 0
	Number uint64 // see format
}

// Entry is an entry of the stream.
type Entry struct {
	Uid, Nsp string
	Hidden   bool // from Node: data is nested deeper than Node can bear
	Typ      string
	Data     string // JSON text, or MessagePack in base64
	Json     string // the data as JSON text, when MessagePack is not exactly it
	Atts     string // its binary values, base64 of a MessagePack array
}

// Size is about what the entry takes in Redis, in bytes.
func (e *Entry) Size() int {
	return len(e.Uid) + len(e.Nsp) + len(e.Typ) + len(e.Data) + len(e.Json) + len(e.Atts) + 64
}

// Subscription is what a receiver wants.
type Subscription struct {
	Nsp      string
	Patterns []string
	Channels []string
	Own      string // of the channels, the one that only this instance listens to
	Listeners
}

// Listeners are the channels whose subscribers tell who is there in a namespace, see census.
type Listeners struct {
	All    string // every instance listens to it
	Modern string // pattern of the channels that one instance each listens to; "": all instances are modern
	Ours   string // our own instances listen to it
}

// Census is who listens in a namespace. There is no registry of instances: each generation gives
// itself away by what it subscribes to.
//
//	                                    generation 2   generation 4   ours
//	request and response channel             x              x           x
//	a response channel of its own                           x           x
//	peers channel                                                       x
type Census struct {
	All    int // instances
	Modern int // of these, generation 4 and our own
	Ours   int
	// Missing is how many more of ours were there lately than are now, MissedSince when they were counted last.
	Missing     int
	MissedSince time.Time
}

// LegacyNodes is the number of generation 2 nodes.
func (c Census) LegacyNodes() int { return max(c.All-c.Modern, 0) }

// Others is the number of instances beside this one that answer requests of generation 4.
func (c Census) Others() int { return max(c.Modern-1, 0) }

// Node4 is the number of generation 4 nodes.
func (c Census) Node4() int { return max(c.Modern-c.Ours, 0) }
