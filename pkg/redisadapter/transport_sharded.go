package redisadapter

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
	"github.com/zishang520/socket.io/v2/socket"
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

func (t *sharded) wire(a *Adapter) wire {
	w := newClusterWire(a, t.rooms != nil)
	follow := &roomFollower{a: a, names: w.names, wanted: t.rooms, own: w.subscription(), members: map[socket.Room]int{}}
	follow.start()
	return w
}

func (t *sharded) start(h *hub) {
	if t.rooms != nil {
		h.done.Go(func() { t.rooms.run(h) })
	}
}

func (t *sharded) home() string { return clusterChannelsOf(t.key, t.nsp).main }
func (t *sharded) spread() bool { return false }

func (t *sharded) beatChannel(id string) string {
	return nameInSlot(t.key+"-heartbeat#"+id+"#", slotOf(t.home()))
}

func (t *sharded) publish(ctx context.Context, pipe redis.Pipeliner, it item) redis.Cmder {
	return pipe.SPublish(ctx, it.channel, it.payload)
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

// roomFollower subscribes to the channels on which Node nodes broadcast to the rooms that sockets of
// this instance are in. The room that each socket has for itself is left out: Node nodes use the main
// channel for those, if the socket's id is one of 20 characters, or always if they were made with
// subscriptionMode "static"; a subscription for each client would be too much.
type roomFollower struct {
	a      *Adapter
	names  clusterChannels
	wanted *roomListener // nil: the hub subscribes
	own    subscription

	mu      sync.Mutex
	members map[socket.Room]int // rooms with members, or, for a moment, with less than none
	pending bool                // changed since the hub was told
}

// start follows the adapter's events. Those of two changes may come in the other order, so members
// are counted.
func (f *roomFollower) start() {
	changed := func(by int) func(args ...any) {
		return func(args ...any) {
			room, ok := args[0].(socket.Room)
			if id, isID := args[1].(socket.SocketId); ok && isID && string(id) != string(room) {
				f.changed(room, by)
			}
		}
	}
	_ = f.a.On("join-room", changed(+1))
	_ = f.a.On("leave-room", changed(-1))
}

// changed counts a member that has come or gone.
func (f *roomFollower) changed(room socket.Room, by int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.members[room] > 0
	f.members[room] += by
	there := f.members[room] > 0
	if f.members[room] == 0 {
		delete(f.members, room)
	}
	switch {
	case there == before:
	case f.wanted != nil && there:
		f.wanted.add(f.names.specific(string(room)), f.a)
	case f.wanted != nil:
		f.wanted.remove(f.names.specific(string(room)))
	case !f.pending:
		// Thousands of rooms may come at once; they are told together.
		f.pending = true
		go f.tell()
	}
}

// tell gives the hub the list as it is now.
func (f *roomFollower) tell() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = false
	s := f.own
	s.channels = append([]string(nil), s.channels...)
	for room, members := range f.members {
		if members > 0 {
			s.channels = append(s.channels, f.names.specific(string(room)))
		}
	}
	f.a.hub.resubscribe(s, f.a)
}
