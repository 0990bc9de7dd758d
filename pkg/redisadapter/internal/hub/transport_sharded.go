package hub

import (
	"context"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/redisadapter/internal/cluster"
)

// Sharded is the mode of createShardedAdapter of @socket.io/redis-adapter 8.3; it needs Redis 7.
const Sharded Mode = "sharded"

// sharded is the transport of mode Sharded: SPUBLISH and SSUBSCRIBE, with which a Redis Cluster
// carries a message only to the servers of the channel's slot. In a Redis Cluster each namespace has
// a hub of its own, whose connections go to the server that has the namespace's slot; when the slot
// moves or the server fails, they follow. Rooms that Node nodes broadcast to are elsewhere, see
// roomListener. On a single Redis all namespaces share one hub.
type sharded struct {
	key   string
	nsp   string // of the hub in a Redis Cluster
	rooms *roomListener
}

// newSharded makes the transport of a namespace; client tells whether there is a Redis Cluster.
func newSharded(key, nsp string, client redis.UniversalClient) *sharded {
	t := &sharded{key: key, nsp: nsp}
	if c, ok := client.(*redis.ClusterClient); ok {
		t.rooms = newRoomListener(c)
	}
	return t
}

func (t *sharded) start(h *Hub) {
	if t.rooms != nil {
		h.done.Go(func() { t.rooms.run(h) })
	}
}

func (t *sharded) home() string { return cluster.ChannelsOf(t.key, t.nsp).Main }
func (t *sharded) spread() bool { return false }

func (t *sharded) beatChannel(id string) string {
	return cluster.NameInSlot(t.key+"-heartbeat#"+id+"#", cluster.SlotOf(t.home()))
}

func (t *sharded) publish(ctx context.Context, pipe redis.Pipeliner, it item) redis.Cmder {
	return pipe.SPublish(ctx, it.Channel, it.Payload)
}

func (t *sharded) numSub(ctx context.Context, c redis.Cmdable, channels ...string) *redis.MapStringIntCmd {
	return c.PubSubShardNumSub(ctx, channels...)
}

func (t *sharded) subscribe(ctx context.Context, s *redis.PubSub, _, channels []string) error {
	return each(ctx, nil, nil, s.SSubscribe, channels)
}

func (t *sharded) unsubscribe(ctx context.Context, s *redis.PubSub, _, channels []string) error {
	return each(ctx, nil, nil, s.SUnsubscribe, channels)
}
