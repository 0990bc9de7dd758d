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

	"socketio-chat/pkg/redisadapter/internal/classic"
	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/redisadapter/internal/hub"
	"socketio-chat/pkg/redisadapter/internal/recovery"
	"socketio-chat/pkg/redisadapter/internal/streams"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// Adapter is the cluster adapter of one namespace: what it is asked to do it does for this
// instance's sockets, and tells the other instances. It implements the RedisAdapter interface of
// socket.io-go-redis. Safe for concurrent use once it is constructed.
type Adapter struct {
	*socketio.LocalAdapter

	// Static after Construct.
	hub      *hub.Hub
	ownsHub  bool // no other Adapter has it
	mode     Mode
	spread   bool // each namespace has a hub, on a Redis Cluster
	cfg      config
	opts     *radapter.RedisAdapterOptions
	redis    *rtypes.RedisClient
	nsp      string
	uid      adapter.ServerId
	format   wire.Format
	codec    *wire.Codec
	sessions *recovery.Exchange
	listen   wire.Listeners
	timeout  time.Duration // of requests
	specific bool          // answer generation 4 nodes on their own response channel

	// Handlers of the application run on these, never on the subscriber's goroutine: one that waits
	// for an answer from another instance would wait for itself.
	events    serial // serverSideEmit listeners, disconnects
	callbacks serial // acknowledgements of broadcasts

	mu        sync.Mutex
	gathers   map[string]*gather
	acks      map[string]*ackRequest
	absentees absentees
	closed    bool
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
	if a.cfg.parser != nil {
		return a.cfg.parser
	}
	return NewParser()
}

// Construct binds the adapter to its namespace and joins the cluster. It does not wait for Redis.
func (a *Adapter) Construct(nsp socket.Namespace) {
	a.LocalAdapter.Construct(nsp)
	if a.hub == nil {
		b := Builder{Redis: a.redis, Opts: a.opts}
		a.hub, a.ownsHub, a.cfg = b.shared(), true, b.config()
	}
	a.nsp = nsp.Name()
	a.timeout, a.specific = a.cfg.requestsTimeout, a.cfg.specific
	a.codec = wire.NewCodec(a.cfg.MaxMessage, a.cfg.maxAttachments)
	a.choose()
	var client redis.UniversalClient
	if a.redis != nil {
		client = a.redis.Client
	}
	a.sessions = recovery.New(a.LocalAdapter, sessionPeers{a}, client, a.cfg.Key, a.nsp)
	wanted := a.format.Subscription()
	a.listen = wanted.Listeners
	a.hub.Subscribe(wanted, inbox{a})
	a.hub.Run()
}

// choose sets the format of the mode, and the instance's id.
func (a *Adapter) choose() {
	key := a.cfg.Key
	a.uid = adapter.ServerId(wire.NewID())
	switch a.mode {
	case Sharded:
		a.uid = adapter.ServerId(cluster.AdapterID(key, a.nsp, wire.NewID()))
		w := cluster.New(a.codec, key, a.nsp, string(a.uid), a.spread)
		a.format = w
		follow := &roomFollower{a: a, names: w.Names, followed: map[socket.Room]bool{}}
		follow.start()
	case Streams:
		a.format = streams.New(a.codec, key, a.nsp, string(a.uid))
	default:
		w := classic.New(a.codec, key, a.nsp, string(a.uid), a.specific)
		a.format = w
		if p := a.cfg.parser; p != nil {
			a.format = &parsed{Format: w, parser: p}
		}
	}
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
	a.absentees.close()
	a.mu.Unlock()
	for _, g := range gathers {
		g.finish(ErrClosed) // some more than once: they have several ids
	}
	a.hub.Unsubscribe(inbox{a})
	if a.ownsHub {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := a.hub.Close(ctx); err != nil {
			a.hub.Warn("cluster adapter did not close cleanly", err)
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
		a.hub.Drop(err)
		a.LocalAdapter.Broadcast(packet, opts)
		return
	}
	a.LocalAdapter.BroadcastPublished(socketio.Encoded{Nsp: a.nsp, Data: data}, opts, func(number uint64) {
		a.publish(data, opts, number)
	})
}

// publish queues an event for the other instances.
func (a *Adapter) publish(data socketio.Payload, opts *socket.BroadcastOptions, number uint64) {
	if !a.format.NeedsCensus(data, opts) {
		list, err := a.format.Broadcast(data, opts, number, wire.Census{})
		a.push(err, list...)
		return
	}
	err := a.ask(func(c wire.Census, err error) []wire.Out {
		var list []wire.Out
		if err == nil {
			list, err = a.format.Broadcast(data, opts, number, c)
		}
		if err != nil {
			a.hub.Drop(err)
		}
		return list
	})
	if err != nil {
		a.hub.Drop(err)
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

// push queues messages that the format has made, or counts why it could not.
func (a *Adapter) push(err error, list ...wire.Out) {
	if err != nil {
		a.hub.Drop(err)
		return
	}
	for _, o := range list {
		a.hub.Send(o)
	}
}

// Ask queues a question about who is there. The publisher's goroutine calls answered, unless ask returns
// an error.
func (a *Adapter) ask(answered func(wire.Census, error) []wire.Out) error {
	return a.hub.Ask(a.listen, answered)
}

// command asks the other instances for something that has no answer.
func (a *Adapter) command(req *wire.Request) {
	it, err := a.format.Request(req)
	a.push(err, it)
}
