package redisadapter

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"socketio-chat/pkg/redisadapter/internal/streams"
)

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

// An entry with a damaged number silences nobody, and one that makes no sense takes nobody's number.
func TestStreamsDamagedNumbers(t *testing.T) {
	r := startRedis(t)
	alpha, beta := newInstance(t, r, "alpha", in(Streams)), newInstance(t, r, "beta", in(Streams))
	eventually(t, "both are joined", func() bool { return alpha.builder.Status().Joined && beta.builder.Status().Joined })
	bob := beta.connect("bob")
	alpha.chat.Broadcast("msg", raw("1"))
	bob.want(`["msg",1]`)
	list := r.do("XREVRANGE", "socket.io", "+", "-", "COUNT", 1).([]any)
	entry := list[0].([]any)[1].([]any)
	last := len(entry) - 1 // seq is the last field
	origin, n, ok := streams.ReadStamp(entry[last].(string))
	if !ok {
		t.Fatalf("%q has no stamp", entry)
	}
	for _, number := range []uint64{n + 1000, n + 1<<40, math.MaxUint64} {
		entry[last] = fmt.Sprintf("%s:%d", origin, number)
		r.do(append([]any{"XADD", "socket.io", "*"}, entry...)...)
		bob.want(`["msg",1]`) // it is a message all the same
	}
	r.do("XADD", "socket.io", "*", "x", "y", "seq", fmt.Sprintf("%s:%d", origin, n+1))
	for i := range 3 {
		alpha.chat.Broadcast("msg", raw("%d", i+2))
		bob.want(fmt.Sprintf(`["msg",%d]`, i+2))
	}
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
