package redisadapter

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/classic"
	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/redisadapter/internal/streams"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// encodings are the ways in which an event becomes bytes for Redis. Each returns how many.
var encodings = map[string]func(*wire.Codec, socketio.Payload) (int, error){
	"classic": func(c *wire.Codec, p socketio.Payload) (int, error) {
		first, second, err := classic.EncodeBroadcast(c, "me", "/chat", p, nil)
		return len(first) + len(second), err
	},
	"classic, to a room": func(c *wire.Codec, p socketio.Payload) (int, error) {
		b, err := classic.EncodeOnce(c, "me", "/chat", p, &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]("r")}, true)
		return len(b), err
	},
	"classic, with acknowledgement": func(c *wire.Codec, p socketio.Payload) (int, error) {
		w := classic.New(c, "socket.io", "/chat", "me", false)
		list, _, err := w.AckRequest("id", p, nil, wire.Census{})
		return sizeOf(list), err
	},
	"classic, acknowledgement": func(c *wire.Codec, p socketio.Payload) (int, error) {
		w := classic.New(c, "socket.io", "/chat", "me", false)
		it, err := w.Ack(&wire.Request{UID: "you"}, []socketio.Payload{p})
		return it.Size(), err
	},
	"cluster": func(c *wire.Codec, p socketio.Payload) (int, error) {
		b, _, err := cluster.Encode(c, cluster.Broadcast("me", "/chat", p, nil, ""), false)
		return len(b), err
	},
	"stream": func(c *wire.Codec, p socketio.Payload) (int, error) {
		e := &wire.Entry{}
		err := streams.EncodeEntry(c, e, cluster.Broadcast("me", "/chat", p, nil, "").Data)
		return e.Size(), err
	},
	"inline": func(c *wire.Codec, p socketio.Payload) (int, error) {
		b, err := wire.InlineBinary(p, c.Limit)
		return len(b), err
	},
}

func sizeOf(list []wire.Out) (n int) {
	for _, it := range list {
		n += it.Size()
	}
	return n
}

// placeholders is the data of an event whose placeholders name the attachments nums.
func placeholders(nums ...int) []byte {
	b := []byte(`["e"`)
	for _, n := range nums {
		b = fmt.Appendf(b, `,{"_placeholder":true,"num":%d}`, n)
	}
	return append(b, ']')
}

// An attachment that several placeholders name is refused before anything is copied, by each encoding.
func TestPlaceholdersThatNameOneAttachmentAreRefusedBeforeTheyCost(t *testing.T) {
	many := socketio.Payload{JSON: placeholders(make([]int, 3000)...), Attachments: [][]byte{make([]byte, 900_000)}}
	for name, encode := range encodings {
		t.Run(name, func(t *testing.T) {
			c := wire.NewCodec(16<<20, 255)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := encode(c, many)
			runtime.ReadMemStats(&after)
			if want := map[bool]error{true: wire.ErrTooLarge, false: wire.ErrNamedTwice}[name == "inline"]; !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			if cost := after.TotalAlloc - before.TotalAlloc; cost > 4<<20 {
				t.Errorf("refusing 1 MB allocated %d KiB", cost>>10)
			}
		})
	}
}

// Sizes are added up before anything is encoded.
func TestLargeAttachmentsAreRefusedBeforeTheyCost(t *testing.T) {
	data := socketio.Payload{JSON: placeholders(0, 1, 2), Attachments: [][]byte{make([]byte, 3<<20), make([]byte, 3<<20), make([]byte, 3<<20)}}
	for name, encode := range encodings {
		if name == "inline" {
			continue // bounds what it writes, not what it reads
		}
		c := wire.NewCodec(8<<20, 255)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := encode(c, data)
		runtime.ReadMemStats(&after)
		if cost := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, wire.ErrTooLarge) || cost > 1<<20 {
			t.Errorf("%s: %v, allocated %d KiB", name, err, cost>>10)
		}
	}
}

// What is written is a small multiple of what came, whatever it is.
func TestMessageCostsASmallMultipleOfItsSize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := []string{`1e1`, `-0`, `"\ud800"`, `""`, `[]`, `{}`, `{"__proto__":1}`, `123`, `null`, "\"\x01\"", `"é"`, `9e99`, `{"a":{"b":"안녕"}}`}
	for range 2000 {
		var b strings.Builder
		b.WriteString(`["e"`)
		var atts [][]byte
		size := 0
		for range 1 + r.IntN(40) {
			b.WriteByte(',')
			if r.IntN(4) == 0 && len(atts) < 255 {
				fmt.Fprintf(&b, `{"_placeholder":true,"num":%d}`, len(atts))
				atts = append(atts, make([]byte, r.IntN(200)))
				size += len(atts[len(atts)-1])
				continue
			}
			b.WriteString(values[r.IntN(len(values))])
		}
		b.WriteByte(']')
		size += b.Len()
		for name, encode := range encodings {
			n, err := encode(wire.NewCodec(1<<20, 255), socketio.Payload{JSON: []byte(b.String()), Attachments: atts})
			if err == nil && n > 5*size+500 {
				t.Fatalf("%s: %d bytes became %d: %s", name, size, n, b.String())
			}
		}
	}
}

// Clients close their connection over more attachments than they take, so an event with more is
// counted and goes no further, whichever instance sent it; what they take is delivered.
func TestMoreAttachmentsThanClientsTakeAreDropped(t *testing.T) {
	eachMode(t, func(t *testing.T, mode Mode) {
		r := startRedis(t)
		alpha := newInstance(t, r, "alpha", in(mode), func(b *Builder) { b.MaxAttachments = 255 })
		beta := newInstance(t, r, "beta", in(mode))
		for _, i := range []*instance{alpha, beta} {
			i.joined()
			eventually(t, i.name+" sees both", func() bool { return i.builder.Status().Servers == 2 })
		}
		bob := beta.connect("bob")
		emit := func(n int) {
			args := make([]any, n)
			for i := range args {
				args[i] = []byte{byte(i)}
			}
			if err := alpha.chat.Emit("bin", args...); err != nil {
				t.Fatal(err)
			}
		}
		emit(11)
		emit(10)
		if got := bob.read(); !strings.HasPrefix(got, `4510-/chat,["bin",{"_placeholder":true,"num":0}`) {
			t.Fatalf("got %s", got)
		}
		for i := range 10 {
			if got, want := bob.read(), "b:"+string([]byte{byte(i)}); got != want {
				t.Fatalf("attachment %d: %q", i, got)
			}
		}
		if got := beta.builder.Status().Rejected; got != 1 {
			t.Errorf("beta rejected %d messages, want 1", got)
		}
		_ = beta.chat.Emit("bin", args11()...)
		eventually(t, "beta drops eleven itself", func() bool { return beta.builder.Status().Dropped == 1 })
	})
}

func args11() []any {
	list := make([]any, 11)
	for i := range list {
		list[i] = []byte{1}
	}
	return list
}
