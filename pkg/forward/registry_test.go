package forward

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func newRegistry(client redisClient, given string) *registry {
	r := &registry{redis: client, prefix: DefaultPrefix, tag: randomText(tagLen), secrets: &secrets{}}
	if given != "" {
		r.secrets.set([]byte(given))
		r.given = true
	}
	return r
}

func (r *registry) mustAgree(t *testing.T) {
	t.Helper()
	if err := r.agree(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *registry) mustRenew(t *testing.T, addr string) {
	t.Helper()
	if err := r.renew(t.Context(), addr); err != nil {
		t.Fatal(err)
	}
}

func (r *registry) want(t *testing.T, want map[string]string) {
	t.Helper()
	if got, err := r.read(t.Context()); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// Join returns when the others can find the instance, or could not be told; of a Redis that does not answer only the context gets tired.
func TestJoin(t *testing.T) {
	start := func(client redis.UniversalClient) *Forwarder {
		t.Cleanup(func() { _ = client.Close() })
		f, err := New(Options{Redis: client})
		if err != nil {
			t.Fatal(err)
		}
		f.Start(http.NotFoundHandler(), nil)
		t.Cleanup(func() { _ = f.Close(context.Background()) })
		return f
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	newClient := startRedis(t)
	f, other := start(newClient()), newRegistry(newClient(), "")
	if err := f.Join(ctx); err != nil {
		t.Error(err)
	}
	other.mustAgree(t)
	if found, err := other.read(ctx); err != nil || found[f.tag] == "" {
		t.Errorf("the others find %v, %v", found, err)
	}
	nobody, silent := listenSilently(t), listenSilently(t)
	nobody.Close()
	if err := start(redis.NewClient(&redis.Options{Addr: nobody.Addr().String(), MaxRetries: -1, DialerRetries: 1})).Join(ctx); !errors.Is(err, errUnregistered) {
		t.Errorf("without Redis: %v", err)
	}
	tired, stop := context.WithCancel(ctx)
	stop()
	if err := start(redis.NewClient(&redis.Options{Addr: silent.Addr().String(), MaxRetries: -1, ReadTimeout: time.Second})).Join(tired); !errors.Is(err, context.Canceled) {
		t.Errorf("with one that does not answer: %v", err)
	}
}

// listenSilently takes connections and says nothing.
func listenSilently(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestRegistry(t *testing.T) {
	newClient := startRedis(t)
	client := newClient()
	a, b := newRegistry(newClient(), ""), newRegistry(newClient(), "")
	a.want(t, nil)
	a.mustAgree(t)
	b.mustAgree(t)
	if s := string(a.secrets.current()); s != string(b.secrets.current()) || len(s) < 40 {
		t.Fatalf("the secrets are %q and %q", s, b.secrets.current())
	}
	a.mustRenew(t, "127.0.0.1:1")
	b.mustRenew(t, "[::1]:2")
	all := map[string]string{a.tag: "127.0.0.1:1", b.tag: "[::1]:2"}
	a.want(t, all)
	for _, key := range []string{a.members(), a.entry(a.tag), a.secretKey()} {
		if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > secretLife {
			t.Errorf("%s expires in %v", key, ttl)
		}
	}

	// A Redis that has lost everything gets the same secret again.
	secret := string(a.secrets.current())
	client.FlushAll(t.Context())
	a.want(t, nil)
	b.mustAgree(t)
	b.mustRenew(t, "[::1]:2")
	a.mustAgree(t)
	a.mustRenew(t, "127.0.0.1:1")
	if string(a.secrets.current()) != secret {
		t.Error("the secret has changed")
	}
	b.want(t, all)

	// An entry that was not renewed is gone, its tag as well.
	client.Del(t.Context(), a.entry(a.tag))
	b.want(t, map[string]string{b.tag: "[::1]:2"})
	if client.SIsMember(t.Context(), a.members(), a.tag).Val() {
		t.Error("the tag of an entry that has expired is left")
	}
	a.mustRenew(t, "127.0.0.1:1")
	a.want(t, all)
	if err := a.leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(t, map[string]string{b.tag: "[::1]:2"})
	if n := client.Exists(t.Context(), a.entry(a.tag)).Val(); n != 0 {
		t.Error("an instance that has left is still there")
	}
}

// Somebody who can write to Redis, but does not know the secret, leads nobody anywhere.
func TestForgedEntries(t *testing.T) {
	newClient := startRedis(t)
	client := newClient()
	const secret = "known to the operator only"
	a := newRegistry(newClient(), secret)
	a.mustAgree(t)
	a.mustRenew(t, "127.0.0.1:1")
	if client.Exists(t.Context(), a.secretKey()).Val() != 0 {
		t.Error("the operator's secret is in Redis")
	}
	honest := client.Get(t.Context(), a.entry(a.tag)).Val()
	mallory := newRegistry(client, "another one that is long enough")
	mallory.mustRenew(t, "169.254.169.254:80")
	for i, text := range []string{"", "1", "1 ", "1 x:1 ", "1 x:1 00", "2" + honest[1:], honest[:len(honest)-1], "1 127.0.0.1:2" + honest[len("1 127.0.0.1:1"):], honest} {
		tag := fmt.Sprintf("forged-%d", i) // the last: the entry of another instance
		client.SAdd(t.Context(), a.members(), tag)
		client.Set(t.Context(), a.entry(tag), text, time.Minute)
	}
	client.SAdd(t.Context(), a.members(), "a tag that is none", "..")
	a.want(t, map[string]string{a.tag: "127.0.0.1:1"})
	client.Del(t.Context(), a.members())
	client.Set(t.Context(), a.members(), "of another type", 0)
	if _, err := a.read(t.Context()); err == nil {
		t.Error("a registry that is none was read")
	}
}

// What stands in Redis in place of the secret is not taken for it: with none, everybody who reaches the internal listener would be an instance. The
// error names the key. Entries that nobody of ours has written are not looked at.
func TestSecretThatIsNone(t *testing.T) {
	client := startRedis(t)()
	a := newRegistry(client, "")
	for _, secret := range []string{"", "short", strings.Repeat("x", 1<<20)} {
		client.Set(t.Context(), a.secretKey(), secret, 0)
		if err := a.agree(t.Context()); err == nil || !strings.Contains(err.Error(), a.secretKey()) || a.secrets.current() != nil {
			t.Errorf("%.10q: %v", secret, err)
		}
	}
	client.Del(t.Context(), a.secretKey())
	client.LPush(t.Context(), a.secretKey(), "x")
	if err := a.agree(t.Context()); err == nil || !strings.Contains(err.Error(), a.secretKey()) {
		t.Errorf("a list: %v", err)
	}
	client.Del(t.Context(), a.secretKey())
	a.mustAgree(t)
	a.mustRenew(t, "127.0.0.1:1")
	for i, spoil := range []func(key string){
		func(key string) { client.LPush(t.Context(), key, "x") },
		func(key string) { client.Set(t.Context(), key, "1 127.0.0.1:"+strings.Repeat("1", 8<<20), 0) },
	} {
		tag := randomText(tagLen)
		client.SAdd(t.Context(), a.members(), tag)
		spoil(a.entry(tag))
		if addr, err := a.read(t.Context()); err != nil || len(addr) != 1 {
			t.Errorf("%d: %v, %v", i, addr, err)
		}
	}
}

// The address from which Redis is reached is one that others can use.
func TestVantage(t *testing.T) {
	v := &vantage{}
	if v.host() != "127.0.0.1" {
		t.Errorf("before: %s", v.host())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, client := range []redis.UniversalClient{
		redis.NewClient(&redis.Options{Addr: l.Addr().String(), MaxRetries: -1}),
		redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{l.Addr().String()}, MaxRetries: -1, MaxRedirects: 1}),
	} {
		v := &vantage{}
		v.watch(client)
		ctx, cancel := context.WithCancel(t.Context())
		pinged := make(chan error, 1)
		go func() { pinged <- client.Ping(ctx).Err() }()
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is known how Redis is reached", func() bool {
			v.mu.Lock()
			defer v.mu.Unlock()
			return v.ip != nil && v.ip.String() == "127.0.0.1"
		})
		nc.Close()
		cancel()
		client.Close()
		<-pinged
	}
}
