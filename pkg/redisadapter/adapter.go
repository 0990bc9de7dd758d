package redisadapter

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	radapter "github.com/zishang520/socket.io-go-redis/adapter"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// Adapter is the cluster adapter of one namespace: what it is asked to do it does for this
// instance's sockets, and tells the other instances. It implements the RedisAdapter interface of
// socket.io-go-redis. Safe for concurrent use once it is constructed.
type Adapter struct {
	*socketio.LocalAdapter

	// Static after Construct.
	hub      *hub
	ownsHub  bool // no other Adapter has it
	opts     *radapter.RedisAdapterOptions
	redis    *rtypes.RedisClient
	nsp      string
	uid      adapter.ServerId
	format   format
	codec    *codec
	sessions *exchange
	listeners
	timeout  time.Duration // of requests
	specific bool          // answer generation 4 nodes on their own response channel

	// Handlers of the application run on these, never on the subscriber's goroutine: one that waits
	// for an answer from another instance would wait for itself.
	events    serial // serverSideEmit listeners, disconnects
	callbacks serial // acknowledgements of broadcasts

	mu      sync.Mutex
	gathers map[string]*gather
	acks    map[string]*ackRequest
	closed  bool
}

var _ radapter.RedisAdapter = (*Adapter)(nil)

// maxTasks bounds what waits for the application's handlers in one namespace.
const maxTasks = 4096

// MakeRedisAdapter returns an adapter that still needs SetRedis, SetOpts and Construct, like the
// library's function of that name. It has its two connections for itself; adapters of a Builder
// share theirs.
func MakeRedisAdapter() *Adapter {
	a := &Adapter{
		LocalAdapter: socketio.NewLocalAdapter(), opts: radapter.DefaultRedisAdapterOptions(),
		gathers: map[string]*gather{}, acks: map[string]*ackRequest{},
	}
	a.events.limit, a.callbacks.limit = maxTasks, maxTasks
	a.Prototype(a)
	return a
}

// NewRedisAdapter returns an adapter for nsp with two connections of its own, which Close ends.
func NewRedisAdapter(nsp socket.Namespace, redis *rtypes.RedisClient, opts any) *Adapter {
	a := MakeRedisAdapter()
	a.SetRedis(redis)
	a.SetOpts(opts)
	a.Construct(nsp)
	return a
}

// SetRedis gives the adapter its client; before Construct.
func (a *Adapter) SetRedis(redis *rtypes.RedisClient) { a.redis = redis }

// SetOpts takes a radapter.RedisAdapterOptionsInterface, anything else means the defaults; before
// Construct.
func (a *Adapter) SetOpts(opts any) {
	if o, ok := opts.(radapter.RedisAdapterOptionsInterface); ok {
		a.opts.Assign(o)
	}
}

// Uid is the id under which this instance's messages for the namespace go.
func (a *Adapter) Uid() adapter.ServerId { return a.uid }

// RequestsTimeout is how long answers of the other instances are waited for.
func (a *Adapter) RequestsTimeout() time.Duration { return a.timeout }

// PublishOnSpecificResponseChannel tells whether a generation 4 node that asks is answered on a
// channel of its own.
func (a *Adapter) PublishOnSpecificResponseChannel() bool { return a.specific }

// Parser is the codec of broadcasts, see NewParser.
func (a *Adapter) Parser() rtypes.Parser {
	if a.hub.cfg.parser != nil {
		return a.hub.cfg.parser
	}
	return NewParser()
}

// Construct binds the adapter to its namespace and joins the cluster. It does not wait for Redis.
func (a *Adapter) Construct(nsp socket.Namespace) {
	a.LocalAdapter.Construct(nsp)
	if a.hub == nil {
		b := Builder{Redis: a.redis, Opts: a.opts}
		a.hub, a.ownsHub = b.shared(), true
	}
	a.nsp = nsp.Name()
	a.timeout, a.specific = a.hub.cfg.requestsTimeout, a.hub.cfg.specific
	a.codec = newCodec(a.hub.cfg.maxMessage, a.hub.cfg.maxAttachments)
	a.choose()
	var client redis.UniversalClient
	if a.redis != nil {
		client = a.redis.Client
	}
	a.sessions = newExchange(a.LocalAdapter, sessionPeers{a}, client, a.hub.cfg.key, a.nsp)
	wanted := a.format.subscription()
	a.listeners = wanted.listeners
	a.hub.subscribe(wanted, a)
	a.hub.run()
}

// choose sets the format of the mode, and the instance's id.
func (a *Adapter) choose() {
	key := a.hub.cfg.key
	a.uid = adapter.ServerId(newID())
	switch t := a.hub.transport.(type) {
	case *sharded:
		a.uid = adapter.ServerId(adapterID(key, a.nsp, newID()))
		w := newClusterFormat(a.codec, key, a.nsp, string(a.uid), t.rooms != nil)
		a.format = w
		follow := &roomFollower{a: a, names: w.names, wanted: t.rooms, own: w.subscription(), members: map[socket.Room]int{}}
		follow.start()
	case *streams:
		a.format = newStreamsFormat(a.codec, key, a.nsp, string(a.uid))
	default:
		w := newClassic(a.codec, key, a.nsp, string(a.uid), a.specific)
		a.format = w
		if p := a.hub.cfg.parser; p != nil {
			a.format = &parsed{classic: w, parser: p}
		}
	}
}

// newID returns a random id in Node's form: a server's, a request's.
func newID() string {
	id, err := adapter.Uid2(9)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return id
}

// Close leaves the cluster. Calls that wait for answers end with ErrClosed.
func (a *Adapter) Close() {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return
	}
	a.closed = true
	gathers := a.gathers
	a.gathers = map[string]*gather{}
	for _, r := range a.acks {
		r.timer.Stop()
	}
	clear(a.acks)
	a.mu.Unlock()
	for _, g := range gathers {
		g.finish(ErrClosed) // some more than once: they have several ids
	}
	a.hub.unsubscribe(a)
	if a.ownsHub {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := a.hub.close(ctx); err != nil {
			a.hub.fault.warn("Cluster adapter did not close cleanly", err)
		}
	}
	a.LocalAdapter.Close()
}

// Broadcast sends packet to the sockets opts selects, here and on the other instances. It neither
// waits for Redis nor fails because of it; what cannot be published is counted in Status. Messages
// of one goroutine arrive everywhere in the order in which it sent them.
func (a *Adapter) Broadcast(packet *parser.Packet, opts *socket.BroadcastOptions) {
	packet.Nsp = a.nsp
	if onlyLocal(opts) || packet.Id != nil { // the latter: Socket.EmitWithAck, with recovery on
		a.LocalAdapter.Broadcast(packet, opts)
		return
	}
	if p, ok := a.format.(*parsed); ok {
		it, err := p.packet(packet, opts)
		a.push(err, it)
		a.LocalAdapter.Broadcast(packet, opts)
		return
	}
	data, err := packetData(packet)
	if err != nil {
		a.hub.drop(item{}, err)
		a.LocalAdapter.Broadcast(packet, opts)
		return
	}
	a.LocalAdapter.BroadcastPublished(socketio.Encoded{Nsp: a.nsp, Data: data}, opts, func(number uint64) {
		a.publish(data, opts, number)
	})
}

// publish queues an event for the other instances.
func (a *Adapter) publish(data socketio.Payload, opts *socket.BroadcastOptions, number uint64) {
	if !a.format.needsCensus(data, opts) {
		list, err := a.format.broadcast(data, opts, number, census{})
		a.push(err, list...)
		return
	}
	err := a.ask(func(c census, err error) []out {
		var list []out
		if err == nil {
			list, err = a.format.broadcast(data, opts, number, c)
		}
		if err != nil {
			a.hub.drop(item{}, err)
		}
		return list
	})
	if err != nil {
		a.hub.drop(item{}, err)
	}
}

var errPacketData = errors.New("packet data is no []any")

// packetData encodes the data of a packet of ours.
func packetData(packet *parser.Packet) (socketio.Payload, error) {
	data, ok := packet.Data.([]any)
	if !ok {
		return socketio.Payload{}, errPacketData
	}
	return socketio.EncodeData(data)
}

func onlyLocal(opts *socket.BroadcastOptions) bool {
	return opts != nil && opts.Flags != nil && opts.Flags.Local
}

// receive handles a message from Redis.
func (a *Adapter) receive(channel string, b []byte) {
	r, err := a.format.decode(channel, b, a.wanted)
	a.received(channel, r, err)
}

// receiveEntry handles an entry of the stream.
func (a *Adapter) receiveEntry(e *entry) {
	r, err := a.format.decodeEntry(e, a.wanted)
	a.received("stream", r, err)
}

// wanted tells whether a broadcast may be for a socket of ours.
func (a *Adapter) wanted(*socket.BroadcastOptions) bool { return true }

// received does what a message says, and counts what came of it.
func (a *Adapter) received(channel string, r received, err error) {
	switch {
	case err != nil:
	case r.broadcast != nil:
		a.receiveBroadcast(r.broadcast)
	case r.request != nil:
		err = a.receiveRequest(r.request)
	case r.response != nil:
		err = a.receiveResponse(r.response)
	}
	switch {
	case err == nil || errors.Is(err, errNobodyHere):
		a.hub.received.Add(1)
	case !errors.Is(err, errNotForUs):
		a.hub.reject(channel, err)
	}
}

// receiveBroadcast gives an event of another instance to our sockets.
func (a *Adapter) receiveBroadcast(msg *broadcast) {
	a.LocalAdapter.BroadcastReceived(socketio.Encoded{Nsp: a.nsp, Data: msg.data}, msg.opts, msg.from, msg.number)
}

// push queues messages that the format has made, or counts why it could not.
func (a *Adapter) push(err error, list ...out) {
	if err != nil {
		a.hub.drop(item{}, err)
		return
	}
	for _, o := range list {
		_ = a.hub.queue.push(item{out: o}) // what is refused has been counted
	}
}

// ask queues a question about who is there. The publisher's goroutine calls answered, unless ask returns
// an error.
func (a *Adapter) ask(answered func(census, error) []out) error {
	return a.hub.queue.push(item{ask: &question{of: a.listeners, answered: answered}})
}

// command asks the other instances for something that has no answer.
func (a *Adapter) command(req *request) {
	it, err := a.format.request(req)
	a.push(err, it)
}
