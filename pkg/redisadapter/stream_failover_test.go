package redisadapter

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/cluster"
)

// The stream's slot moves to another server of a Redis Cluster while everybody talks: nothing is
// lost, doubled or out of order.
func TestStreamsOnRedisCluster(t *testing.T) {
	c, key := useRedisCluster(t), t.Name()
	list := startOnCluster(t, c, Streams, key, "alpha", "beta")
	talk := chat(t, list...)
	for range 2 {
		before := list[0].builder.Status().Published
		eventually(t, "some are published", func() bool { return list[0].builder.Status().Published > before+50 })
		c.moveKey(t, key)
		before = list[0].builder.Status().Published
		eventually(t, "it goes on", func() bool { return list[0].builder.Status().Published > before+50 })
	}
	talk.end()
}

// moveKey moves the slot of a key, which is all that is in it, to another master.
func (c *redisCluster) moveKey(tb testing.TB, key string) {
	tb.Helper()
	slot := cluster.SlotOf(key)
	from, to := c.owner(tb, slot), -1
	for i := range c.servers {
		info, err := c.servers[i].do("INFO", "replication")
		if text, _ := info.(string); err == nil && i != from && strings.Contains(text, "role:master") {
			to = i
		}
	}
	host, port, _ := net.SplitHostPort(c.servers[to].addr())
	for _, step := range []struct {
		at   int
		args []any
	}{
		{to, []any{"CLUSTER", "SETSLOT", slot, "IMPORTING", c.ids[from]}},
		{from, []any{"CLUSTER", "SETSLOT", slot, "MIGRATING", c.ids[to]}},
		{from, []any{"MIGRATE", host, port, key, 0, 5000}},
		{to, []any{"CLUSTER", "SETSLOT", slot, "NODE", c.ids[to]}},
		{from, []any{"CLUSTER", "SETSLOT", slot, "NODE", c.ids[to]}},
	} {
		if _, err := c.servers[step.at].do(step.args...); err != nil {
			tb.Fatalf("%v: %v", step.args, err)
		}
	}
}

// A replica takes over that has not got the latest entries: what is lost with them is a gap, and
// nothing comes twice.
func TestStreamsFailover(t *testing.T) {
	var servers [2]*testServer
	for i := range servers {
		s, err := startServer("--port", "$PORT", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(s.remove)
		servers[i] = s
	}
	do := func(s *testServer, args ...any) any {
		v, err := s.do(args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return v
	}
	host, port, _ := net.SplitHostPort(servers[0].addr())
	do(servers[1], "REPLICAOF", host, port)

	var master atomic.Pointer[testServer]
	master.Store(servers[0])
	follow := func(b *Builder) {
		client := redis.NewClient(&redis.Options{
			DialTimeout: time.Second, ReadTimeout: time.Second, DialerRetries: 1,
			Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, network, master.Load().addr())
			},
		})
		t.Cleanup(func() { client.Close() })
		b.Redis = rtypes.NewRedisClient(context.Background(), client)
	}
	alpha, beta := newInstance(t, nil, "alpha", in(Streams), follow), newInstance(t, nil, "beta", in(Streams), follow)
	alpha.joined()
	beta.joined()
	bob := beta.connect("bob")
	say := func(from, to int) {
		for n := from; n < to; n++ {
			alpha.chat.Broadcast("n", raw("%d", n))
		}
		for n := from; n < to; n++ {
			bob.want(fmt.Sprintf(`["n",%d]`, n))
		}
	}
	say(0, 10)
	eventually(t, "the replica has them", func() bool {
		n, err := servers[1].do("XLEN", "socket.io")
		return err == nil && n == int64(10)
	})
	do(servers[1], "REPLICAOF", "NO", "ONE")
	say(10, 20) // the replica does not get these
	servers[0].kill()
	alpha.lost()
	beta.lost()
	master.Store(servers[1])
	alpha.rejoined()
	beta.rejoined()
	say(20, 30)
	if s := beta.builder.Status(); s.Gaps != 1 || s.Missed != 0 {
		t.Errorf("%+v", s)
	}
}
