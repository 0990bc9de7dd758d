package redisadapter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

func (i *instance) broadcastWithAck(opts *socket.BroadcastOptions, data ...any) ackCalls {
	c := ackCalls{make(chan uint64, 10), make(chan []any, 10)}
	i.adapter().BroadcastWithAck(&parser.Packet{Type: parser.EVENT, Data: data}, opts, func(n uint64) { c.counts <- n },
		func(args []any, _ error) { c.acks <- args })
	return c
}

// ack reads an event that wants an acknowledgement and gives it.
func (c *client) ack(event, answer string) {
	c.tb.Helper()
	got := c.read()
	id := strings.TrimSuffix(strings.TrimPrefix(got, "42/chat,"), event)
	if len(id) == 0 || strings.Trim(id, "0123456789") != "" {
		c.tb.Fatalf("%s: got %q", c.name, got)
	}
	c.write("43/chat," + id + answer)
}

func TestBroadcastWithAck(t *testing.T) { eachMode(t, testBroadcastWithAck) }

func testBroadcastWithAck(t *testing.T, mode Mode) {
	r := startRedis(t)
	list := newModeCluster(t, r, mode, "alpha", "beta", "gamma")
	ann, bob := list[0].connect("ann"), list[1].connect("bob")
	timeout := testPatience
	calls := list[0].broadcastWithAck(&socket.BroadcastOptions{Flags: &socket.BroadcastFlags{Timeout: &timeout}}, "q", raw(`{"b":1,"a":2.0}`))
	ann.ack(`["q",{"b":1,"a":2.0}]`, `["from ann"]`)
	bob.ack(`["q",{"b":1,"a":2.0}]`, `["from bob",2]`)
	if n := <-calls.counts + <-calls.counts + <-calls.counts; n != 2 {
		t.Errorf("asked %d clients", n)
	}
	got := fmt.Sprint(<-calls.acks, <-calls.acks)
	if got != "[from ann] [from bob]" && got != "[from bob] [from ann]" {
		t.Errorf("answers %s", got)
	}
}

func TestBroadcastWithAckBinary(t *testing.T) { eachMode(t, testBroadcastWithAckBinary) }

func testBroadcastWithAckBinary(t *testing.T, mode Mode) {
	r := startRedis(t)
	list := newModeCluster(t, r, mode, "alpha", "beta")
	bob := list[1].connect("bob")
	calls := list[0].broadcastWithAck(nil, "q", []byte{1, 2, 3})
	head, body := bob.read(), bob.read()
	id := strings.TrimSuffix(strings.TrimPrefix(head, "451-/chat,"), `["q",{"_placeholder":true,"num":0}]`)
	if body != "b:\x01\x02\x03" {
		t.Fatalf("got %q, %q", head, body)
	}
	bob.write("461-/chat," + id + `[{"_placeholder":true,"num":0}]`)
	bob.writeBinary([]byte{9})
	if n := <-calls.counts + <-calls.counts; n != 1 {
		t.Errorf("asked %d clients", n)
	}
	args := <-calls.acks
	if b, ok := args[0].(*types.BytesBuffer); !ok || string(b.Bytes()) != "\x09" {
		t.Errorf("answer %#v", args)
	}
}

// The library panics when every instance has reported and none has the socket it expects one answer
// from; it must not get there.
func TestExpectSingleResponse(t *testing.T) { eachMode(t, testExpectSingleResponse) }

func testExpectSingleResponse(t *testing.T, mode Mode) {
	r := startRedis(t)
	list := newModeCluster(t, r, mode, "alpha", "beta", "gamma")
	bob := list[1].connect("bob")
	got := make(chan string, 1)
	opts := &socket.BroadcastOptions{
		Rooms: types.NewSet(socket.Room(bob.id)), Flags: &socket.BroadcastFlags{ExpectSingleResponse: true},
	}
	calls := list[0].broadcastWithAck(opts, "q")
	bob.ack(`["q"]`, `["yes"]`)
	if n := <-calls.counts; n != 1 {
		t.Errorf("first count is %d", n)
	}
	<-calls.counts
	<-calls.counts
	args := <-calls.acks
	got <- fmt.Sprint(args)
	if s := <-got; s != "[[yes]]" {
		t.Errorf("answer %s", s)
	}
}

// An instance that does not answer costs the timeout, and the rest is there.
func TestRequestTimeout(t *testing.T) {
	r := startRedis(t)
	list := newCluster(t, r, "alpha")
	alpha := list[0]
	alpha.adapter().timeout = 100 * time.Millisecond
	alpha.connect("ann")
	// Somebody who listens like an instance and never answers.
	c := r.client()
	defer c.Close()
	mute := c.Subscribe(t.Context(), "socket.io-request#/chat#", "socket.io-response#/chat#", "socket.io-response#/chat#mute#")
	defer mute.Close()
	for range 3 {
		if _, err := mute.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	type result struct {
		n   int
		err error
	}
	got := make(chan result)
	alpha.adapter().FetchSockets(nil)(func(list []socket.SocketDetails, err error) { got <- result{len(list), err} })
	if r := <-got; r.n != 1 || r.err == nil || !strings.Contains(r.err.Error(), "only 0 responses received out of 1") {
		t.Errorf("got %+v", r)
	}
}

// A handler that waits for the cluster, or panics, harms nobody.
func TestHandlersMayWaitAndPanic(t *testing.T) { eachMode(t, testHandlersMayWaitAndPanic) }

func testHandlersMayWaitAndPanic(t *testing.T, mode Mode) {
	r := startRedis(t)
	list := newModeCluster(t, r, mode, "alpha", "beta")
	ann := list[0].connect("ann")
	counted := make(chan int)
	if err := list[1].chat.On("count", func(...any) {
		got := make(chan int)
		list[1].adapter().FetchSockets(nil)(func(s []socket.SocketDetails, err error) { got <- len(s) })
		counted <- <-got
	}); err != nil {
		t.Fatal(err)
	}
	if err := list[1].chat.On("boom", func(...any) { panic("boom") }); err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"boom", "count", "boom", "count"} {
		if err := list[0].chat.ServerSideEmit(event); err != nil {
			t.Fatal(err)
		}
		if event == "count" {
			if n := <-counted; n != 1 {
				t.Errorf("counted %d", n)
			}
		}
	}
	list[1].chat.Emit("msg", "alive")
	ann.want(`["msg","alive"]`)
}

// What arrives on the channels and makes no sense is counted and thrown away; what does goes on.
func TestHostileMessages(t *testing.T) {
	r := startRedis(t)
	list := newCluster(t, r, "alpha")
	alpha := list[0]
	ann := alpha.connect("ann")
	alpha.socket(ann).Join("room") // what is for a room without members is not looked at
	bad := []struct{ channel, payload string }{
		{"socket.io#/chat#", "garbage"},
		{"socket.io#/chat#room#", "\x93\xa1x\x83"},
		{"socket.io#/chat#", strings.Repeat("\x91", 1<<20)},
		{"socket.io-request#/chat#", "{"},
		{"socket.io-request#/chat#", ""},
		{"socket.io-request#/chat#", `{"type":99}`},
		{"socket.io-request#/chat#", `{"type":6}`},
		{"socket.io-request#/chat#", `{"type":6,"data":[{}]}`},
		{"socket.io-request#/chat#", `{"type":7,"requestId":"x","packet":{"type":2,"data":["disconnect"],"nsp":"/chat"}}`},
		{"socket.io-request#/chat#", `{"type":7,"requestId":"x"}`},
		{"socket.io-request#/chat#", `{"type":5,"requestId":"x"}`},
		{"socket.io-request#/chat#", `{"type":7,"requestId":"x","packet":{"type":2,"data":["meant for some"],"nsp":"/chat"}}`},
		{"socket.io-request#/chat#", `{"type":7,"requestId":"x","packet":{"type":3,"data":["e"],"nsp":"/chat"},"opts":{}}`},
		{"socket.io-request#/chat#", `{"type":2,"opts":{"rooms":{}},"rooms":["x"]}`},
		{"socket.io-request#/chat#", `{"requestid":"x","type":77}`},
		{"socket.io-response#/chat#", "\xc1"},
		{"socket.io-response#/chat#", `{"requestId":true}`},
	}
	before := alpha.builder.Status().Rejected
	for _, m := range bad {
		r.do("PUBLISH", m.channel, m.payload)
	}
	eventually(t, "all are rejected", func() bool { return alpha.builder.Status().Rejected == before+uint64(len(bad)) })
	alpha.chat.Broadcast("msg", raw(`"alive"`))
	ann.want(`["msg","alive"]`)
	for _, m := range []string{
		`{"requestid":"a","type":1,"sid":"nobody"}`, `{"requestid":"b","type":5,"data":{}}`, `{"type":2,"sid":"nobody","room":"x","requestId":"y"}`,
		`{"type":4,"uid":"z","opts":{"rooms":["nowhere"]}}`, `{"type":5,"requestId":"q","uid":"z","opts":[]}`, `{"type":7.0,"requestId":"q","uid":"z","packet":{"nsp":"/chat","type":2e0,"data":["ok"]},"opts":{}}`,
	} {
		r.do("PUBLISH", "socket.io-request#/chat#", m)
	}
	ann.ack(`["ok"]`, `[]`)
}

var _ = socketio.Payload{}
