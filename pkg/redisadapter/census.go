package redisadapter

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"
)

// ask answers a question with commands added to pipe; the result is valid once the pipeline has
// run.
func ask(ctx context.Context, t transport, pipe redis.Pipeliner, of listeners) func() census {
	subscribers := t.numSub(ctx, pipe, of.all, of.ours)
	var channels *redis.StringSliceCmd
	if of.modern != "" {
		channels = pipe.PubSubChannels(ctx, of.modern)
	}
	return func() census {
		c := census{all: int(subscribers.Val()[of.all]), ours: int(subscribers.Val()[of.ours])}
		if c.modern = c.all; channels != nil {
			c.modern = len(channels.Val())
		}
		return c
	}
}

// askCluster does the same in a Redis Cluster, where each server knows only of its own subscribers.
func askCluster(ctx context.Context, t transport, cluster *redis.ClusterClient, of listeners) (c census, err error) {
	var mu sync.Mutex
	modern := map[string]bool{}
	err = cluster.ForEachShard(ctx, func(ctx context.Context, node *redis.Client) error {
		pipe := node.Pipeline()
		subscribers := t.numSub(ctx, pipe, of.all, of.ours)
		var channels *redis.StringSliceCmd
		if of.modern != "" {
			channels = pipe.PubSubChannels(ctx, of.modern)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		c.all += int(subscribers.Val()[of.all])
		c.ours += int(subscribers.Val()[of.ours])
		if channels != nil {
			for _, name := range channels.Val() {
				modern[name] = true
			}
		}
		return nil
	})
	if err != nil {
		return census{}, fmt.Errorf("count the instances at all servers of the Redis Cluster: %w", err)
	}
	if c.modern = c.all; of.modern != "" {
		c.modern = len(modern)
	}
	return c, nil
}

// countedChannels are the channels that every instance listens to, of all namespaces here.
func (h *hub) countedChannels() []string { return h.routes.Load().counted }

// mostSubscribers is the size of the cluster: not every instance need have every namespace.
func mostSubscribers(counts ...map[string]int64) (most int) {
	sum := map[string]int64{}
	for _, c := range counts {
		for name, n := range c {
			sum[name] += n
			most = max(most, int(sum[name]))
		}
	}
	return most
}
