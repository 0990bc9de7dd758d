package forward

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Times of the registry.
const (
	beat       = 3 * time.Second        // between two renewals
	entryLife  = 12 * time.Second       // of an entry that is not renewed
	secretLife = 7 * 24 * time.Hour     // of the secret, from the last renewal
	minReading = 100 * time.Millisecond // between two readings
)

// Bounds of what is read, whatever is in Redis.
const (
	maxMembers = 4096 // instances
	maxEntry   = 512  // bytes of one's entry
)

// A registry is this instance's view of the keys in Redis. Its methods belong to
// one goroutine, but for state.
type registry struct {
	redis   redis.UniversalClient
	prefix  string
	tag     string
	secrets *secrets
	given   bool // the secret is the operator's

	mu         sync.Mutex
	registered bool
	addr       string
}

func (r *registry) state() (registered bool, addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.registered, r.addr
}

func (r *registry) setState(registered bool, addr string) (was bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, r.registered, r.addr = r.registered, registered, addr
	return was
}

func (r *registry) members() string         { return r.prefix + "instances" }
func (r *registry) entry(tag string) string { return r.prefix + "instance:" + tag }
func (r *registry) secretKey() string       { return r.prefix + "secret" }

// agree learns the secret that is in Redis. An instance that finds none there
// puts in the one it knows, so it survives a Redis that has lost everything.
func (r *registry) agree(ctx context.Context) error {
	if r.given {
		return r.redis.Ping(ctx).Err() // tells where Redis is reached from
	}
	mine := string(r.secrets.current())
	if mine == "" {
		mine = randomText(44) // 264 bits
	}
	var agreed *redis.StringCmd
	_, err := r.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.SetNX(ctx, r.secretKey(), mine, secretLife)
		p.Expire(ctx, r.secretKey(), secretLife)
		agreed = p.Get(ctx, r.secretKey())
		return nil
	})
	if err != nil {
		return fmt.Errorf("agree on the cluster's secret, %s: %w", r.secretKey(), err)
	}
	if n := len(agreed.Val()); n < minSecret || n > maxSecret {
		return fmt.Errorf("what is in Redis as %s has %d bytes and is no secret: delete it, or set CLUSTER_SECRET", r.secretKey(), n)
	}
	r.secrets.set([]byte(agreed.Val()))
	return nil
}

// renew enters this instance, or keeps it from expiring.
func (r *registry) renew(ctx context.Context, addr string) error {
	text := "1 " + addr + " " + hex.EncodeToString(entryMAC(r.secrets.current(), r.tag, addr))
	_, err := r.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, r.entry(r.tag), text, entryLife) // before the set, whose members without entry are removed
		p.SAdd(ctx, r.members(), r.tag)
		p.Expire(ctx, r.members(), secretLife)
		return nil
	})
	if err != nil {
		return fmt.Errorf("enter this instance into the registry, %s: %w", r.members(), err)
	}
	return nil
}

// leave removes this instance.
func (r *registry) leave(ctx context.Context) error {
	_, err := r.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.SRem(ctx, r.members(), r.tag)
		p.Del(ctx, r.entry(r.tag))
		return nil
	})
	if err != nil {
		return fmt.Errorf("leave the registry: %w", err)
	}
	return nil
}

// read returns the address of each instance by its tag. Entries that do not
// prove to be of the cluster are left out.
func (r *registry) read(ctx context.Context) (map[string]string, error) {
	tags, err := r.redis.SMembers(ctx, r.members()).Result()
	if err != nil {
		return nil, fmt.Errorf("read the registry, %s: %w", r.members(), err)
	}
	addrs := make(map[string]string, len(tags))
	var keys []string
	n := 0
	for _, tag := range tags {
		if isTag(tag) && n < maxMembers {
			tags[n] = tag
			keys = append(keys, r.entry(tag))
			n++
		}
	}
	if n == 0 {
		return addrs, nil
	}
	texts, err := r.redis.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, fmt.Errorf("read the registry: %w", err)
	}
	var gone []any
	for i, v := range texts {
		text, ok := v.(string)
		if !ok {
			gone = append(gone, tags[i])
			continue
		}
		if addr, ok := r.parse(tags[i], text); ok {
			addrs[tags[i]] = addr
		}
	}
	if len(gone) > 0 {
		_ = r.redis.SRem(ctx, r.members(), gone...).Err() // the next reading tries again
	}
	return addrs, nil
}

func (r *registry) parse(tag, text string) (addr string, ok bool) {
	if len(text) > maxEntry {
		return "", false
	}
	version, rest, _ := strings.Cut(text, " ")
	addr, mac, _ := strings.Cut(rest, " ")
	if _, _, err := net.SplitHostPort(addr); version != "1" || err != nil {
		return "", false
	}
	return addr, r.secrets.verify(hexMAC(mac), "entry", tag, addr) != nil
}

// A vantage notices from which address of this host Redis is reached: that is
// one of the network that the instances share.
type vantage struct {
	mu sync.Mutex
	ip net.IP
}

// watch follows the connections that client makes from now on.
func (v *vantage) watch(client redis.UniversalClient) {
	if c, ok := client.(*redis.ClusterClient); ok {
		c.OnNewNode(func(node *redis.Client) { node.AddHook(v) })
		return
	}
	client.AddHook(v)
}

// host is 127.0.0.1 if Redis is reached over no network at all.
func (v *vantage) host() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ip == nil {
		return "127.0.0.1"
	}
	return v.ip.String()
}

// DialHook implements redis.Hook.
func (v *vantage) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := next(ctx, network, addr)
		if err == nil {
			if tcp, ok := c.LocalAddr().(*net.TCPAddr); ok {
				v.mu.Lock()
				v.ip = tcp.IP
				v.mu.Unlock()
			}
		}
		return c, err
	}
}

// ProcessHook implements redis.Hook.
func (v *vantage) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (v *vantage) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
