package redisadapter

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/hub"
)

// Redis absent at start: the instance serves its own clients, says so, and joins when Redis comes.
func TestRedisAbsentAtStart(t *testing.T) {
	r := newRedis(t)
	alpha, beta := newInstance(t, r, "alpha"), newInstance(t, r, "beta")
	ann, bob := alpha.connect("ann"), beta.connect("bob")
	alpha.chat.Broadcast("msg", raw("1"))
	ann.want(`["msg",1]`)
	eventually(t, "the error shows", func() bool { s := alpha.builder.Status(); return !s.Joined && s.LastError != nil })
	if n := alpha.adapter().ServerCount(); n != 1 {
		t.Errorf("%d servers", n)
	}
	got := make(chan error, 1)
	alpha.adapter().FetchSockets(nil)(func(list []socket.SocketDetails, err error) {
		if len(list) != 1 {
			t.Errorf("fetched %d sockets", len(list))
		}
		got <- err
	})
	if err := <-got; !errors.Is(err, ErrNotJoined) {
		t.Errorf("fetch: %v", err)
	}
	r.start()
	alpha.joined()
	beta.joined()
	bob.want(`["msg",1]`) // it waited
	beta.chat.Broadcast("msg", raw("2"))
	ann.want(`["msg",2]`)
	bob.want(`["msg",2]`)
}

// Redis restarted: what is sent meanwhile waits, in order, and nothing comes twice.
func TestRedisRestarted(t *testing.T) {
	r := startRedis(t)
	list := newCluster(t, r, "alpha", "beta")
	alpha, beta := list[0], list[1]
	ann, bob := alpha.connect("ann"), beta.connect("bob")
	for range 3 {
		r.kill()
		alpha.lost()
		beta.lost()
		for n := range 5 {
			alpha.chat.Broadcast("msg", raw("%d", n))
		}
		ann.want(`["msg",0]`, `["msg",1]`, `["msg",2]`, `["msg",3]`, `["msg",4]`)
		r.start()
		alpha.joined()
		beta.joined()
		bob.want(`["msg",0]`, `["msg",1]`, `["msg",2]`, `["msg",3]`, `["msg",4]`)
		beta.chat.Broadcast("msg", raw(`"back"`))
		ann.want(`["msg","back"]`)
		bob.want(`["msg","back"]`)
	}
	for _, i := range list {
		s := i.builder.Status()
		if s.Gaps != 3 || s.Unknown+s.Dropped+s.Rejected != 0 || s.LastError == nil {
			t.Errorf("%s: %+v", i.name, s)
		}
	}
}

// A killed subscriber connection is a gap: it is noticed, counted and healed.
func TestSubscriberKilled(t *testing.T) {
	r := startRedis(t)
	list := newCluster(t, r, "alpha", "beta")
	ann, bob := list[0].connect("ann"), list[1].connect("bob")
	r.do("CLIENT", "KILL", "TYPE", "pubsub")
	for _, i := range list {
		i.lost()
		i.joined()
		if s := i.builder.Status(); s.Gaps != 1 {
			t.Errorf("%s: %d gaps", i.name, s.Gaps)
		}
	}
	list[1].chat.Broadcast("msg", raw("1"))
	ann.want(`["msg",1]`)
	bob.want(`["msg",1]`)
}

// A killed publisher connection loses nothing that was not under way, and is no gap.
func TestPublisherKilled(t *testing.T) {
	r := startRedis(t)
	list := newCluster(t, r, "alpha", "beta")
	bob := list[1].connect("bob")
	r.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	for _, i := range list {
		i.lost()
		i.joined()
	}
	for n := range 3 {
		list[0].chat.Broadcast("msg", raw("%d", n))
	}
	bob.want(`["msg",0]`, `["msg",1]`, `["msg",2]`)
	for _, i := range list {
		if s := i.builder.Status(); s.Gaps+s.Unknown+s.Dropped != 0 {
			t.Errorf("%s: %+v", i.name, s)
		}
	}
}

// Redis that stops answering is found out by the heartbeats.
func TestRedisPaused(t *testing.T) {
	r := startRedis(t)
	list := newCluster(t, r, "alpha", "beta")
	ann, bob := list[0].connect("ann"), list[1].connect("bob")
	r.signal(pauseSignal)
	for _, i := range list {
		i.lost()
	}
	list[0].chat.Broadcast("msg", raw("1"))
	ann.want(`["msg",1]`)
	r.signal(resumeSignal)
	for _, i := range list {
		i.joined()
	}
	bob.want(`["msg",1]`)
}

// A connection that breaks while messages are under way: they may have arrived, so they are not
// sent again, and counted.
func TestUnknownOutcomeIsNotRepeated(t *testing.T) {
	r := startRedis(t)
	p := r.proxy()
	beta := newInstance(t, r, "beta")
	alpha := newInstance(t, r, "alpha", p.through(t), func(b *Builder) { b.Heartbeat = time.Hour }) // no heartbeat shall be what breaks
	alpha.joined()
	beta.joined()
	eventually(t, "beta sees alpha", func() bool { return beta.builder.Status().Servers == 2 })
	bob := beta.connect("bob")
	alpha.chat.Broadcast("msg", raw("1"))
	bob.want(`["msg",1]`)
	eventually(t, "it is confirmed", func() bool { s := alpha.builder.Status(); return s.Published == 1 })
	p.lose(answers)
	alpha.chat.Broadcast("msg", raw("2"))
	bob.want(`["msg",2]`)
	p.cut()
	alpha.lost()
	p.lose(nothing)
	alpha.joined()
	alpha.chat.Broadcast("msg", raw("3"))
	bob.want(`["msg",3]`)
	eventually(t, "counted", func() bool { s := alpha.builder.Status(); return s.Published == 2 && s.Unknown == 1 && s.Dropped == 0 })
}

// A subscriber connection that is alive to TCP and brings nothing is found out by the heartbeats.
func TestSilentSubscriber(t *testing.T) {
	r := startRedis(t)
	p := r.proxy()
	alpha, beta := newInstance(t, r, "alpha", p.through(t), func(b *Builder) { b.Silence = 500 * time.Millisecond }), newInstance(t, r, "beta")
	alpha.joined()
	beta.joined()
	ann := alpha.connect("ann")
	p.lose(subscribers)
	alpha.lost()
	if s := alpha.builder.Status(); s.Gaps != 1 || !errors.Is(s.LastError, hub.ErrSilent) {
		t.Errorf("%+v", s)
	}
	p.lose(nothing)
	alpha.joined()
	beta.chat.Broadcast("msg", raw("1"))
	ann.want(`["msg",1]`)
}

// What cannot be published is bounded in bytes and in age, and counted.
func TestQueueBounds(t *testing.T) {
	r := newRedis(t)
	alpha := newInstance(t, r, "alpha", func(b *Builder) { b.QueueBytes, b.MaxMessage = 2000, 1000 })
	alpha.chat.Broadcast("msg", raw(`"%s"`, strings.Repeat("x", 2000)))
	if s := alpha.builder.Status(); s.Dropped != 1 || s.Queued != 0 {
		t.Errorf("too large: %+v", s)
	}
	for range 10 {
		alpha.chat.Broadcast("msg", raw(`"%s"`, strings.Repeat("x", 500)))
	}
	if s := alpha.builder.Status(); s.Dropped != 9 || s.Queued != 2 || s.QueuedLen > 2000 {
		t.Errorf("full: %+v", s)
	}
	// What is queued never leaves: the end need not wait for it.
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var unpublished *UnpublishedError
	if err := alpha.builder.Close(over); !errors.As(err, &unpublished) || unpublished.Messages != 2 {
		t.Error(err)
	}
}

// Close sends what is queued and ends everything; the adapter goes on for this instance's clients.
func TestClose(t *testing.T) {
	r := startRedis(t)
	list := newCluster(t, r, "alpha", "beta")
	ann, bob := list[0].connect("ann"), list[1].connect("bob")
	const n = 2000
	for i := range n {
		list[0].chat.Broadcast("msg", raw("%d", i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	for range 2 {
		if err := list[0].builder.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	list[0].lost()
	for i := range n {
		e := string(raw(`["msg",%d]`, i).JSON)
		ann.want(e)
		bob.want(e)
	}
	list[0].chat.Broadcast("msg", raw(`"alone"`))
	ann.want(`["msg","alone"]`)
	if s := list[0].builder.Status(); s.Joined || s.Dropped != 1 || s.Published < n {
		t.Errorf("%+v", s)
	}
	eventually(t, "beta sees it leave", func() bool { return list[1].builder.Status().Servers == 1 })
}

func TestCloseWithoutRedis(t *testing.T) {
	r := newRedis(t)
	alpha := newInstance(t, r, "alpha")
	alpha.chat.Broadcast("msg", raw("1"))
	got := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var unpublished *UnpublishedError
	if err := alpha.builder.Close(ctx); !errors.As(err, &unpublished) || unpublished.Messages != 1 {
		t.Fatal(err)
	}
	if s := alpha.builder.Status(); s.Dropped != 1 {
		t.Errorf("%+v", s)
	}
	alpha.adapter().FetchSockets(nil)(func(_ []socket.SocketDetails, err error) { got <- err })
	if err := <-got; err == nil {
		t.Error("fetch after close succeeded")
	}
}

// Redis comes back while Close waits: nothing of what was queued is lost.
func TestCloseWaitsForRedis(t *testing.T) {
	eachMode(t, func(t *testing.T, mode Mode) {
		r := startRedis(t)
		list := newModeCluster(t, r, mode, "alpha", "beta")
		bob := list[1].connect("bob")
		r.kill()
		list[0].lost()
		const n = 200
		for i := range n {
			list[0].chat.Broadcast("msg", raw("%d", i))
		}
		closed := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), testPatience)
			defer cancel()
			closed <- list[0].builder.Close(ctx)
		}()
		r.start()
		for i := range n {
			bob.want(string(raw(`["msg",%d]`, i).JSON))
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if s := list[0].builder.Status(); s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A namespace that comes later is served by the same two connections, one that goes is
// unsubscribed.
func TestNamespacesShareConnections(t *testing.T) {
	r := startRedis(t)
	list := newCluster(t, r, "alpha", "beta")
	for _, i := range list {
		for _, name := range []string{"/a", "/b[1]*", "/c"} {
			i.Of(name)
		}
	}
	eventually(t, "everybody listens everywhere", func() bool {
		for _, name := range []string{"/a", "/b[1]*", "/c"} {
			if r.subscribers("socket.io-request#"+name+"#") != 2 {
				return false
			}
		}
		return true
	})
	if clients, _ := r.do("CLIENT", "LIST").(string); strings.Count(clients, "\n") != 2*2+1 {
		t.Errorf("connections:\n%s", clients)
	}
	got := make(chan string, 1)
	if err := list[1].Of("/b[1]*").On("e", func(args ...any) { got <- args[0].(string) }); err != nil {
		t.Fatal(err)
	}
	if err := list[0].Of("/b[1]*").ServerSideEmit("e", "odd name"); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "odd name" {
		t.Error(s)
	}
	a := list[0].Of("/a").Adapter().(*Adapter)
	a.Close()
	a.Close()

	eventually(t, "it is unsubscribed", func() bool { return r.subscribers("socket.io-request#/a#") == 1 })
	if s := list[0].builder.Status(); s.Gaps != 0 {
		t.Errorf("%+v", s)
	}
}
