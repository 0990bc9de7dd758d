package hub

import (
	"context"
	"fmt"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"sync"

	"github.com/redis/go-redis/v9"
)

// ask answers a question with commands added to pipe; the result is valid once the pipeline has
// run.
func ask(ctx context.Context, t transport, pipe redis.Pipeliner, of wire.Listeners) func() wire.Census {
	subscribers := t.numSub(ctx, pipe, of.All, of.Ours)
	var channels *redis.StringSliceCmd
	if of.Modern != "" {
		channels = pipe.PubSubChannels(ctx, of.Modern)
	}
	return func() wire.Census {
		c := wire.Census{All: int(subscribers.Val()[of.All]), Ours: int(subscribers.Val()[of.Ours])}
		if c.Modern = c.All; channels != nil {
			c.Modern = len(channels.Val())
		}
		return c
	}
}

// askCluster does the same in a Redis Cluster, where each server knows only of its own subscribers.
func askCluster(ctx context.Context, t transport, cluster *redis.ClusterClient, of wire.Listeners) (c wire.Census, err error) {
	var mu sync.Mutex
	modern := map[string]bool{}
	err = cluster.ForEachShard(ctx, func(ctx context.Context, node *redis.Client) error {
		pipe := node.Pipeline()
		subscribers := t.numSub(ctx, pipe, of.All, of.Ours)
		var channels *redis.StringSliceCmd
		if of.Modern != "" {
			channels = pipe.PubSubChannels(ctx, of.Modern)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		c.All += int(subscribers.Val()[of.All])
		c.Ours += int(subscribers.Val()[of.Ours])
		if channels != nil {
			for _, name := range channels.Val() {
				modern[name] = true
			}
		}
		return nil
	})
	if err != nil {
		return wire.Census{}, fmt.Errorf("count the instances at all servers of the Redis Cluster: %w", err)
	}
	if c.Modern = c.All; of.Modern != "" {
		c.Modern = len(modern)
	}
	return c, nil
}

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

// CountSubscribers counts who listens to channels of PubSub in a Redis Cluster.
func CountSubscribers(ctx context.Context, cluster *redis.ClusterClient, of wire.Listeners) (wire.Census, error) {
	return askCluster(ctx, pubSub{}, cluster, of)
}
