package redisadapter

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Messages that make no sense are counted and dropped, on every channel; the chat goes on.
func TestHostileShardedMessages(t *testing.T) {
	r := startRedis(t)
	alpha := newInstance(t, r, "alpha", in(Sharded), func(b *Builder) { b.MaxMessage = 64 << 10 })
	alpha.joined()
	ann := alpha.connect("ann")
	main := "socket.io#/chat#"
	before := alpha.builder.Status()
	sent := uint64(0)
	for name, text := range hostileClusterMessages(t) {
		for _, channel := range alpha.adapter().format.Subscription().Channels {
			if n := r.do("SPUBLISH", channel, text); n != int64(1) {
				t.Fatalf("%s: %v subscribers", name, n)
			}
			sent++
		}
	}
	r.do("SPUBLISH", main, `{"type":3,"uid":"x","nsp":"/chat","data":"`+strings.Repeat("x", 64<<10)+`"}`)
	sent++
	for _, foreign := range []string{
		`{"type":3,"data":{"packet":{"type":2,"data":["e"]},"opts":{}},"uid":"x","nsp":"/other"}`,
		`{"type":2,"uid":"x","nsp":"/chat"}`, `{"type":13,"uid":"x","nsp":"/chat"}`,
		`{"type":8,"data":{"requestId":"unasked","sockets":[]},"uid":"x","nsp":"/chat"}`,
	} {
		r.do("SPUBLISH", main, foreign)
	}
	r.do("SPUBLISH", main, `{"type":3,"data":{"packet":{"type":2,"data":["e","fine"]},"opts":{}},"uid":"x","nsp":"/chat"}`)
	ann.want(`["e","fine"]`)
	s := alpha.builder.Status()
	if got := s.Rejected - before.Rejected; got != sent || s.Gaps != 0 || !s.Joined {
		t.Errorf("%d of %d rejected: %+v", got, sent, s)
	}
}

func hostileClusterMessages(tb testing.TB) (list map[string]string) {
	tb.Helper()
	b, err := os.ReadFile("internal/cluster/testdata/hostile.json")
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		tb.Fatal(err)
	}
	for name, text := range list {
		if digits, binary := strings.CutPrefix(text, "hex:"); binary {
			b, err := hex.DecodeString(digits)
			if err != nil {
				tb.Fatal(err)
			}
			list[name] = string(b)
		}
	}
	return list
}
