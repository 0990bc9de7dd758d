package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/config"
	"socketio-chat/pkg/redisadapter"
)

// cluster is this instance's membership in the cluster that a Redis joins.
type cluster struct {
	log     *slog.Logger
	builder *redisadapter.Builder
	client  redis.UniversalClient
	closing sync.Once // of client
}

func newCluster(r config.Redis, attachments int, log *slog.Logger) *cluster {
	redis.SetLogger(redisLog{log}) // would write to standard error by itself
	client := newRedisClient(r)
	return &cluster{
		log: log, client: client,
		builder: &redisadapter.Builder{
			Redis: rtypes.NewRedisClient(context.Background(), client),
			Mode:  redisadapter.Mode(r.Adapter), QueueBytes: r.QueueBytes, HoldFor: r.Hold, StreamLength: r.StreamLength, StreamBytes: r.StreamBytes,
			MaxAttachments: attachments, Logger: log,
		},
	}
}

// dialTimeout bounds the attempt to reach one of several servers: the next may be well.
const dialTimeout = 2 * time.Second

// newRedisClient makes a client for whatever kind of Redis is configured. It does not
// connect yet.
func newRedisClient(r config.Redis) redis.UniversalClient {
	t := r.Target()
	switch t.Kind {
	case config.RedisSentinel:
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: t.Master, SentinelAddrs: t.Addrs,
			SentinelUsername: t.SentinelUser, SentinelPassword: t.SentinelPassword.Reveal(),
			Username: t.User, Password: t.Password.Reveal(), DB: t.DB, TLSConfig: r.TLS(),
			DialTimeout: dialTimeout, DialerRetries: 1, ContextTimeoutEnabled: true,
		})
	case config.RedisCluster:
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: t.Addrs, Username: t.User, Password: t.Password.Reveal(), TLSConfig: r.TLS(),
			DialTimeout: dialTimeout, DialerRetries: 1, ContextTimeoutEnabled: true,
		})
	}
	network := "tcp"
	if t.Unix {
		network = "unix"
	}
	return redis.NewClient(&redis.Options{
		Network: network, Addr: t.Addrs[0], Username: t.User, Password: t.Password.Reveal(), DB: t.DB, TLSConfig: r.TLS(),
		ContextTimeoutEnabled: true,
	})
}

// ready is the check of /readyz. Where Redis is and what it said is for the log alone:
// anybody may ask for /readyz.
func (c *cluster) ready() error {
	status := c.builder.Status()
	if status.Joined {
		return nil
	}
	if denied := (*redisadapter.PermissionError)(nil); errors.As(status.LastError, &denied) {
		return fmt.Errorf("not joined to the cluster: the Redis user may not use %s; this instance serves its own clients only", denied.Missing)
	}
	return errors.New("not joined to the cluster; this instance serves its own clients only")
}

// close publishes what is queued, as long as ctx allows. It may be called again.
func (c *cluster) close(ctx context.Context) error {
	err := c.builder.Close(ctx)
	var lost *redisadapter.UnpublishedError
	if errors.As(err, &lost) {
		c.log.Warn("messages for other instances were given up: Redis did not take them in time",
			"messages", lost.Messages, "bytes", lost.Bytes, "err", lost.Err)
		err = nil
	}
	c.closing.Do(func() { err = errors.Join(err, c.client.Close()) })
	return err
}

// redisLog takes what the Redis client says of its connections. What matters of it, the
// adapter says in its own words.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, fmt.Sprintf(format, args...), "from", "redis client")
}
