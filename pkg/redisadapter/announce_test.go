package redisadapter_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	radapter "github.com/zishang520/socket.io-go-redis/adapter"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
)

// inBubble runs a test in a bubble, in each mode, with so many instances.
func inBubble(t *testing.T, nodes int, test func(t *testing.T, b *bubble)) {
	t.Helper()
	for _, mode := range []redisadapter.Mode{redisadapter.PubSub, redisadapter.Sharded, redisadapter.Streams} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, mode, nodes)
				test(t, b)
				b.close()
			})
		})
	}
}

// announcer is a Builder that is in no cluster.
func (b *bubble) announcer() *redisadapter.Builder {
	n := b.client()
	return &redisadapter.Builder{Redis: rtypes.NewRedisClient(context.Background(), n.client), Mode: b.mode}
}

// An announcement reaches everybody on all instances, once, and a client that comes later does not hear of it.
func TestAnnounce(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, b *bubble) {
		people := []*person{b.connect(b.nodes[0], "ann"), b.connect(b.nodes[1], "bob")}
		from := b.announcer()
		for i, args := range [][]any{nil, {socketio.Payload{JSON: []byte(`{"z":1.0}`)}}, {"<b>", nil}} {
			n, err := from.Announce(t.Context(), "/chat", "news", args...)
			if n != 2 || err != nil {
				t.Errorf("heard by %d, %v", n, err)
			}
			time.Sleep(time.Second)
			for _, p := range people {
				want := []string{`["news"]`, `["news",{"z":1.0}]`, `["news","<b>",null]`}[i]
				if news := p.news(); !slices.Equal(news, []string{want}) {
					t.Errorf("%s has heard %q, want %s", p.name, news, want)
				}
			}
		}
		if n, err := from.Announce(t.Context(), "/nowhere", "news"); n != 0 || !errors.Is(err, redisadapter.ErrNobody) {
			t.Errorf("in a namespace that is nowhere: %d, %v", n, err)
		}
		b.start()
		late := b.connect(b.nodes[2], "late")
		time.Sleep(time.Second)
		for _, p := range append(people, late) {
			if news := p.news(); len(news) > 0 {
				t.Errorf("%s has heard %q", p.name, news)
			}
			p.leave()
		}
		_ = from.Redis.Client.Close()
	})
}

// Without instances nobody hears it, and it is not kept for later.
func TestAnnounceToNobody(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, b *bubble) {
		from := b.announcer()
		if n, err := from.Announce(t.Context(), "/chat", "news"); n != 0 || !errors.Is(err, redisadapter.ErrNobody) {
			t.Errorf("heard by %d, %v", n, err)
		}
		if keys := b.redis.Keys("*", false); len(keys) > 0 {
			t.Errorf("Redis keeps %q", keys)
		}
		_ = from.Redis.Client.Close()
	})
}

// What goes wrong is told, in time, and nothing is said twice.
func TestAnnounceFails(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, b *bubble) {
		ann := b.connect(b.nodes[0], "ann")
		from := b.announcer()
		for name, args := range map[string][]any{"no JSON": {func() {}}, "too many binary values": slices.Repeat([]any{[]byte("b")}, 11)} {
			if n, err := from.Announce(t.Context(), "/chat", "news", args...); err == nil || errors.Is(err, redisadapter.ErrNobody) {
				t.Errorf("%s: heard by %d, %v", name, n, err)
			}
		}
		b.redis.Stop(true)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if n, err := from.Announce(ctx, "/chat", "news"); err == nil || errors.Is(err, redisadapter.ErrNobody) {
			t.Errorf("Redis stands still: heard by %d, %v", n, err)
		}
		cancel()
		if took := time.Since(began); took > 2*time.Second+time.Millisecond {
			t.Errorf("it took %v", took)
		}
		b.redis.Stop(false)
		b.redis.Kill()
		if n, err := from.Announce(t.Context(), "/chat", "news"); err == nil || errors.Is(err, redisadapter.ErrNobody) {
			t.Errorf("there is no Redis: heard by %d, %v", n, err)
		}
		b.redis.Start(0)
		b.together()
		if news := ann.news(); len(news) > 0 {
			t.Errorf("heard %q", news)
		}
		ann.leave()
		_ = from.Redis.Client.Close()
	})
	wrong := &redisadapter.Builder{Redis: rtypes.NewRedisClient(context.Background(), nil), Mode: "carrier pigeon"}
	if _, err := wrong.Announce(t.Context(), "/chat", "news"); err == nil || !strings.Contains(err.Error(), "carrier pigeon") {
		t.Errorf("a mode that there is not: %v", err)
	}
}

// upside is a parser of an application's: Node's format with all bytes turned over.
type upside struct{ inner *redisadapter.Parser }

func turn(b []byte) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = ^b[i]
	}
	return out
}

func (u upside) Encode(v any) ([]byte, error) {
	b, err := u.inner.Encode(v)
	return turn(b), err
}

func (u upside) Decode(b []byte, v any) error { return u.inner.Decode(turn(b), v) }

// With a parser of the application's, an announcement is written as the instances read it.
func TestAnnounceByAnotherParser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{tb: t, mode: redisadapter.PubSub, redis: newRedis()}
		opts := radapter.DefaultRedisAdapterOptions()
		opts.SetParser(upside{redisadapter.NewParser()})
		b.opts = opts
		b.start()
		b.start()
		ann, bob := b.connect(b.nodes[0], "ann"), b.connect(b.nodes[1], "bob")
		from := b.announcer()
		from.Opts = opts
		if n, err := from.Announce(t.Context(), "/chat", "news", 1); n != 2 || err != nil {
			t.Errorf("heard by %d, %v", n, err)
		}
		time.Sleep(time.Second)
		b.nodes[0].chat.To(socket.Room(bob.id), "nobody").Emit("to", "bob")
		time.Sleep(time.Second)
		b.nodes[1].chat.Emit("end")
		time.Sleep(time.Second)
		if news := ann.news(); !slices.Equal(news, []string{`["news",1]`, `["end"]`}) {
			t.Errorf("ann has heard %q", news)
		}
		if news := bob.news(); !slices.Equal(news, []string{`["news",1]`, `["to","bob"]`, `["end"]`}) {
			t.Errorf("bob has heard %q", news)
		}
		ann.leave()
		bob.leave()
		_ = from.Redis.Client.Close()
		b.close()
	})
}

// Messages that wait for Redis are dropped from the newest when memory runs out; the older ones arrive, in order, and what was dropped is
// counted.
func TestShed(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, b *bubble) {
		bob := b.connect(b.nodes[1], "bob")
		from := b.nodes[0]
		from.back.Cut()
		time.Sleep(time.Second)
		text := strings.Repeat("x", 1000)
		for i := range 50 {
			from.chat.Emit("n", i, text)
		}
		if bytes, n := from.builder.Shed(0); bytes != 0 || n != 0 {
			t.Errorf("%d messages are dropped for nothing", n)
		}
		bytes, n := from.builder.Shed(10_000)
		if bytes < 10_000 || bytes > 12_000 || n < 8 || n > 10 {
			t.Errorf("%d messages of %d bytes are dropped", n, bytes)
		}
		if s := from.builder.Status(); s.Dropped != uint64(n) || s.Queued != 50-n {
			t.Errorf("%d are counted, %d wait", s.Dropped, s.Queued)
		}
		from.back.Mend()
		b.together()
		var want []string
		for i := range 50 - n {
			want = append(want, fmt.Sprintf(`["n",%d,%q]`, i, text))
		}
		if news := bob.news(); !slices.Equal(news, want) {
			t.Errorf("%d messages arrived, want %d", len(news), len(want))
		}
		if bytes, n := from.builder.Shed(1 << 30); bytes != 0 || n != 0 {
			t.Errorf("%d messages wait that have arrived", n)
		}
		bob.leave()
	})
}

// An instance whose line is cut says that it is alone, and answers for itself.
func TestAlone(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, b *bubble) {
		ann, bob := b.connect(b.nodes[0], "ann"), b.connect(b.nodes[1], "bob")
		n := b.nodes[0]
		n.back.Cut()
		time.Sleep(time.Second)
		if c := n.adapter().ServerCount(); c != 1 {
			t.Errorf("%d instances", c)
		}
		var calls atomic.Int32 // each callback has a goroutine of its own
		check := func(what string, err error, wanted bool) {
			if calls.Add(1); !errors.Is(err, redisadapter.ErrNotJoined) || !wanted {
				t.Errorf("%s: %v", what, err)
			}
		}
		n.adapter().FetchSockets(nil)(func(list []socket.SocketDetails, err error) {
			check("fetchSockets", err, len(list) == 1 && list[0].Id() == ann.id)
		})
		n.adapter().AllRooms()(func(rooms *types.Set[socket.Room], err error) {
			check("allRooms", err, rooms.Has(socket.Room(ann.id)))
		})
		if err := n.adapter().ServerSideEmit([]any{"hello", socket.Ack(func(list []any, err error) { check("serverSideEmit", err, len(list) == 0) })}); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Millisecond)
		if n := calls.Load(); n != 3 {
			t.Errorf("%d of 3 are answered at once", n)
		}
		if err := n.adapter().ServerSideEmit(nil); err == nil {
			t.Error("an event without a name")
		}
		if err := n.adapter().ServerSideEmit([]any{"e", func() {}}); err == nil {
			t.Error("a function is sent")
		}
		n.back.Mend()
		b.together()
		ann.leave()
		bob.leave()
	})
}
