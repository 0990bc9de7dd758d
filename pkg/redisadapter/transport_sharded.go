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
	follow := &roomFollower{a: a, names: w.names, wanted: t.rooms, own: w.subscription(), channels: map[string]bool{}}
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
// this instance are in. A room that looks like a socket's own gets no such channel from Node.
type roomFollower struct {
	a      *Adapter
	names  clusterChannels
	wanted *roomListener // nil: the hub subscribes
	own    subscription

	mu       sync.Mutex
	channels map[string]bool
	pending  bool // changed since the hub was told
}

func (f *roomFollower) start() {
	changed := func(args ...any) {
		if room, ok := args[0].(socket.Room); ok {
			f.changed(room)
		}
	}
	_ = f.a.On("create-room", changed)
	_ = f.a.On("delete-room", changed)
}

// socketIDLength is how Node recognises a room that belongs to one socket.
const socketIDLength = 20

// changed looks whether a room is there. The events of two changes may come in the other order.
func (f *roomFollower) changed(room socket.Room) {
	if utf16Length(string(room)) == socketIDLength {
		return
	}
	channel := f.names.specific(string(room))
	f.mu.Lock()
	defer f.mu.Unlock()
	there := f.a.LocalAdapter.Sockets(setOf(roomList{roomName(room)})).Len() > 0
	if there == f.channels[channel] {
		return
	}
	if there {
		f.channels[channel] = true
	} else {
		delete(f.channels, channel)
	}
	switch {
	case f.wanted != nil && there:
		f.wanted.add(channel, f.a)
	case f.wanted != nil:
		f.wanted.remove(channel)
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
	for channel := range f.channels {
		s.channels = append(s.channels, channel)
	}
	f.a.hub.resubscribe(s, f.a)
}

// utf16Length is the length of a string in JavaScript.
func utf16Length(text string) (n int) {
	for _, r := range text {
		if n++; r > 0xffff {
			n++
		}
	}
	return n
}
