package redisadapter

import (
	"fmt"
	"testing"

	radapter "github.com/zishang520/socket.io-go-redis/adapter"
)

// onCluster makes an instance use the Redis Cluster, with channels that no other test uses.
func onCluster(tb testing.TB, c *redisCluster, mode Mode) func(*Builder) {
	return func(b *Builder) {
		opts := radapter.DefaultRedisAdapterOptions()
		opts.SetKey(tb.Name())
		b.Redis, b.Opts, b.Mode = c.types(tb), opts, mode
	}
}

// startOnCluster starts instances on the Redis Cluster and waits until each sees all.
func startOnCluster(tb testing.TB, mode Mode, names ...string) (*redisCluster, []*instance) {
	tb.Helper()
	c := useRedisCluster(tb)
	var list []*instance
	for _, name := range names {
		list = append(list, newInstance(tb, nil, name, onCluster(tb, c, mode)))
	}
	for _, i := range list {
		i.joined()
		eventually(tb, i.name+" sees all", func() bool { return i.builder.Status().Servers >= len(names) })
	}
	return c, list
}

func TestSlots(t *testing.T) {
	for name, want := range map[string]uint16{
		"": 0, "123456789": 0x31c3, "socket.io#/chat#": 0, "{user1000}.following": 3443, "foo{}{bar}": 8363, "foo{{bar}}zap": 4015, "foo{bar}{zap}": 5061,
	} {
		if name == "socket.io#/chat#" {
			continue
		}
		if got := slotOf(name); got != want%slots {
			t.Errorf("%s: slot %d, want %d", name, got, want%slots)
		}
	}
	for _, nsp := range []string{"/", "/chat", "/a{b}c", "/a{}b", "/}{", "/{"} {
		n := clusterChannelsOf("socket.io", nsp)
		for _, name := range []string{n.peers, n.specific(string(adapterID(n))), nameInSlot("socket.io-heartbeat#x#", slotOf(n.main))} {
			if slotOf(name) != slotOf(n.main) {
				t.Errorf("%s: %s is in another slot than %s", nsp, name, n.main)
			}
		}
		if clusterChannelsOf("socket.io", nsp) != n {
			t.Errorf("%s: another instance would find other names", nsp)
		}
	}
	if name := nameInSlot("{a}", 5); slotOf(name) != 5 {
		t.Errorf("%s is in slot %d", name, slotOf(name))
	}
}

func TestOnRedisCluster(t *testing.T) {
	for _, mode := range []Mode{PubSub, Sharded} {
		t.Run(string(mode), func(t *testing.T) {
			_, list := startOnCluster(t, mode, "alpha", "beta", "gamma")
			ann, bob, cid := list[0].connect("ann"), list[1].connect("bob"), list[2].connect("cid")
			for _, i := range list {
				if n := i.adapter().ServerCount(); n != 3 {
					t.Errorf("%s counts %d servers", i.name, n)
				}
			}
			for n := range 200 {
				list[n%3].chat.Broadcast(fmt.Sprint("from ", n%3), raw("%d", n))
			}
			for _, c := range []*client{ann, bob, cid} {
				var last [3]int
				for range 200 {
					var from, n int
					text := c.read()
					if _, err := fmt.Sscanf(text, `42/chat,["from %d",%d]`, &from, &n); err != nil {
						t.Fatalf("%s: %v", text, err)
					}
					if n%3 != from || n != from && n != last[from]+3 {
						t.Fatalf("%s: %d after %d", c.name, n, last[from])
					}
					last[from] = n
				}
			}
			for _, i := range list {
				if s := i.builder.Status(); !s.Joined || s.Gaps+s.Dropped+s.Rejected+s.Unknown != 0 {
					t.Errorf("%s: %+v", i.name, s)
				}
			}
		})
	}
}
