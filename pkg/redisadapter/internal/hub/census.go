package hub

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// counter finds out who listens. Subscribers of a channel are counted at once by Redis. To tell the
// generations apart it has to look through all its channels, no matter whose they are, which takes 25 ms at
// 100,000. So that is done only where there are instances that are not ours, and its result is kept for a
// heartbeat while as many listen as then. Owned by the publisher.
type counter struct {
	keep time.Duration
	last map[string]scanned // by the channel that everybody listens to
}

// scanned is what a look through all channels told.
type scanned struct {
	census wire.Census
	at     time.Time
}

// numbers counts subscribers of the two channels of a namespace that are counted at once.
type numbers struct{ all, ours int }

// ask adds the question to pipe; the result is valid once the pipeline has run.
func ask(ctx context.Context, t transport, pipe redis.Pipeliner, of wire.Listeners) func() numbers {
	subscribers := t.numSub(ctx, pipe, of.All, of.Ours)
	return func() numbers {
		return numbers{all: int(subscribers.Val()[of.All]), ours: int(subscribers.Val()[of.Ours])}
	}
}

// looks is how often the channels are looked through at most for one census, while nodes come and go.
const looks = 3

// census completes n. scan looks through all channels and counts again: what one that came or went in between makes of two
// numbers that do not belong together would name a generation that is not there, so it is asked again.
func (c *counter) census(of wire.Listeners, n numbers, scan func() (modern int, now numbers, err error)) (wire.Census, error) {
	for look := 1; ; look++ {
		known := wire.Census{All: n.all, Ours: n.ours, Modern: n.all}
		if of.Modern == "" || n.all == n.ours {
			return known, nil
		}
		if last, ok := c.last[of.All]; ok && last.census.All == n.all && last.census.Ours == n.ours && time.Since(last.at) < c.keep {
			return last.census, nil
		}
		modern, now, err := scan()
		if err != nil {
			return wire.Census{}, err
		}
		if known.Modern = modern; now != n {
			if n = now; look < looks {
				continue
			}
			return known, nil // for once
		}
		if c.last == nil {
			c.last = map[string]scanned{}
		}
		c.last[of.All] = scanned{known, time.Now()}
		return known, nil
	}
}

// scanOne looks through the channels of a single Redis, and counts as ask does.
func scanOne(ctx context.Context, t transport, c redis.Cmdable, of wire.Listeners) (modern int, now numbers, err error) {
	pipe := c.Pipeline()
	list := pipe.PubSubChannels(ctx, of.Modern)
	counted := ask(ctx, t, pipe, of)
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, numbers{}, fmt.Errorf("PUBSUB CHANNELS %s: %w", of.Modern, err)
	}
	return len(list.Val()), counted(), nil
}

// clusterTimeout bounds the questions to replicas of a Redis Cluster: one that is down takes no part, and
// must not hold up what is published.
const clusterTimeout = 500 * time.Millisecond

// eachServer runs f at all servers of a Redis Cluster, each of which knows only of its own subscribers.
// Masters must answer. A replica that does not is down, and nobody is subscribed there.
func eachServer(ctx context.Context, c *redis.ClusterClient, f func(context.Context, *redis.Client) error) error {
	if err := c.ForEachMaster(ctx, f); err != nil {
		return fmt.Errorf("ask all masters of the Redis Cluster: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, clusterTimeout)
	defer cancel()
	_ = c.ForEachSlave(ctx, f)
	return nil
}

// clusterNumbers counts subscribers in a Redis Cluster.
func clusterNumbers(ctx context.Context, t transport, c *redis.ClusterClient, channels ...string) (map[string]int64, error) {
	var mu sync.Mutex
	sum := map[string]int64{}
	err := eachServer(ctx, c, func(ctx context.Context, server *redis.Client) error {
		counts, err := t.numSub(ctx, server, channels...).Result()
		mu.Lock()
		defer mu.Unlock()
		for name, n := range counts {
			sum[name] += n
		}
		return err
	})
	return sum, err
}

// scanCluster looks through the channels of a Redis Cluster.
func scanCluster(ctx context.Context, c *redis.ClusterClient, pattern string) (int, error) {
	var mu sync.Mutex
	names := map[string]bool{}
	err := eachServer(ctx, c, func(ctx context.Context, server *redis.Client) error {
		list, err := server.PubSubChannels(ctx, pattern).Result()
		mu.Lock()
		defer mu.Unlock()
		for _, name := range list {
			names[name] = true
		}
		return err
	})
	return len(names), err
}

// CountSubscribers counts who listens to a channel of mode PubSub in a Redis Cluster.
func CountSubscribers(ctx context.Context, c *redis.ClusterClient, channel string) (int, error) {
	counts, err := clusterNumbers(ctx, pubSub{}, c, channel)
	return int(counts[channel]), err
}
