package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/zishang520/engine.io/v2/utils"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	radapter "github.com/zishang520/socket.io-go-redis/adapter"
	"github.com/zishang520/socket.io-go-redis/emitter"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/hub"
	"socketio-chat/pkg/socketio"
)

// Code for the library's builder and adapter compiles and works with ours.
func TestDropIn(t *testing.T) {
	r := startRedis(t)
	opts := radapter.DefaultRedisAdapterOptions()
	opts.SetKey("other")
	opts.SetPublishOnSpecificResponseChannel(true)
	alpha := newInstance(t, r, "alpha", func(b *Builder) { b.Opts = opts })
	beta := newInstance(t, r, "beta", func(b *Builder) { b.Opts = opts })
	stranger := newInstance(t, r, "stranger")
	for _, i := range []*instance{alpha, beta, stranger} {
		i.joined()
	}
	eventually(t, "they see each other", func() bool { return alpha.builder.Status().Servers == 2 && beta.builder.Status().Servers == 2 })
	ann, bob, sue := alpha.connect("ann"), beta.connect("bob"), stranger.connect("sue")
	alpha.chat.Emit("msg", 1)
	ann.want(`["msg",1]`)
	bob.want(`["msg",1]`)
	stranger.chat.Emit("msg", 2)
	sue.want(`["msg",2]`)

	var a radapter.RedisAdapter = alpha.adapter()
	if a.Uid() == "" || a.RequestsTimeout() != 5e9 || !a.PublishOnSpecificResponseChannel() || a.Parser() == nil {
		t.Errorf("adapter %v", a)
	}
	got := make(chan int)
	a.FetchSockets(nil)(func(list []socket.SocketDetails, err error) {
		if err != nil {
			t.Error(err)
		}
		got <- len(list)
	})
	if n := <-got; n != 2 {
		t.Errorf("%d sockets", n)
	}
	// An adapter by itself has its own connections and ends them.
	alone := NewRedisAdapter(alpha.Of("/x"), r.types(t), opts)
	eventually(t, "it joins", func() bool { return alone.hub.Status().Joined })
	alone.Close()
	alone.Close()
	if alone.hub.Status().Joined {
		t.Error("joined after Close")
	}
}

// The library's emitter with our parser reaches our instances.
func TestEmitter(t *testing.T) {
	r := startRedis(t)
	alpha := newCluster(t, r, "alpha")[0]
	ann := alpha.connect("ann")
	opts := emitter.DefaultEmitterOptions()
	opts.SetParser(NewParser())
	e := emitter.NewEmitter(r.types(t), opts, "/chat")
	if err := e.Emit("news", raw(`{"z":1.0,"a":2}`), "안녕"); err != nil {
		t.Fatal(err)
	}
	ann.want(`["news",{"z":1.0,"a":2},"안녕"]`)
	if err := e.SocketsJoin("r"); err != nil {
		t.Fatal(err)
	}
	if err := e.To("r").Except("nowhere").Emit("room", nil); err != nil {
		t.Fatal(err)
	}
	ann.want(`["room",null]`)
	if err := e.In("r").DisconnectSockets(false); err != nil {
		t.Fatal(err)
	}
	if got := ann.read(); got != "41/chat," {
		t.Errorf("got %q", got)
	}
}

func TestParser(t *testing.T) {
	p := NewParser()
	in := &rtypes.RedisPacket{
		Uid: "me", Packet: &parser.Packet{Type: parser.EVENT, Nsp: "/chat", Data: []any{"e", 1, raw(`[1.0]`)}},
		Opts: &adapter.PacketOptions{Rooms: []socket.Room{"r"}},
	}
	b, err := p.Encode(in)
	if err != nil {
		t.Fatal(err)
	}
	var out *rtypes.RedisPacket
	if err := p.Decode(b, &out); err != nil {
		t.Fatal(err)
	}
	data, _ := out.Packet.Data.([]any)
	if out.Uid != "me" || out.Packet.Nsp != "/chat" || len(data) != 3 || data[0] != "e" || string(data[2].(socketio.Payload).JSON) != "[1.0]" ||
		fmt.Sprint(out.Opts.Rooms) != "[r]" {
		t.Errorf("came back as %+v %+v %v", out, out.Packet, out.Opts)
	}
	req := &rtypes.RedisRequest{Type: rtypes.REMOTE_JOIN, Uid: "u", Rooms: []socket.Room{"r"}}
	if b, err = p.Encode(req); err != nil || !strings.HasPrefix(string(b), "{") {
		t.Fatal(string(b), err)
	}
	var back rtypes.RedisRequest
	if err := p.Decode(b, &back); err != nil || back.Uid != "u" || back.Type != rtypes.REMOTE_JOIN {
		t.Errorf("%+v, %v", back, err)
	}
	for _, v := range []any{1, &rtypes.RedisPacket{}, &rtypes.RedisPacket{Packet: &parser.Packet{Data: 1}}} {
		if _, err := p.Encode(v); err == nil {
			t.Errorf("%T was encoded", v)
		}
	}
	for _, b := range []string{"", "\x93", "\x93\xa1x\xc0\x80", "{"} {
		if p.Decode([]byte(b), &out) == nil {
			t.Errorf("%q was decoded", b)
		}
	}
	if err := p.Decode(b, new(int)); !errors.Is(err, errParserType) {
		t.Error(err)
	}
}

// A parser of the application's replaces Node's format, between those that have it.
func TestCustomParser(t *testing.T) {
	r := startRedis(t)
	opts := radapter.DefaultRedisAdapterOptions()
	opts.SetParser(utils.MsgPack())
	custom := func(b *Builder) { b.Opts = opts }
	alpha, beta := newInstance(t, r, "alpha", custom), newInstance(t, r, "beta", custom)
	alpha.joined()
	beta.joined()
	eventually(t, "they see each other", func() bool { return alpha.builder.Status().Servers == 2 && beta.builder.Status().Servers == 2 })
	bob := beta.connect("bob")
	alpha.chat.To(socket.Room(bob.id)).Emit("msg", "x")
	bob.want(`["msg","x"]`)
	r.do("PUBLISH", "socket.io#/chat#", "garbage")
	eventually(t, "garbage is rejected", func() bool { return beta.builder.Status().Rejected == 1 })
}

// A client of another kind is a mistake of the programmer's that Status shows; nothing fails or
// panics.
func TestForeignClient(t *testing.T) {
	ring := redis.NewRing(&redis.RingOptions{})
	defer ring.Close()
	b := &Builder{Redis: rtypes.NewRedisClient(context.Background(), struct{ redis.UniversalClient }{ring})}
	b.shared().Run()
	eventually(t, "the error shows", func() bool { return errors.Is(b.Status().LastError, hub.ErrClientType) })
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	none := &Builder{}
	if s := none.Status(); s.Joined || s.Servers != 1 {
		t.Errorf("%+v", s)
	}
	if err := none.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// The hub ends with the client's context, too.
func TestContextEnds(t *testing.T) {
	r := startRedis(t)
	ctx, cancel := context.WithCancel(t.Context())
	alpha := newInstance(t, r, "alpha", func(b *Builder) { b.Redis.Context = ctx })
	alpha.joined()
	cancel()
	alpha.lost()
}

// Join returns when what the others say is heard, or at once if Redis is out of reach; of a Redis that does not answer only
// the context gets tired.
func TestJoin(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	eachMode(t, func(t *testing.T, mode Mode) {
		r := newRedis(t)
		absent := newInstance(t, r, "absent", in(mode)).builder
		if err := absent.Join(ctx); err == nil || ctx.Err() != nil || absent.Status().Joined {
			t.Errorf("without Redis: %v", err)
		}
		r.start()
		there := newInstance(t, r, "there", in(mode)).builder
		if err := there.Join(ctx); err != nil || !there.Status().Joined {
			t.Errorf("with Redis: %v, %+v", err, there.Status())
		}
		r.signal(pauseSignal)
		defer r.signal(resumeSignal)
		silent := newInstance(t, r, "silent", in(mode)).builder
		tired, stop := context.WithCancel(ctx)
		stop()
		if err := silent.Join(tired); !errors.Is(err, context.Canceled) {
			t.Errorf("with one that does not answer: %v", err)
		}
	})
	closed := newInstance(t, newRedis(t), "closed").builder
	if err := errors.Join(closed.Close(ctx), closed.Join(ctx)); err == nil || ctx.Err() != nil {
		t.Errorf("after Close: %v", err)
	}
	impossible := newInstance(t, nil, "impossible").builder
	if err := impossible.Join(ctx); !errors.Is(err, hub.ErrClientType) {
		t.Errorf("without a client: %v", err)
	}
}
