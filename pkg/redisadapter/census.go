package redisadapter

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// census is who listens in a namespace. There is no registry of instances: each generation gives
// itself away by what it subscribes to.
//
//	                                    generation 2   generation 4   ours
//	request and response channel             x              x           x
//	a response channel of its own                           x           x
//	peers channel                                                       x
type census struct {
	all    int // instances
	modern int // of these, generation 4 and our own
	ours   int
}

// legacy is the number of generation 2 nodes.
func (c census) legacy() int { return max(c.all-c.modern, 0) }

// others is the number of instances beside this one that answer requests of generation 4.
func (c census) others() int { return max(c.modern-1, 0) }

// node4 is the number of generation 4 nodes.
func (c census) node4() int { return max(c.modern-c.ours, 0) }

// responsePattern matches the response channels that belong to one instance each.
func (n namespaceChannels) responsePattern() string { return globEscape(n.response) + "*#" }

// ask answers a question with commands added to pipe; the result is valid once the pipeline has
// run.
func ask(ctx context.Context, pipe redis.Pipeliner, n namespaceChannels) func() census {
	subscribers := pipe.PubSubNumSub(ctx, n.request, n.peers)
	channels := pipe.PubSubChannels(ctx, n.responsePattern())
	return func() census {
		return census{
			all: int(subscribers.Val()[n.request]), modern: len(channels.Val()), ours: int(subscribers.Val()[n.peers]),
		}
	}
}

// askCluster does the same in a Redis Cluster, where each server knows only of its own subscribers.
func askCluster(ctx context.Context, cluster *redis.ClusterClient, n namespaceChannels) (c census, err error) {
	var mu sync.Mutex
	modern := map[string]bool{}
	err = cluster.ForEachShard(ctx, func(ctx context.Context, node *redis.Client) error {
		pipe := node.Pipeline()
		subscribers := pipe.PubSubNumSub(ctx, n.request, n.peers)
		channels := pipe.PubSubChannels(ctx, n.responsePattern())
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		c.all += int(subscribers.Val()[n.request])
		c.ours += int(subscribers.Val()[n.peers])
		for _, name := range channels.Val() {
			modern[name] = true
		}
		return nil
	})
	if err != nil {
		return census{}, fmt.Errorf("count the instances at all servers of the Redis Cluster: %w", err)
	}
	c.modern = len(modern)
	return c, nil
}

// requestChannels are the request channels of all namespaces here.
func (h *hub) requestChannels() (names []string) {
	for name := range maps.Keys(h.routes.Load().channels) {
		if strings.HasPrefix(name, h.cfg.key+"-request#") {
			names = append(names, name)
		}
	}
	return names
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
