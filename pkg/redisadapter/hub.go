package redisadapter

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
)

// hub is what all namespaces' adapters of a Builder share: one connection that publishes, one that
// receives, and the goroutines of both. It knows channels and bytes, the adapters know what they
// mean.
//
// Goroutines: run starts the publisher and the subscriber, each of which reconnects by itself until
// ctx ends; a subscriber connection has one more, its keeper.
type hub struct {
	redis *rtypes.RedisClient
	cfg   config
	log   *slog.Logger
	fault faultLog
	queue *queue
	beats chan struct{} // asks the publisher for a heartbeat

	transport   transport
	durable     durable     // the transport, if it is one
	id          string      // unique among all hubs
	beatChannel string      // of this hub alone
	sending     atomic.Bool // the publisher has taken items off the queue
	impossible  bool        // see refuse; set before use
	counters
	state
	masters masterConns

	ctx    context.Context
	cancel context.CancelFunc
	start  sync.Once
	done   sync.WaitGroup

	routesMu sync.Mutex // serialises changes of routes
	routes   atomic.Pointer[routes]
	rerouted chan struct{} // tells the keeper that routes have changed
}

// config is what the builder's options come to.
type config struct {
	key             string
	requestsTimeout time.Duration
	specific        bool
	parser          rtypes.Parser
	queueBytes      int
	holdFor         time.Duration
	maxMessage      int
	maxAttachments  int
	heartbeat       time.Duration
	silence         time.Duration
	onChange        func(Status)
	onGap           func(Gap)
	streamLength    int
	streamBytes     int
	log             *slog.Logger
}

// routes maps what the hub subscribes to to the adapters that want it. Immutable: changes make a
// new one.
type routes struct {
	list       []route
	patterns   map[string][]receiver
	channels   map[string][]receiver
	namespaces map[string][]receiver
	counted    []string // channels by whose subscribers instances are counted
}

// route is a receiver with what it wants.
type route struct {
	subscription
	receiver
}

// receiver gets the messages of a subscription, one after another, on the subscriber's goroutine;
// it must not block.
type receiver interface {
	receive(channel string, payload []byte)
	receiveEntry(e *entry)
	// missed tells that messages before those to come may be lost.
	missed()
}

// tellMissed is called on the goroutine that receives, between what came before a gap and what
// comes after it.
func (h *hub) tellMissed() {
	for _, r := range h.routes.Load().list {
		r.missed()
	}
}

func newHub(client *rtypes.RedisClient, cfg config, t transport) *hub {
	id, err := adapter.Uid2(9)
	if err != nil {
		id = fmt.Sprintf("%p-%d", &cfg, time.Now().UnixNano()) // no randomness in this system: unique enough
	}
	h := &hub{
		redis: client, cfg: cfg, transport: t, id: id, beatChannel: t.beatChannel(id), log: cfg.log,
		fault: faultLog{log: cfg.log},
		beats: make(chan struct{}, 1), rerouted: make(chan struct{}, 1),
	}
	h.durable, _ = t.(durable)
	h.unheard = h.durable == nil // otherwise the reader finds gaps
	h.queue = newQueue(cfg.queueBytes, cfg.holdFor, h.drop)
	if h.durable != nil {
		h.queue.brief = min(cfg.holdFor, maxBrief)
	}
	h.since, h.notify = time.Now(), cfg.onChange
	h.started = h.since
	parent := client.Context
	if parent == nil {
		parent = context.Background()
	}
	h.ctx, h.cancel = context.WithCancel(parent)
	h.routes.Store(&routes{})
	return h
}

// run starts the hub, once.
func (h *hub) run() {
	h.start.Do(func() {
		h.done.Go(h.publishLoop)
		h.done.Go(h.subscribeLoop)
		h.transport.start(h)
		h.watchMaster()
	})
}

// refuse keeps a hub with impossible options from ever starting.
func (h *hub) refuse(err error) {
	h.start.Do(h.queue.close)
	h.impossible = true
	h.state.err = err
	h.log.Error("This instance stays alone", slog.Any("err", err))
}

// drop counts a message that will not be published.
func (h *hub) drop(it item, err error) {
	if it.ask != nil {
		it.ask.answered(census{}, err)
		return
	}
	h.dropped.Add(1)
	h.fault.warn("Message not published to the other instances", err)
}

// reject counts a message that was received and makes no sense.
func (h *hub) reject(channel string, err error) {
	h.rejected.Add(1)
	channel = channel[:min(len(channel), 100)]
	h.fault.warn("Message from Redis rejected", fmt.Errorf("channel %q: %w", channel, err))
}

// emitError tells the listeners on the user's client, as the library does.
func (h *hub) emitError(err error) {
	if h.redis.EventEmitter != nil {
		h.redis.Emit("error", err)
	}
}

// subscribe adds r to the receivers of its subscriptions.
func (h *hub) subscribe(s subscription, r receiver) {
	h.changeRoutes(func(list []route) []route { return append(list, route{s, r}) })
}

// resubscribe replaces the subscriptions of r.
func (h *hub) resubscribe(s subscription, r receiver) {
	h.changeRoutes(func(list []route) []route {
		for i := range list {
			if list[i].receiver == r {
				list[i].subscription = s
			}
		}
		return list
	})
}

// unsubscribe removes r everywhere.
func (h *hub) unsubscribe(r receiver) {
	h.changeRoutes(func(list []route) []route {
		return slices.DeleteFunc(list, func(m route) bool { return m.receiver == r })
	})
}

// changeRoutes makes new routes; change gets a copy of the list.
func (h *hub) changeRoutes(change func([]route) []route) {
	h.routesMu.Lock()
	defer h.routesMu.Unlock()
	n := &routes{patterns: map[string][]receiver{}, channels: map[string][]receiver{}, namespaces: map[string][]receiver{}}
	n.list = change(slices.Clone(h.routes.Load().list))
	for _, m := range n.list {
		for _, p := range m.patterns {
			n.patterns[p] = append(n.patterns[p], m.receiver)
		}
		for _, c := range m.channels {
			n.channels[c] = append(n.channels[c], m.receiver)
		}
		n.namespaces[m.nsp] = append(n.namespaces[m.nsp], m.receiver)
		if m.all != "" && !slices.Contains(n.counted, m.all) {
			n.counted = append(n.counted, m.all)
		}
	}
	h.routes.Store(n)
	notify(h.rerouted)
}
