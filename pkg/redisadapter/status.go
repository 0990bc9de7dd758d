package redisadapter

import "socketio-chat/pkg/redisadapter/internal/hub"

// Mode is how messages go through Redis, and so with which Node adapter an instance forms a
// cluster. All members of a cluster must have the same. The zero value means PubSub.
type Mode = hub.Mode

// The modes.
const (
	PubSub  = hub.PubSub  // socket.io-redis 5 and the createAdapter of @socket.io/redis-adapter
	Sharded = hub.Sharded // createShardedAdapter of @socket.io/redis-adapter 8.3; it needs Redis 7
	Streams = hub.Streams // @socket.io/redis-streams-adapter
)

// Status is a snapshot of the connection to the cluster.
type Status = hub.Status

// Gap tells that broadcasts of other instances are lost to this one, in mode Streams.
type Gap = hub.Gap

// An UnpublishedError tells what [Builder.Close] gave up: messages that Redis did not take in time.
type UnpublishedError = hub.UnpublishedError

// A PermissionError, as Status.LastError, tells what the Redis user lacks.
type PermissionError = hub.PermissionError

var (
	// ErrNotJoined is what calls that need the other instances return while Redis is out of reach.
	ErrNotJoined = hub.ErrNotJoined
	// ErrClosed is what they return after Close.
	ErrClosed = hub.ErrClosed
)
