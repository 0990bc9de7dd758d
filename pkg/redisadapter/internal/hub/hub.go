package hub

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Hub is what all namespaces' adapters of a Builder share: one connection that publishes, one that
// receives, and the goroutines of both. It knows channels and bytes, the adapters know what they
// mean.
//
// Goroutines: run starts the publisher and the subscriber, each of which reconnects by itself until
// ctx ends; a subscriber connection has one more, its keeper.
type Hub struct {
	redis *rtypes.RedisClient
	cfg   Config
	log   *slog.Logger
	fault faultLog
	queue *queue
	beats chan struct{} // asks the publisher for a heartbeat

	transport   transport
	durable     durable                         // the transport, if it is one
	id          string                          // unique among all hubs
	beatChannel string                          // of this hub alone, see beat
	denied      atomic.Pointer[map[string]bool] // see deniedNames
	sending     atomic.Bool                     // the publisher has taken items off the queue
	heard       atomic.Pointer[time.Time]       // when a read of the stream that came to its end began
	impossible  bool                            // see refuse; set before use
	counters
	state
	masters masterConns

	ctx    context.Context
	cancel context.CancelFunc
	start  sync.Once
	done   sync.WaitGroup

	routes   *routes
	rerouted chan struct{} // tells the keeper that routes have changed

	attempted context.Context // done when this hub has joined or could not, or has ended
	attempt   context.CancelFunc
}

// Config are the settings of a hub; all must be set but the callbacks. Builder documents them.
type Config struct {
	Key          string
	QueueBytes   int
	HoldFor      time.Duration
	MaxMessage   int
	Heartbeat    time.Duration
	Silence      time.Duration
	OnChange     func(Status)
	OnGap        func(Gap)
	StreamLength int
	StreamBytes  int
	Recheck      time.Duration // how often an idle stream is looked at, 0: 15 s
	Log          *slog.Logger
}

// tellMissed is called on the goroutine that receives, between what came before a gap and what
// comes after it.
func (h *Hub) tellMissed() {
	for _, r := range h.routes.all() {
		r.Missed()
	}
}

// New makes a hub that has not started. nsp is the namespace that it serves in mode Sharded on a Redis
// Cluster.
func New(client *rtypes.RedisClient, cfg Config, mode Mode, nsp string) *Hub {
	t, modeErr := newTransport(mode, cfg, nsp, client.Client)
	id, err := adapter.Uid2(9)
	if err != nil {
		id = fmt.Sprintf("%p-%d", &cfg, time.Now().UnixNano()) // no randomness in this system: unique enough
	}
	h := &Hub{
		redis: client, cfg: cfg, transport: t, id: id, beatChannel: t.beatChannel(id), log: cfg.Log,
		fault: faultLog{log: cfg.Log},
		beats: make(chan struct{}, 1), rerouted: make(chan struct{}, 1),
	}
	h.durable, _ = t.(durable)
	h.unheard = h.durable == nil // otherwise the reader finds gaps
	h.queue = newQueue(cfg.QueueBytes, cfg.HoldFor, h.giveUp)
	if h.durable != nil {
		h.queue.brief = min(cfg.HoldFor, maxBrief)
	}
	h.since, h.notify = time.Now(), cfg.OnChange
	h.started = h.since
	parent := client.Context
	if parent == nil {
		parent = context.Background()
	}
	h.ctx, h.cancel = context.WithCancel(parent)
	h.attempted, h.attempt = context.WithCancel(h.ctx)
	h.routes = newRoutes()
	if modeErr != nil {
		h.Refuse(modeErr)
	}
	return h
}

// Run starts the hub, unless it was started or closed before.
func (h *Hub) Run() {
	h.start.Do(func() {
		h.done.Go(h.publishLoop)
		h.done.Go(h.subscribeLoop)
		h.transport.start(h)
		h.watchMaster()
	})
}

// Ended tells whether the hub was closed.
func (h *Hub) Ended() bool { return h.ctx.Err() != nil }

// Refuse keeps a hub with impossible options from ever starting.
func (h *Hub) Refuse(err error) {
	h.start.Do(h.queue.close)
	h.impossible = true
	h.state.err = err
	h.attempt()
	h.log.Error("this instance stays alone", slog.Any("err", err))
}

// giveUp drops a message, or answers a question, that the queue lets go.
func (h *Hub) giveUp(it item, err error) {
	if it.ask != nil {
		it.ask.answered(wire.Census{}, err)
		return
	}
	h.Drop(err)
}

// Drop counts a message that will not be published.
func (h *Hub) Drop(err error) {
	h.dropped.Add(1)
	h.fault.warn("Message not published to the other instances", err)
}

// Reject counts a message that was received and makes no sense.
func (h *Hub) Reject(channel string, err error) {
	h.rejected.Add(1)
	channel = channel[:min(len(channel), 100)]
	h.fault.warn("Message from Redis rejected", fmt.Errorf("channel %q: %w", channel, err))
}

// emitError tells the listeners on the user's client, as the library does.
func (h *Hub) emitError(err error) {
	if h.redis.EventEmitter != nil {
		h.redis.Emit("error", err)
	}
}

// Subscribe makes r a receiver of s.
func (h *Hub) Subscribe(s wire.Subscription, r receiver) {
	h.routes.add(s, r)
	notify(h.rerouted)
}

// Unsubscribe takes r out everywhere.
func (h *Hub) Unsubscribe(r receiver) {
	h.routes.remove(r)
	notify(h.rerouted)
}

// Follow makes r a receiver of one channel more, wherever it is in a Redis Cluster; unfollow takes that
// back. Both are cheap: thousands may come at once.
func (h *Hub) Follow(channel string, r receiver) {
	if t, ok := h.transport.(*sharded); ok && t.rooms != nil {
		t.rooms.add(channel, r)
		return
	}
	h.routes.follow(channel, r)
	notify(h.rerouted)
}

func (h *Hub) Unfollow(channel string, r receiver) {
	if t, ok := h.transport.(*sharded); ok && t.rooms != nil {
		t.rooms.remove(channel)
		return
	}
	h.routes.unfollow(channel, r)
	notify(h.rerouted)
}

// Send queues a message for the other instances. It neither blocks nor fails; what cannot be sent is
// counted.
func (h *Hub) Send(o wire.Out) {
	_ = h.queue.push(item{Out: o}) // what is refused has been counted
}

// Ask asks Redis who listens, as of everything queued before. The publisher's goroutine calls answered,
// which must not block and whose messages go out before anything queued later. If ask returns an error,
// answered is not called.
func (h *Hub) Ask(of wire.Listeners, answered func(wire.Census, error) []wire.Out) error {
	return h.queue.push(item{ask: &question{of: of, answered: answered}})
}

// AskSoon does not wait for what was queued before, nor for instances that have to come back.
func (h *Hub) AskSoon(of wire.Listeners, answered func(wire.Census, error) []wire.Out) error {
	return h.queue.push(item{Out: wire.Out{Soon: true}, ask: &question{of: of, answered: answered}})
}

// Busy tells whether the queue is half full.
func (h *Hub) Busy() bool {
	_, bytes := h.queue.len()
	return bytes > h.cfg.QueueBytes/2
}

// GapCount is how many gaps there were in what was received.
func (h *Hub) GapCount() uint64 { return h.gaps.Load() }

// Heard is a moment up to which everything has been received, as far as no gap is known. A stream waits for its reader; what subscriptions
// do not bring at once is a gap.
func (h *Hub) Heard() time.Time {
	if h.durable == nil {
		return time.Now()
	}
	if at := h.heard.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// Spawn runs f on a goroutine that close waits for; context ends then.
func (h *Hub) Spawn(f func())           { h.done.Go(f) }
func (h *Hub) Context() context.Context { return h.ctx }

// Accept counts a message that was received, overrun one that a handler was too slow for.
func (h *Hub) Accept() { h.received.Add(1) }

func (h *Hub) Overrun(err error) {
	h.overruns.Add(1)
	h.fault.warn("Handlers are too slow for what other instances ask; requests are dropped", err)
}

// Warn logs a fault, each kind of which msg names at most every ten seconds.
func (h *Hub) Warn(msg string, err error) { h.fault.warn(msg, err) }
