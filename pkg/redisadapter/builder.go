package redisadapter

import (
	"log/slog"
	"time"

	radapter "github.com/zishang520/socket.io-go-redis/adapter"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/hub"
	"socketio-chat/pkg/socketio"
)

// Builder makes the cluster adapters of a server's namespaces, which share its two connections to
// Redis. It has the fields of the library's RedisAdapterBuilder, and more. The fields must not
// change once New or Status was called.
type Builder struct {
	// Redis tells where and how to connect: a *redis.Client (also one of redis.NewFailoverClient)
	// or a *redis.ClusterClient. Its options are copied, except those that would lose or double
	// messages. Its connections are used for sessions that are left behind and for
	// nothing else, nor is it closed; when its Context ends, so do the
	// adapters. It emits "error" for faults of the connection.
	Redis *rtypes.RedisClient
	// Mode is how messages go through Redis, "": PubSub.
	Mode Mode
	// Opts are the library's options: key ("socket.io"), parser (nil: Node's format), requests
	// timeout (5 s), and whether a generation 4 node is answered on a channel of its own (false).
	// May be nil.
	Opts radapter.RedisAdapterOptionsInterface

	// QueueBytes bounds what waits to be published, 0: 8 MiB, in mode Streams 64 MiB. HoldFor bounds
	// how long, 0: 10 s, in mode Streams 10 minutes; that is how long an outage of Redis may last
	// before messages are dropped.
	QueueBytes int
	HoldFor    time.Duration
	// StreamLength is about how many entries the stream keeps in mode Streams, 0: 100,000, and
	// StreamBytes about how many bytes, 0: 64 MiB; the lower counts. An instance that was away for
	// more than that has a gap. All instances should have the same, the lowest counts.
	StreamLength, StreamBytes int
	// OnGap is called in mode Streams when broadcasts of other instances are found missing, before
	// those that follow are delivered. It runs on a goroutine of the adapter and must not block.
	OnGap func(Gap)
	// MaxMessage bounds a message in both directions, in bytes, 0: 16 MiB.
	MaxMessage int
	// MaxAttachments bounds the binary values of a message in both directions, 0: 10, 255 at most. A
	// message with more is counted in Status and goes nowhere: clients that were not told otherwise
	// close their connection over it. It should be the server's Limits.Attachments.
	MaxAttachments int
	// Heartbeat is how often the connections are proven live, 0: 1 s. Silence is how long after a
	// Heartbeat a subscriber connection that brings nothing is given up, 0: 5 s; it should be
	// longer than this process may ever be held up. That it publishes, a connection proves by
	// Redis' answers, for which the client's ReadTimeout counts.
	Heartbeat, Silence time.Duration
	// OnChange is called, one call at a time, after Joined has changed. It runs on a goroutine of
	// the adapter and must not block.
	OnChange func(Status)
	// Logger gets joins, losses and, at most every ten seconds for each kind, faults. Never message
	// contents. nil: nothing is logged.
	Logger *slog.Logger

	recheck time.Duration // of an idle stream, 0: 15 s
	hubs    hubs
}

var _ socket.AdapterConstructor = (*Builder)(nil)

// New makes the adapter of a namespace and starts to join the cluster. It does not wait for Redis
// and never fails.
func (b *Builder) New(nsp socket.Namespace) socket.Adapter {
	a := MakeRedisAdapter()
	a.hub, a.ownsHub = b.hubFor(nsp.Name()), b.each()
	a.mode, a.spread, a.cfg = b.Mode, b.each(), b.config()
	a.SetRedis(b.Redis)
	a.SetOpts(b.Opts)
	a.Construct(nsp)
	return a
}

// config is what a Builder's fields come to.
type config struct {
	hub.Config
	requestsTimeout time.Duration
	specific        bool // answer generation 4 nodes on a channel of their own
	parser          rtypes.Parser
	maxAttachments  int
}

// config applies the defaults.
func (b *Builder) config() config {
	c := config{Config: hub.Config{
		Key: "socket.io", QueueBytes: 8 << 20, HoldFor: 10 * time.Second, MaxMessage: 16 << 20,
		Heartbeat: time.Second, Silence: 5 * time.Second, OnChange: b.OnChange, OnGap: b.OnGap, Log: b.Logger,
		StreamLength: 100_000, StreamBytes: 64 << 20,
	}, requestsTimeout: 5 * time.Second, maxAttachments: socketio.DefaultAttachments}
	if b.Mode == Streams {
		c.QueueBytes, c.HoldFor = 64<<20, 10*time.Minute
	}
	set(&c.StreamLength, b.StreamLength)
	set(&c.StreamBytes, b.StreamBytes)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	set(&c.QueueBytes, b.QueueBytes)
	set(&c.HoldFor, b.HoldFor)
	set(&c.MaxMessage, b.MaxMessage)
	set(&c.maxAttachments, min(b.MaxAttachments, msgpack.MaxAttachments))
	c.Recheck = b.recheck
	set(&c.Heartbeat, b.Heartbeat)
	set(&c.Silence, b.Silence)
	if o := b.Opts; o != nil {
		if o.GetRawKey() != nil {
			c.Key = o.Key()
		}
		set(&c.requestsTimeout, o.RequestsTimeout())
		c.specific = o.PublishOnSpecificResponseChannel()
		if _, ours := o.GetRawParser().(*Parser); !ours {
			c.parser = o.GetRawParser()
		}
	}
	return c
}

// set replaces a default by what was configured.
func set[T int | time.Duration](to *T, value T) {
	if value > 0 {
		*to = value
	}
}
