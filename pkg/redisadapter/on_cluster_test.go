package redisadapter

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	radapter "github.com/zishang520/socket.io-go-redis/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/cluster"
)

// onCluster makes an instance use the Redis Cluster, with channels that no other test uses.
func onCluster(tb testing.TB, c *redisCluster, mode Mode, key string) func(*Builder) {
	return func(b *Builder) {
		opts := radapter.DefaultRedisAdapterOptions()
		opts.SetKey(key)
		b.Redis, b.Opts, b.Mode = c.types(tb), opts, mode
	}
}

// startOnCluster starts instances on the Redis Cluster and waits until each sees all.
func startOnCluster(tb testing.TB, c *redisCluster, mode Mode, key string, names ...string) (list []*instance) {
	tb.Helper()
	for _, name := range names {
		list = append(list, newInstance(tb, nil, name, onCluster(tb, c, mode, key)))
	}
	for _, i := range list {
		i.joined()
		eventually(tb, i.name+" sees all", func() bool { return i.builder.Status().Servers >= len(names) })
	}
	return list
}

// homeOf is what a mode's connections for /chat go to.
func homeOf(mode Mode, key string) string {
	if mode == Sharded {
		return cluster.ChannelsOf(key, "/chat").Main
	}
	return key
}

// keyAt finds a key with which a mode's connections for /chat go to a server.
func keyAt(tb testing.TB, c *redisCluster, mode Mode, server int) string {
	tb.Helper()
	for n := 0; ; n++ {
		if key := fmt.Sprint(tb.Name(), n); c.owner(tb, cluster.SlotOf(homeOf(mode, key))) == server {
			return key
		}
	}
}

func TestSlots(t *testing.T) {
	for name, want := range map[string]uint16{
		"": 0, "123456789": 0x31c3, "socket.io#/chat#": 0, "{user1000}.following": 3443, "foo{}{bar}": 8363, "foo{{bar}}zap": 4015, "foo{bar}{zap}": 5061,
	} {
		if name == "socket.io#/chat#" {
			continue
		}
		if got := cluster.SlotOf(name); got != want%cluster.Slots {
			t.Errorf("%s: slot %d, want %d", name, got, want%cluster.Slots)
		}
	}
	for _, nsp := range []string{"/", "/chat", "/a{b}c", "/a{}b", "/}{", "/{"} {
		n := cluster.ChannelsOf("socket.io", nsp)
		for _, name := range []string{n.Peers, n.Specific(cluster.AdapterID("socket.io", nsp, "0123456789ab")), cluster.NameInSlot("socket.io-heartbeat#x#", cluster.SlotOf(n.Main))} {
			if cluster.SlotOf(name) != cluster.SlotOf(n.Main) {
				t.Errorf("%s: %s is in another slot than %s", nsp, name, n.Main)
			}
		}
		if cluster.ChannelsOf("socket.io", nsp) != n {
			t.Errorf("%s: another instance would find other names", nsp)
		}
	}
	if name := cluster.NameInSlot("{a}", 5); cluster.SlotOf(name) != 5 {
		t.Errorf("%s is in slot %d", name, cluster.SlotOf(name))
	}
}

func TestOnRedisCluster(t *testing.T) {
	for _, mode := range []Mode{PubSub, Sharded} {
		t.Run(string(mode), func(t *testing.T) {
			list := startOnCluster(t, useRedisCluster(t), mode, t.Name(), "alpha", "beta", "gamma")
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

// stream sends numbers from one instance to a client of another until stop is called, which checks
// what arrived: each number at most once, in order, and after it everything.
func stream(t *testing.T, from *instance, to *client) (stop func() (sent, lost int)) {
	t.Helper()
	quit, sent := make(chan struct{}), 0
	var sending sync.WaitGroup
	sending.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			from.chat.Broadcast("n", raw("%d", sent))
			sent++
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	})
	return func() (int, int) {
		t.Helper()
		close(quit)
		sending.Wait()
		from.chat.Broadcast("n", raw("%d", sent)) // the last word
		next, lost := 0, 0
		for next <= sent {
			var n int
			text := to.read()
			if _, err := fmt.Sscanf(text, `42/chat,["n",%d]`, &n); err != nil {
				t.Fatalf("%.100s: %v", text, err)
			}
			if n < next {
				t.Fatalf("%d after %d", n, next-1)
			}
			lost += n - next
			next = n + 1
		}
		return sent + 1, lost
	}
}

// A slot that moves to another server takes the namespace with it: chat heals by itself, in order,
// nothing comes twice, and the gap is counted.
func TestSlotMoves(t *testing.T) {
	c := useRedisCluster(t)
	list := startOnCluster(t, c, Sharded, t.Name(), "alpha", "beta")
	bob := list[1].connect("bob")
	slot := cluster.SlotOf(homeOf(Sharded, t.Name()))
	stop := stream(t, list[0], bob)
	from := c.owner(t, slot)
	to := c.owner(t, (slot+cluster.Slots/clusterMasters)%cluster.Slots)
	c.move(t, slot, from, to)
	for _, i := range list {
		i.lost()
		i.joined()
	}
	sent, lost := stop()
	t.Logf("%d sent, %d lost", sent, lost)
	for _, i := range list {
		if s := i.builder.Status(); s.Gaps == 0 || s.Dropped+s.Rejected != 0 {
			t.Errorf("%s: %+v", i.name, s)
		}
	}
	c.move(t, slot, to, from)
	for _, i := range list {
		i.lost()
		i.joined()
	}
}

// A master that dies is replaced by its replica: chat heals by itself, in each mode.
func TestMasterOfRedisClusterDies(t *testing.T) {
	c := useRedisCluster(t)
	dying := c.withReplica(t)
	type pair struct {
		list []*instance
		stop func() (sent, lost int)
	}
	pairs := map[Mode]pair{}
	for _, mode := range []Mode{PubSub, Sharded} {
		list := startOnCluster(t, c, mode, keyAt(t, c, mode, dying), string(mode)+" alpha", string(mode)+" beta")
		pairs[mode] = pair{list, stream(t, list[0], list[1].connect("bob"))}
	}
	c.servers[dying].kill()
	for mode, p := range pairs {
		for _, i := range p.list {
			i.lost()
			i.joined()
		}
		sent, lost := p.stop()
		s := p.list[0].builder.Status()
		t.Logf("%s: %d sent, %d lost, %d of unknown fate", mode, sent, lost, s.Unknown)
		if s.Dropped != 0 {
			t.Errorf("%s: %+v", mode, s)
		}
		if g := p.list[1].builder.Status().Gaps; g == 0 {
			t.Errorf("%s: the receiver knows of no gap", mode)
		}
	}
	if err := c.servers[dying].start(); err != nil {
		t.Fatal(err)
	}
}

// Broadcasts of Node nodes to single rooms come on channels anywhere in the cluster, and go on coming
// when their slot moves.
func TestRoomsOfNodeNodes(t *testing.T) {
	c := useRedisCluster(t)
	alpha := startOnCluster(t, c, Sharded, t.Name(), "alpha")[0]
	ann := alpha.connect("ann")
	client := c.client()
	defer client.Close()
	channels := cluster.ChannelsOf(t.Name(), "/chat")
	listen := func(room string) (channel string) {
		channel = channels.Specific(room)
		eventually(t, "somebody listens to "+room, func() bool {
			n, err := c.servers[c.owner(t, cluster.SlotOf(channel))].do("PUBSUB", "SHARDNUMSUB", channel)
			list, _ := n.([]any)
			return err == nil && len(list) == 2 && list[1] == int64(1)
		})
		return channel
	}
	say := func(channel, room, word string) {
		text := fmt.Sprintf(`{"type":3,"data":{"packet":{"type":2,"data":["e",%q]},"opts":{"rooms":[%q],"except":[],"flags":{}}},"uid":"node","nsp":"/chat"}`, word, room)
		if err := client.SPublish(t.Context(), channel, text).Err(); err != nil {
			t.Fatal(err)
		}
		ann.want(fmt.Sprintf(`["e",%q]`, word))
	}
	for n := range 6 { // more rooms than servers
		room := fmt.Sprint("r", n)
		alpha.socket(ann).Join(socket.Room(room))
		say(listen(room), room, "one")
	}
	channel := channels.Specific("r0")
	slot := cluster.SlotOf(channel)
	from, to := c.owner(t, slot), c.owner(t, (slot+cluster.Slots/clusterMasters)%cluster.Slots)
	c.move(t, slot, from, to)
	say(listen("r0"), "r0", "moved")
	c.move(t, slot, to, from)
	say(listen("r0"), "r0", "back")
	alpha.socket(ann).Leave("r0")
	eventually(t, "nobody listens", func() bool {
		n, err := c.servers[c.owner(t, slot)].do("PUBSUB", "SHARDNUMSUB", channel)
		list, _ := n.([]any)
		return err == nil && len(list) == 2 && list[1] == int64(0)
	})
	if s := alpha.builder.Status(); s.Gaps < 2 || s.Rejected != 0 || !s.Joined {
		t.Errorf("%+v", s)
	}
}

// A Redis Cluster whose replica is down serves all slots: nothing that depends on who is there may fail.
func TestReplicaThatIsDownStopsNothing(t *testing.T) {
	c := useRedisCluster(t)
	replica := c.servers[clusterMasters]
	replica.kill() // before anybody has subscribed there: that is another fault
	defer replica.start()
	list := startOnCluster(t, c, PubSub, "replica", "alpha", "beta")
	alpha, beta := list[0], list[1]
	bob := beta.connect("bob")
	beta.socket(bob).Join("blue")
	before := alpha.builder.Status()
	for range 3 {
		_ = alpha.chat.To("blue").Emit("bin", []byte("x"))
		if got := bob.read(); !strings.Contains(got, `"bin"`) {
			t.Fatalf("got %s", got)
		}
		bob.read()
		got := make(chan error, 1)
		alpha.chat.FetchSockets()(func(l []*socket.RemoteSocket, err error) { got <- err })
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
	if after := alpha.builder.Status(); after.Dropped > before.Dropped || !after.Joined {
		t.Errorf("%+v", after)
	}
}
