package hub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

var (
	ErrClientType = errors.New("redisadapter takes a *redis.Client or a *redis.ClusterClient; pass one of those in Builder.Redis")
	errRedial     = errors.New("connection to Redis is gone")
)

// link is a Redis client with exactly one connection, which is open when the link is made. go-redis
// repairs connections behind its user's back and repeats commands; here a break must be noticed (it
// is a gap in what we received) and nothing may be sent twice. So the client gets no second
// connection, and the owner of the link makes a new one.
type link struct {
	*redis.Client
	conn *countingConn
}

// countingConn counts what is written, so that a failed batch can be told from one that never left.
type countingConn struct {
	net.Conn
	written atomic.Int64
	stop    func() bool
	closed  func(*countingConn)
}

func (c *countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

func (c *countingConn) Close() error {
	c.stop()
	c.closed(c)
	return c.Conn.Close()
}

// dial connects to where the user's client connects. The connection closes when ctx ends.
func (h *Hub) dial(ctx context.Context) (*link, error) {
	opts, err := RedisOptions(ctx, h.redis.Client, h.transport.home())
	if err != nil {
		return nil, err
	}
	return h.dialWith(ctx, opts)
}

// dialWith does so with opts, which it changes.
func (h *Hub) dialWith(ctx context.Context, opts *redis.Options) (*link, error) {
	dialer, timeout := opts.Dialer, opts.DialTimeout
	dialCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	raw, err := dialer(dialCtx, opts.Network, opts.Addr)
	if err != nil {
		return nil, fmt.Errorf("connect to Redis at %s: %w", opts.Addr, err)
	}
	discardOnClose(raw)
	conn := &countingConn{Conn: raw, closed: h.masters.remove}
	h.masters.add(conn)
	conn.stop = context.AfterFunc(ctx, func() { raw.Close() })

	var once sync.Once
	opts.Dialer = func(context.Context, string, string) (c net.Conn, err error) {
		err = errRedial
		once.Do(func() { c, err = conn, nil })
		return c, err
	}
	opts.Protocol = 2 // RESP3 would let the server move us to another node silently
	opts.MaxRetries, opts.DialerRetries = -1, 1
	if opts.ReadTimeout <= 0 {
		opts.ReadTimeout = 5 * time.Second // without one, a Redis that hangs would never be noticed
	}
	opts.PoolSize, opts.MinIdleConns, opts.MaxIdleConns, opts.PipelinePoolSize = 2, 0, 2, -1 // a pool of one starts a goroutine when a dial fails
	opts.ConnMaxIdleTime, opts.ConnMaxLifetime = -1, 0
	opts.ClientSideCache, opts.ClientSideCacheConfig, opts.PushNotificationProcessor = nil, nil, nil
	return &link{Client: redis.NewClient(opts), conn: conn}, nil
}

// discardOnClose makes Close drop what was written and is still here. The kernel would go on sending it for minutes after the connection was
// given up, and Redis take it after what later connections say.
func discardOnClose(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it fails if the connection is gone
	}
}

// Close closes the connection too if the client never took it over.
func (l *link) Close() error {
	return errors.Join(l.Client.Close(), ignoreClosed(l.conn.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// RedisOptions returns a copy of the options of the user's client. Of a Redis Cluster it takes one
// master: a message published at any node reaches the subscribers at all nodes, but only those of
// one node stay in order. home is a key or channel of that master.
func RedisOptions(ctx context.Context, client redis.UniversalClient, home string) (*redis.Options, error) {
	if c, ok := client.(*redis.ClusterClient); ok {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		c.ReloadState(ctx) // for the next attempt, should this one go to a server that is no longer the master
		master, err := c.MasterForKey(ctx, home)
		if err != nil {
			return nil, fmt.Errorf("find a master of the Redis Cluster: %w", err)
		}
		return ownOptions(master.Options()), nil
	}
	if c, ok := client.(interface{ Options() *redis.Options }); ok {
		return ownOptions(c.Options()), nil
	}
	return nil, ErrClientType
}

// ownOptions copies options. What a client changes behind its options' pointers while it connects is not shared.
func ownOptions(o *redis.Options) *redis.Options {
	own := *o
	own.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &own
}

// backoff spaces attempts to connect: doubling from min to max, each with up to half of it cut off
// at random so that instances that lost the same Redis do not come back in step.
type backoff struct {
	min, max, next time.Duration
}

func newBackoff() *backoff {
	const first, last = 50 * time.Millisecond, 2 * time.Second
	return &backoff{min: first, max: last, next: first}
}

func (b *backoff) reset() { b.next = b.min }

// step returns how long to wait before the next attempt.
func (b *backoff) step() time.Duration {
	d := b.next - rand.N(b.next/2+1)
	b.next = min(b.next*2, b.max)
	return d
}

// wait pauses before the next attempt; false: ctx has ended.
func (b *backoff) wait(ctx context.Context) bool {
	t := time.NewTimer(b.step())
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
