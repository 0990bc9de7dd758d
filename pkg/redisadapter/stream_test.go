package redisadapter

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
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

// While Redis takes nothing, messages wait, in order.
func TestStreamsRefused(t *testing.T) {
	for _, tc := range []struct{ name, refuse, allow string }{
		{"out of memory", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"},
		{"replica", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := startRedis(t)
			command := func(text string) {
				var args []any
				for _, word := range strings.Fields(text) {
					args = append(args, word)
				}
				r.do(args...)
			}
			list := newModeCluster(t, r, Streams, "alpha", "beta")
			c := chat(t, list...)
			for range 2 {
				command(tc.refuse)
				eventually(t, "some wait", func() bool { return list[0].builder.Status().Queued > 100 && list[1].builder.Status().Queued > 100 })
				command(tc.allow)
				eventually(t, "all leave", func() bool { return list[0].builder.Status().Queued < 50 && list[1].builder.Status().Queued < 50 })
			}
			c.end()
		})
	}
}

// Instances that started before Redis get what was said meanwhile.
func TestStreamsRedisAbsentAtStart(t *testing.T) {
	r := newRedis(t)
	alpha, beta := newInstance(t, r, "alpha", in(Streams)), newInstance(t, r, "beta", in(Streams))
	ann, bob := alpha.connect("ann"), beta.connect("bob")
	eventually(t, "it is noticed", func() bool { return beta.builder.Status().LastError != nil && alpha.builder.Status().LastError != nil })
	alpha.chat.Broadcast("msg", raw("1"))
	ann.want(`["msg",1]`)
	r.start()
	bob.want(`["msg",1]`)
	beta.chat.Broadcast("msg", raw("2"))
	ann.want(`["msg",2]`)
	bob.want(`["msg",2]`)
}

// What an instance could not keep is missing to the others, and they know it.
func TestStreamsOverBound(t *testing.T) {
	r := startRedis(t)
	p := r.proxy()
	alpha := newInstance(t, r, "alpha", in(Streams), p.through(t), func(b *Builder) { b.QueueBytes = 4000 })
	beta := newInstance(t, r, "beta", in(Streams))
	alpha.joined()
	beta.joined()
	bob := beta.connect("bob")
	alpha.chat.Broadcast("n", raw("0"))
	bob.want(`["n",0]`)
	eventually(t, "it is confirmed", func() bool { return alpha.builder.Status().Published == 1 })
	p.refuse(true)
	p.cut()
	eventually(t, "the publisher has noticed", func() bool { return !alpha.builder.shared().MayFlow() })
	for i := range 100 {
		alpha.chat.Broadcast("n", raw("%d", i))
	}
	kept := alpha.builder.Status().Queued
	if s := alpha.builder.Status(); s.Dropped != uint64(100-kept) || kept == 0 || kept > 50 {
		t.Errorf("%+v", s)
	}
	p.refuse(false)
	alpha.rejoined()
	alpha.chat.Broadcast("n", raw(`"last"`))
	for i := range kept {
		bob.want(fmt.Sprintf(`["n",%d]`, i))
	}
	bob.want(`["n","last"]`)
	if s := beta.builder.Status(); s.Missed != uint64(100-kept) || s.Gaps != 1 {
		t.Errorf("%+v", s)
	}
}

// Entries that make no sense are counted and thrown away.
func TestStreamsHostileEntries(t *testing.T) {
	r := startRedis(t)
	alpha := newInstance(t, r, "alpha", in(Streams), func(b *Builder) { b.MaxMessage = 100_000 })
	alpha.joined()
	ann := alpha.connect("ann")
	ok := `{"packet":{"type":2,"data":["msg",1],"nsp":"/chat"},"opts":{"rooms":[],"except":[],"flags":{}}}`
	bad := [][]any{
		{"x", "y"},
		{"nsp", "/chat"},
		{"nsp", "/chat", "type", "3"},
		{"nsp", "/chat", "type", "x", "data", ok},
		{"nsp", "/chat", "type", "99", "data", ok},
		{"nsp", "/chat", "type", "3", "data", "{"},
		{"nsp", "/chat", "type", "3", "data", "****"},
		{"nsp", "/chat", "type", "3", "data", "gA=="},
		{"nsp", "/chat", "type", "3", "data", `{"packet":{"type":2,"data":["disconnect"]},"opts":{}}`},
		{"nsp", "/chat", "type", "3", "data", `{"packet":{"type":2,"data":{}},"opts":{}}`},
		{"nsp", "/chat", "type", "3", "json", "{", "atts", "kA=="},
		{"nsp", "/chat", "type", "3", "data", ok + strings.Repeat(" ", 200_000)},
		{"nsp", "/chat", "type", "4", "data", `{"opts":1}`},
	}
	for _, fields := range bad {
		r.do(append([]any{"XADD", "socket.io", "*"}, fields...)...)
	}
	r.do("XADD", "socket.io", "*", "uid", "stranger", "nsp", "/elsewhere", "type", "3", "data", ok)
	for range 2 { // a number that was had before is passed over
		r.do("XADD", "socket.io", "*", "uid", "stranger", "nsp", "/chat", "type", "3", "data", ok, "seq", "stranger:7")
	}
	r.do("PUBLISH", "socket.io#/chat#", "garbage")
	ann.want(`["msg",1]`)
	alpha.chat.Broadcast("msg", raw(`"alive"`))
	ann.want(`["msg","alive"]`)
	eventually(t, "all are rejected", func() bool { return alpha.builder.Status().Rejected == uint64(len(bad))+1 })
}

// Close sends what is queued; nothing is left behind.
func TestStreamsClose(t *testing.T) {
	r := startRedis(t)
	list := newModeCluster(t, r, Streams, "alpha", "beta")
	bob := list[1].connect("bob")
	const n = 2000
	for i := range n {
		list[0].chat.Broadcast("n", raw("%d", i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	if err := list[0].builder.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		bob.want(fmt.Sprintf(`["n",%d]`, i))
	}
}

// A payload arrives exactly as it was sent, and what Node could not bear is kept from it.
func TestStreamsExact(t *testing.T) {
	r := startRedis(t)
	list := newModeCluster(t, r, Streams, "alpha", "beta")
	bob := list[1].connect("bob")
	deep := strings.Repeat("[", 600) + strings.Repeat("]", 600)
	for _, text := range []string{`{"__proto__":{"a":1.0},"z":1e21,"a":"\ud800"}`, deep} {
		list[0].chat.Broadcast("msg", raw("%s", text))
		bob.want(`["msg",` + text + `]`)
	}
	list[0].chat.Broadcast("msg", []byte{1, 2}, raw(`1.0`), []byte{3})
	got := []string{bob.read(), bob.read(), bob.read()}
	if got[0] != `452-/chat,["msg",{"_placeholder":true,"num":0},1.0,{"_placeholder":true,"num":1}]` || got[1] != "b:\x01\x02" || got[2] != "b:\x03" {
		t.Errorf("got %q", got)
	}
	entries := fmt.Sprint(r.do("XRANGE", "socket.io", "-", "+"))
	if strings.Count(entries, "nsp") != 2+2 || strings.Count(entries, " for ") != 1 { // fields, and "nsp" in the text of two packets
		t.Log(entries)
	}
}
