package redisadapter

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/hub"
)

// sentinels is a master with a replica, watched by three Sentinels.
type sentinels struct {
	data  []*testServer
	watch []*testServer
}

// startSentinels returns when the Sentinels know each other and the replica.
func startSentinels(tb testing.TB) *sentinels {
	tb.Helper()
	newRedis(tb) // says so if there is no redis-server
	s := &sentinels{}
	tb.Cleanup(func() {
		for _, server := range append(s.watch, s.data...) {
			server.remove()
		}
	})
	start := func(list *[]*testServer, args ...string) *testServer {
		server, err := startServer(args...)
		*list = append(*list, server)
		if err != nil {
			tb.Fatal(err)
		}
		return server
	}
	common := []string{"--port", "$PORT", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", "secret", "--masterauth", "secret", "--repl-diskless-sync-delay", "0"}
	master := start(&s.data, common...)
	start(&s.data, append(common, "--replicaof", "127.0.0.1 "+fmt.Sprint(master.port))...)
	for range 3 {
		dir, err := os.MkdirTemp("", "sentinel")
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { os.RemoveAll(dir) })
		conf := filepath.Join(dir, "conf")
		text := fmt.Sprintf("bind 127.0.0.1\nsentinel monitor chat 127.0.0.1 %d 2\nsentinel auth-pass chat secret\n"+
			"sentinel down-after-milliseconds chat 700\nsentinel failover-timeout chat 3000\n", master.port)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		start(&s.watch, conf, "--sentinel", "--port", "$PORT")
	}
	eventually(tb, "the Sentinels are a quorum", func() bool {
		for _, w := range s.watch {
			c := w.client()
			v, err := c.Do(context.Background(), "SENTINEL", "MASTER", "chat").StringSlice()
			c.Close()
			text := strings.Join(v, " ")
			if err != nil || !strings.Contains(text, "num-slaves 1 ") || !strings.Contains(text, "num-other-sentinels 2 ") {
				return false
			}
		}
		return true
	})
	return s
}

func (s *sentinels) use(tb testing.TB) func(*Builder) {
	return func(b *Builder) {
		opts := &redis.FailoverOptions{MasterName: "chat", Password: "secret", DialTimeout: time.Second, ReadTimeout: time.Second, DialerRetries: 1}
		for _, w := range s.watch {
			opts.SentinelAddrs = append(opts.SentinelAddrs, w.addr())
		}
		client := redis.NewFailoverClient(opts)
		tb.Cleanup(func() { client.Close() })
		b.Redis = rtypes.NewRedisClient(context.Background(), client)
	}
}

// The master dies: the Sentinels choose the replica, and chat heals by itself.
func TestSentinelFailover(t *testing.T) {
	s := startSentinels(t)
	list := []*instance{newInstance(t, nil, "alpha", s.use(t)), newInstance(t, nil, "beta", s.use(t))}
	for _, i := range list {
		i.joined()
		eventually(t, i.name+" sees all", func() bool { return i.builder.Status().Servers == 2 })
	}
	bob := list[1].connect("bob")
	stop := stream(t, list[0], bob)
	s.data[0].kill()
	for _, i := range list {
		i.lost()
	}
	for _, i := range list {
		i.joined()
	}
	sent, lost := stop()
	t.Logf("%d sent, %d lost; %+v", sent, lost, list[0].builder.Status())
	if g := list[1].builder.Status().Gaps; g == 0 {
		t.Error("the receiver knows of no gap")
	}
	if n := list[0].adapter().ServerCount(); n != 2 {
		t.Errorf("%d servers", n)
	}
}

// The Sentinels name another master, and nothing is wrong with the connections to the one that was:
// it is left all the same.
func TestOtherMasterNamed(t *testing.T) {
	one, two := startRedis(t), startRedis(t)
	var master atomic.Pointer[testRedis]
	master.Store(one)
	list := make([]*instance, 2)
	for i, name := range []string{"alpha", "beta"} {
		client := redis.NewClient(&redis.Options{
			Addr: hub.FailoverAddr, DialTimeout: time.Second,
			Dialer: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", master.Load().path) },
		})
		t.Cleanup(func() { client.Close() })
		list[i] = newInstance(t, nil, name, func(b *Builder) { b.Redis = rtypes.NewRedisClient(context.Background(), client) })
	}
	for _, i := range list {
		i.joined()
	}
	bob := list[1].connect("bob")
	master.Store(two)
	for _, i := range list {
		i.lost()
		i.joined()
	}
	eventually(t, "nobody is left behind", func() bool { return one.subscribers("socket.io-request#/chat#") == 0 })
	list[0].chat.Broadcast("n", raw(`"moved"`))
	bob.want(`["n","moved"]`)
}
