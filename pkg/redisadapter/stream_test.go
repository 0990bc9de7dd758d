package redisadapter

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// startDurableRedis starts a server that has every write on disk before it answers.
func startDurableRedis(tb testing.TB) *testRedis {
	tb.Helper()
	r := newRedis(tb)
	r.args = []string{"--appendonly", "yes", "--appendfsync", "always"}
	r.start()
	return r
}

// chatter makes instances talk at the same time, at a steady pace, while a test does something to
// Redis.
type chatter struct {
	tb      testing.TB
	speak   []*instance
	stop    chan struct{}
	done    sync.WaitGroup
	counts  []int
	clients []*client
}

// chat starts a sender on each instance and a client on each.
func chat(tb testing.TB, list ...*instance) *chatter {
	tb.Helper()
	c := &chatter{tb: tb, speak: list, stop: make(chan struct{}), counts: make([]int, len(list))}
	for _, i := range list {
		c.clients = append(c.clients, i.connect("client of "+i.name))
	}
	for s, i := range list {
		c.done.Go(func() {
			pace := time.NewTicker(500 * time.Microsecond)
			defer pace.Stop()
			for {
				select {
				case <-c.stop:
					return
				case <-pace.C:
					i.chat.Broadcast("n", raw("[%d,%d]", s, c.counts[s]))
					c.counts[s]++
				}
			}
		})
	}
	return c
}

// end stops the senders and checks that every client got every message once, each sender's in its
// order.
func (c *chatter) end() {
	c.tb.Helper()
	close(c.stop)
	c.done.Wait()
	due := 0
	for s, i := range c.speak {
		i.chat.Broadcast("n", raw("[%d,%d]", s, c.counts[s]))
		c.counts[s]++
		due += c.counts[s]
	}
	for _, client := range c.clients {
		next := make([]int, len(c.speak))
		for range due {
			var s, n int
			text := client.read()
			if _, err := fmt.Sscanf(text, `42/chat,["n",[%d,%d]]`, &s, &n); err != nil {
				c.tb.Fatalf("%q: %v", text, err)
			}
			if n != next[s] {
				c.tb.Fatalf("%s: message %d of sender %d, want %d", client.name, n, s, next[s])
			}
			next[s]++
		}
	}
	for _, i := range c.speak {
		if s := i.builder.Status(); s.Gaps+s.Missed+s.Dropped+s.Rejected != 0 {
			c.tb.Errorf("%s: %+v", i.name, s)
		}
	}
	c.tb.Logf("%d messages", due)
}

// rejoined waits until the instance has joined, whatever happened before that.
func (i *instance) rejoined() {
	i.tb.Helper()
	eventually(i.tb, i.name+" has joined", func() bool { return i.builder.Status().Joined })
}

// A client may come before Redis has answered for the first time: what is said from then on is due, however long that takes.
func TestStreamsHearFromTheStart(t *testing.T) {
	r := startRedis(t)
	alpha := newModeCluster(t, r, Streams, "alpha")[0]
	alpha.chat.Broadcast("msg", raw("0"))
	eventually(t, "it is published", func() bool { return alpha.builder.Status().Published == 1 })
	answers := make(chan struct{})
	slow := newInstance(t, r, "slow", in(Streams), func(b *Builder) {
		dial := b.Redis.Client.(*redis.Client).Options().Dialer
		b.Redis.Client.(*redis.Client).Options().Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			<-answers
			return dial(context.WithoutCancel(ctx), network, addr)
		}
	})
	early := slow.connect("early")
	alpha.chat.Broadcast("msg", raw("1"))
	eventually(t, "it is published", func() bool { return alpha.builder.Status().Published == 2 })
	close(answers)
	slow.rejoined()
	alpha.chat.Broadcast("msg", raw("2"))
	early.want(`["msg",1]`, `["msg",2]`)
}

// Redis is killed and comes back with what it had promised to keep.
func TestStreamsKilled(t *testing.T) {
	r := startDurableRedis(t)
	list := newModeCluster(t, r, Streams, "alpha", "beta")
	c := chat(t, list...)
	for range 3 {
		eventually(t, "some are published", func() bool { return list[0].builder.Status().Queued < 50 })
		r.kill()
		eventually(t, "some wait", func() bool { return list[0].builder.Status().Queued > 100 })
		r.start()
		list[0].rejoined()
		list[1].rejoined()
	}
	c.end()
}

// Redis stands still for longer than anybody waits for an answer.
func TestStreamsPaused(t *testing.T) {
	r := startRedis(t)
	list := newModeCluster(t, r, Streams, "alpha", "beta")
	c := chat(t, list...)
	for range 2 {
		r.signal(pauseSignal)
		eventually(t, "it is noticed", func() bool { return !list[0].builder.Status().Joined && !list[1].builder.Status().Joined })
		r.signal(resumeSignal)
		list[0].rejoined()
		list[1].rejoined()
	}
	c.end()
}

// All connections are killed, again and again.
func TestStreamsClientsKilled(t *testing.T) {
	r := startRedis(t)
	list := newModeCluster(t, r, Streams, "alpha", "beta")
	c := chat(t, list...)
	for range 10 {
		before := list[0].builder.Status().Published
		r.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		r.do("CLIENT", "KILL", "TYPE", "pubsub")
		eventually(t, "it goes on", func() bool { return list[0].builder.Status().Published > before+10 })
	}
	c.end()
}

// One instance is cut off, answers are lost on the way, while both go on.
func TestStreamsCutOff(t *testing.T) {
	r := startRedis(t)
	p := r.proxy()
	alpha, beta := newInstance(t, r, "alpha", in(Streams), p.through(t)), newInstance(t, r, "beta", in(Streams))
	alpha.joined()
	beta.joined()
	c := chat(t, alpha, beta)
	for range 3 {
		p.lose(answers)
		eventually(t, "some wait", func() bool { return alpha.builder.Status().Queued > 100 })
		p.cut()
		eventually(t, "it is noticed", func() bool { return !alpha.builder.Status().Joined })
		p.lose(nothing)
		alpha.rejoined()
	}
	c.end()
}

// A publish that arrived and whose answer was lost is found in the stream and not repeated.
func TestStreamsUnknownOutcome(t *testing.T) {
	r := startRedis(t)
	p := r.proxy()
	patient := func(b *Builder) { b.Heartbeat = time.Hour } // no heartbeat shall be what breaks
	alpha, beta := newInstance(t, r, "alpha", in(Streams), p.through(t), patient), newInstance(t, r, "beta", in(Streams))
	alpha.joined()
	beta.joined()
	bob := beta.connect("bob")
	alpha.chat.Broadcast("msg", raw("0"))
	bob.want(`["msg",0]`)
	eventually(t, "nothing else is under way", func() bool { return alpha.builder.Status().Published == 1 })
	p.lose(answers)
	alpha.chat.Broadcast("msg", raw("1"))
	bob.want(`["msg",1]`)
	p.cut()
	alpha.lost()
	p.lose(nothing)
	alpha.rejoined()
	alpha.chat.Broadcast("msg", raw("2"))
	bob.want(`["msg",2]`)
	eventually(t, "all are confirmed", func() bool { return alpha.builder.Status().Published == 3 })
	if n := r.do("XLEN", "socket.io"); n != int64(3) {
		t.Errorf("%v entries", n)
	}
}

// Redis comes back empty: that is a gap, and things go on.
func TestStreamGone(t *testing.T) {
	r := startRedis(t)
	gaps := make(chan Gap, 10)
	alpha, beta := newInstance(t, r, "alpha", in(Streams)), newInstance(t, r, "beta", in(Streams), func(b *Builder) { b.OnGap = func(g Gap) { gaps <- g } })
	alpha.joined()
	beta.joined()
	bob := beta.connect("bob")
	alpha.chat.Broadcast("msg", raw("1"))
	bob.want(`["msg",1]`)
	r.kill()
	alpha.lost()
	beta.lost()
	r.start()
	alpha.rejoined()
	beta.rejoined()
	alpha.chat.Broadcast("msg", raw("2"))
	bob.want(`["msg",2]`)
	eventually(t, "the gap is told", func() bool { return len(gaps) == 1 && beta.builder.Status().Gaps == 1 })
	if g := <-gaps; g.Reason == nil {
		t.Errorf("%+v", g)
	}
}

// The stream is made anew with ids below those that were read, as after a failover between clocks
// that disagree: the reader does not wait for ids that will not come.
func TestStreamGoesBack(t *testing.T) {
	r := startRedis(t)
	quick := func(b *Builder) { b.recheck = time.Millisecond }
	alpha, beta := newInstance(t, r, "alpha", in(Streams)), newInstance(t, r, "beta", in(Streams), quick)
	alpha.joined()
	beta.joined()
	bob := beta.connect("bob")
	alpha.chat.Broadcast("msg", raw("1"))
	bob.want(`["msg",1]`)
	r.do("DEL", "socket.io")
	r.do("XADD", "socket.io", "5-1", "uid", "emitter", "nsp", "/chat", "type", "3", "data",
		`{"packet":{"type":2,"data":["msg",2],"nsp":"/chat"},"opts":{"rooms":[],"except":[],"flags":{}}}`)
	bob.want(`["msg",2]`)
	if s := beta.builder.Status(); s.Gaps != 1 {
		t.Errorf("%+v", s)
	}
}

// What was trimmed while an instance was away is counted.
func TestStreamTrimmed(t *testing.T) {
	r := startRedis(t)
	p := r.proxy()
	short := func(b *Builder) { b.StreamLength = 100 }
	alpha, beta := newInstance(t, r, "alpha", in(Streams), short), newInstance(t, r, "beta", in(Streams), p.through(t), short)
	alpha.joined()
	beta.joined()
	bob := beta.connect("bob")
	p.refuse(true)
	p.cut()
	beta.lost()
	const n = 1000
	for i := range n {
		alpha.chat.Broadcast("n", raw("%d", i))
	}
	eventually(t, "all are published", func() bool { return alpha.builder.Status().Published == n })
	p.refuse(false)
	beta.rejoined()
	var first int
	if _, err := fmt.Sscanf(bob.read(), `42/chat,["n",%d]`, &first); err != nil {
		t.Fatal(err)
	}
	for i := first + 1; i < n; i++ {
		bob.want(fmt.Sprintf(`["n",%d]`, i))
	}
	if s := beta.builder.Status(); s.Gaps != 1 || s.Missed != uint64(first) || first == 0 {
		t.Errorf("first is %d: %+v", first, s)
	}
}
