package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Mode is how messages go through Redis, and so with which Node adapter an instance forms a
// cluster. All members of a cluster must have the same.
type Mode string

// The modes. The zero value of a Mode means PubSub.
const (
	PubSub  Mode = "pubsub"  // socket.io-redis 5 and the createAdapter of @socket.io/redis-adapter
	Streams Mode = "streams" // @socket.io/redis-streams-adapter
)

var ErrMode = errors.New("unknown mode; there are pubsub, sharded and streams")

// transport is what a mode does differently below the wire: the commands that carry messages. The
// Hub's queue, publisher, subscriber and heartbeats are the same for all modes.
//
// Whatever a transport adds to a pipeline runs on the publisher's goroutine, over its one
// connection, in the order of the queue.
type transport interface {
	// start starts what the mode needs beside the publisher and the subscriber; with h.done.Go, to
	// end with h.ctx.
	start(h *Hub)
	// home is the key or channel whose master the hub connects to in a Redis Cluster.
	home() string
	// beatChannel is where the hub named id publishes its heartbeats; on the home server.
	beatChannel(id string) string

	// publish adds the command that publishes it to pipe.
	publish(ctx context.Context, pipe redis.Pipeliner, it item) redis.Cmder
	// numSub counts subscribers.
	numSub(ctx context.Context, c redis.Cmdable, channels ...string) *redis.MapStringIntCmd
	// spread tells whether the subscribers are spread over all servers of a Redis Cluster, so that
	// each must be asked.
	spread() bool
	// subscribe and unsubscribe change the subscriptions of s. Empty lists are common.
	subscribe(ctx context.Context, s *redis.PubSub, patterns, channels []string) error
	unsubscribe(ctx context.Context, s *redis.PubSub, patterns, channels []string) error
}

// durable is a transport whose broadcasts survive a break: a publish of unknown outcome is looked
// for and repeated, and readers resume where they were. Its methods run on the publisher's
// goroutine.
type durable interface {
	transport
	// opened prepares a new connection, before anything is published over it.
	opened(h *Hub, l *link) error
	// accepted notes Redis' answer to an entry.
	accepted(cmd redis.Cmder)
}

// newTransport makes the transport of a mode.
func newTransport(mode Mode, cfg Config, nsp string, client redis.UniversalClient) (transport, error) {
	switch mode {
	case PubSub, "":
		return pubSub{key: cfg.Key}, nil
	case Sharded:
		return newSharded(cfg.Key, nsp, client), nil
	case Streams:
		return newStreams(cfg), nil
	}
	return pubSub{key: cfg.Key}, fmt.Errorf("mode %q: %w", mode, ErrMode)
}

// pubSub is the transport of mode PubSub: PUBLISH and SUBSCRIBE.
type pubSub struct{ key string }

func (t pubSub) start(*Hub)   {}
func (t pubSub) home() string { return t.key }
func (t pubSub) spread() bool { return true }

func (t pubSub) beatChannel(id string) string { return t.key + "-heartbeat#" + id + "#" }

func (t pubSub) publish(ctx context.Context, pipe redis.Pipeliner, it item) redis.Cmder {
	return pipe.Publish(ctx, it.Channel, it.Payload)
}

func (t pubSub) numSub(ctx context.Context, c redis.Cmdable, channels ...string) *redis.MapStringIntCmd {
	return c.PubSubNumSub(ctx, channels...)
}

func (t pubSub) subscribe(ctx context.Context, s *redis.PubSub, patterns, channels []string) error {
	return each(ctx, s.PSubscribe, patterns, s.Subscribe, channels)
}

func (t pubSub) unsubscribe(ctx context.Context, s *redis.PubSub, patterns, channels []string) error {
	return each(ctx, s.PUnsubscribe, patterns, s.Unsubscribe, channels)
}

// each calls a function with its list unless that is empty, and another with its own.
func each(ctx context.Context, f func(context.Context, ...string) error, list []string, g func(context.Context, ...string) error, other []string) error {
	var errs []error
	if len(list) > 0 {
		errs = append(errs, f(ctx, list...))
	}
	if len(other) > 0 {
		errs = append(errs, g(ctx, other...))
	}
	return errors.Join(errs...)
}
