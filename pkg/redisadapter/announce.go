package redisadapter

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/zishang520/socket.io-go-redis/emitter"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/classic"
	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/redisadapter/internal/hub"
	"socketio-chat/pkg/redisadapter/internal/streams"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// ErrNobody tells that no instance heard what was announced.
var ErrNobody = errors.New("no instance listens")

// Announce sends an event to all clients of a namespace, on all instances of a running cluster, ours
// and Node's, without joining it; nobody may use the Builder for anything else. It returns how many
// instances were listening. With none it returns ErrNobody, and nothing will be heard of the event
// later. Any other error means that it is not known whether it was heard; nothing is ever sent twice.
//
// Waiting for Redis ends with ctx. Of the Builder's fields only Redis, Mode, Opts (the key),
// StreamLength, MaxMessage and MaxAttachments matter.
func (b *Builder) Announce(ctx context.Context, nsp, event string, args ...any) (instances int, err error) {
	cfg := b.config()
	once := announcer{client: b.Redis.Client, cfg: cfg, nsp: nsp, codec: wire.NewCodec(cfg.MaxMessage, cfg.maxAttachments)}
	names := cluster.ChannelsOf(cfg.Key, nsp)
	switch b.Mode {
	case PubSub, "":
		return once.emit(ctx, event, args)
	case Sharded:
		return once.message(ctx, names.Main, event, args)
	case Streams:
		return once.entry(ctx, names.Main, event, args)
	}
	return 0, fmt.Errorf("mode %q: %w", b.Mode, hub.ErrMode)
}

// announcer speaks to a namespace once.
type announcer struct {
	client redis.UniversalClient
	cfg    config
	nsp    string
	codec  *wire.Codec
}

// announcerUID is in place of an instance's id. It is that of Node's emitters: receivers make no
// member of the cluster of it.
const announcerUID = string(emitter.UID)

// open returns a client of the one server that has home, which repeats no command by itself and ends
// with ctx.
func (o *announcer) open(ctx context.Context, home string) (*redis.Client, error) {
	opts, err := hub.RedisOptions(ctx, o.client, home)
	if err != nil {
		return nil, err
	}
	opts.MaxRetries, opts.DialerRetries = -1, 1
	opts.ContextTimeoutEnabled = true
	c := redis.NewClient(opts)
	if err := c.Ping(ctx).Err(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// count counts the subscribers of a channel, at all servers of a Redis Cluster.
func (o *announcer) count(ctx context.Context, c *redis.Client, channel string) (int, error) {
	if cluster, ok := o.client.(*redis.ClusterClient); ok {
		return hub.CountSubscribers(ctx, cluster, channel)
	}
	list, err := c.PubSubNumSub(ctx, channel).Result()
	return int(list[channel]), err
}

// emit announces in mode PubSub, with the library's emitter. In a Redis Cluster Redis does not say
// how many have heard it, so they are counted before.
func (o *announcer) emit(ctx context.Context, event string, args []any) (instances int, err error) {
	c, err := o.open(ctx, o.cfg.Key)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if _, spread := o.client.(*redis.ClusterClient); spread {
		if instances, err = o.count(ctx, c, classic.ChannelsOf(o.cfg.Key, o.nsp).Request); err != nil || instances == 0 {
			return 0, errors.Join(err, nobodyOf(err))
		}
	}
	counting := &publishCounter{UniversalClient: c}
	opts := emitter.DefaultEmitterOptions()
	opts.SetKey(o.cfg.Key)
	opts.SetParser(&Parser{o.codec})
	if o.cfg.parser != nil {
		opts.SetParser(o.cfg.parser)
	}
	err = emitter.NewEmitter(rtypes.NewRedisClient(ctx, counting), opts, o.nsp).Emit(event, args...)
	instances = max(instances, int(counting.heard))
	if err == nil && instances == 0 {
		err = ErrNobody
	}
	return instances, err
}

// publishCounter keeps what Redis says of a PUBLISH, which the library's emitter passes over.
type publishCounter struct {
	redis.UniversalClient
	heard int64
}

func (p *publishCounter) Publish(ctx context.Context, channel string, message any) *redis.IntCmd {
	cmd := p.UniversalClient.Publish(ctx, channel, message)
	p.heard = cmd.Val()
	return cmd
}

// message announces in mode Sharded.
func (o *announcer) message(ctx context.Context, channel, event string, args []any) (instances int, err error) {
	m, err := o.broadcast(event, args)
	if err != nil {
		return 0, err
	}
	b, _, err := cluster.Encode(o.codec, m, false)
	if err != nil {
		return 0, err
	}
	c, err := o.open(ctx, channel)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	heard, err := c.SPublish(ctx, channel, b).Result()
	if err == nil && heard == 0 {
		err = ErrNobody
	}
	return int(heard), err
}

// Entry announces in mode Streams. What is in the stream is read later by instances that were away, so it is
// not put there when nobody is there to hear it.
func (o *announcer) entry(ctx context.Context, channel, event string, args []any) (instances int, err error) {
	m, err := o.broadcast(event, args)
	if err != nil {
		return 0, err
	}
	it, err := streams.EntryOf(o.codec, m)
	if err != nil {
		return 0, err
	}
	c, err := o.open(ctx, o.cfg.Key)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if instances, err = o.count(ctx, c, channel); err != nil || instances == 0 {
		return 0, errors.Join(err, nobodyOf(err))
	}
	values := streams.EntryFields(it.Entry, "", 0) // a stamp is for those who send more than once
	err = c.XAdd(ctx, &redis.XAddArgs{Stream: o.cfg.Key, MaxLen: int64(o.cfg.StreamLength), Approx: true, Values: values}).Err()
	return instances, err
}

// broadcast makes the message of an event for all.
func (o *announcer) broadcast(event string, args []any) (cluster.Message, error) {
	data, err := socketio.EncodeData(append([]any{event}, args...))
	if err != nil {
		return cluster.Message{}, err
	}
	return cluster.Broadcast(announcerUID, o.nsp, data, nil, ""), nil
}

// nobodyOf is ErrNobody where counting went well.
func nobodyOf(err error) error {
	if err == nil {
		return ErrNobody
	}
	return nil
}
