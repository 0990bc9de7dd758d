package redisadapter

import (
	"strings"
	"testing"

	"socketio-chat/pkg/redisadapter/internal/classic"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// benchmarks are payloads as they pass: a chat message, a larger document, Korean text, spelled
// numbers that need the raw form, binary.
var benchmarks = []struct {
	name string
	data socketio.Payload
}{
	{"chat", socketio.Payload{JSON: []byte(`["msgToClient",{"name":"kim","text":"hello, world, how are you?"}]`)}},
	{"document", socketio.Payload{JSON: []byte(`["doc",[` + strings.TrimSuffix(strings.Repeat(`{"id":12345,"tags":["a","b"],"pos":{"x":1.5,"y":-2.25},"ok":true,"none":null},`, 50), ",") + `]]`)}},
	{"korean", socketio.Payload{JSON: []byte(`["msgToClient",{"name":"김","text":"` + strings.Repeat("안녕하세요 ", 50) + `"}]`)}},
	{"spelled", socketio.Payload{JSON: []byte(`["n",[1.0,2.50,1e3]]`)}},
	{"binary", socketio.Payload{JSON: []byte(`["img",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{make([]byte, 4096)}}},
}

func BenchmarkEncode(b *testing.B) {
	for _, bm := range benchmarks {
		b.Run(bm.name, func(b *testing.B) {
			c := wire.NewCodec(1<<20, 255)
			b.SetBytes(int64(len(bm.data.JSON)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := classic.EncodeBroadcast(c, "0123456789ab", "/chat", bm.data, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, bm := range benchmarks {
		b.Run(bm.name, func(b *testing.B) {
			c := wire.NewCodec(1<<20, 255)
			m, _, err := classic.EncodeBroadcast(c, "0123456789ab", "/chat", bm.data, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(m)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := classic.DecodeBroadcast(c, m, "me", "/chat", nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOwnEcho is what a message of one's own costs when it comes back.
func BenchmarkOwnEcho(b *testing.B) {
	c := wire.NewCodec(1<<20, 255)
	m, _, err := classic.EncodeBroadcast(c, "0123456789ab", "/chat", benchmarks[0].data, nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_, _ = classic.DecodeBroadcast(c, m, "0123456789ab", "/chat", nil)
	}
}

// BenchmarkAcross is the whole way, from Broadcast on one instance through Redis to the adapter of
// another, as fast as it goes.
func BenchmarkAcross(b *testing.B) {
	r := startRedis(b)
	list := newCluster(b, r, "alpha", "beta")
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		list[0].chat.Broadcast("msgToClient", raw(`{"name":"kim","text":"hello"}`))
		if n++; n%1000 == 0 {
			eventually(b, "they arrive", func() bool { return list[1].builder.Status().Received >= n })
		}
	}
	eventually(b, "they arrive", func() bool { return list[1].builder.Status().Received >= n })
}

// A chat message costs one allocation to encode, and its text and options to decode.
func TestAllocations(t *testing.T) {
	c, data := wire.NewCodec(1<<20, 255), benchmarks[0].data
	if n := testing.AllocsPerRun(100, func() {
		if _, _, err := classic.EncodeBroadcast(c, "0123456789ab", "/chat", data, nil); err != nil {
			t.Fatal(err)
		}
	}); n > 1 && !raceEnabled {
		t.Errorf("encoding allocates %v times", n)
	}
	m, _, err := classic.EncodeBroadcast(c, "0123456789ab", "/chat", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := classic.DecodeBroadcast(c, m, "me", "/chat", nil); err != nil {
			t.Fatal(err)
		}
	}); n > 3 && !raceEnabled {
		t.Errorf("decoding allocates %v times", n)
	}
}
