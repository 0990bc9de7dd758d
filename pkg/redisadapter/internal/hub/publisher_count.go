package hub

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// cluster is the Redis Cluster whose servers must all be asked who is there, if any.
func (p *publisher) cluster() *redis.ClusterClient {
	if !p.h.transport.spread() {
		return nil
	}
	c, _ := p.h.redis.Client.(*redis.ClusterClient)
	return c
}

// sendBeat publishes a heartbeat, if there is a subscriber connection to bring it back, and counts
// the instances.
func (p *publisher) sendBeat() error {
	payload, ok := p.h.nextBeat()
	if !ok {
		return p.link.Ping(p.h.ctx).Err()
	}
	if err := p.publishBeat(payload); err != nil {
		return fmt.Errorf("publish a heartbeat: %w", err)
	}
	p.h.beatConfirmed()
	return p.count()
}

func (p *publisher) publishBeat(payload string) error {
	pipe := p.link.Pipeline()
	p.h.transport.publish(p.h.ctx, pipe, item{Out: wire.Out{Channel: p.h.beat(), Payload: []byte(payload)}})
	_, err := pipe.Exec(p.h.ctx)
	return err
}

// census answers a question; counted is what was counted with the pipeline, nil on a Redis Cluster.
func (p *publisher) census(of wire.Listeners, counted func() numbers) (wire.Census, error) {
	c, err := p.listening(of, counted)
	if err == nil {
		c.Missing, c.MissedSince = p.h.attend(of.Ours, c.Ours)
	}
	return c, err
}

// listening is a census without those that are missing.
func (p *publisher) listening(of wire.Listeners, counted func() numbers) (wire.Census, error) {
	ctx := p.h.ctx
	if counted != nil {
		return p.counter.census(of, counted(), func() (int, numbers, error) {
			modern, now, err := scanOne(ctx, p.h.transport, p.link, of)
			if isDenied(err) {
				p.h.fault.warn("All nodes that are not ours are taken for socket.io 4", permission(err, "command PUBSUB CHANNELS"))
				return counted().all, counted(), nil
			}
			return modern, now, err
		})
	}
	c := p.cluster()
	n, err := clusterCount(ctx, p.h.transport, c, of)
	if err != nil {
		return wire.Census{}, err
	}
	return p.counter.census(of, n, func() (modern int, now numbers, err error) {
		if modern, err = scanCluster(ctx, c, of.Modern); err == nil {
			now, err = clusterCount(ctx, p.h.transport, c, of)
		}
		return modern, now, err
	})
}

// clusterCount is what ask finds out, in a Redis Cluster.
func clusterCount(ctx context.Context, t transport, c *redis.ClusterClient, of wire.Listeners) (numbers, error) {
	counts, err := clusterNumbers(ctx, t, c, of.All, of.Ours)
	return numbers{all: int(counts[of.All]), ours: int(counts[of.Ours])}, err
}
