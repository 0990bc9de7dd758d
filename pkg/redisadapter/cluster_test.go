package redisadapter

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// An event reaches every client of every instance once, exactly as it was sent, and nobody it is
// not meant for.
func TestBroadcast(t *testing.T) { eachMode(t, testBroadcast) }

func testBroadcast(t *testing.T, mode Mode) {
	r := startRedis(t)
	list := newModeCluster(t, r, mode, "alpha", "beta", "gamma")
	alpha, beta, gamma := list[0], list[1], list[2]
	ann, bob, cid := alpha.connect("ann"), beta.connect("bob"), gamma.connect("cid")
	everybody := []*client{ann, bob, cid}
	beta.socket(bob).Join("r 1")
	gamma.socket(cid).Join("r 2")

	odd := `["z",{"z":1.0,"a":[-0,1e21,"\ud800",18446744073709551615]},"안녕\u0000"]`
	alpha.chat.Broadcast("msg", raw("%s", odd))
	for _, c := range everybody {
		c.want(`["msg",` + odd + `]`)
	}
	beta.chat.To("r 1").Emit("msg", "one room")
	bob.want(`["msg","one room"]`)
	alpha.chat.To("r 1", "r 2").Emit("msg", "two rooms")
	bob.want(`["msg","two rooms"]`)
	cid.want(`["msg","two rooms"]`)
	gamma.chat.Except("r 1").Emit("msg", "except")
	ann.want(`["msg","except"]`)
	cid.want(`["msg","except"]`)
	alpha.chat.Local().Emit("msg", "local")
	ann.want(`["msg","local"]`)
	beta.socket(bob).Broadcast().Emit("msg", "others")
	ann.want(`["msg","others"]`)
	cid.want(`["msg","others"]`)
	gamma.chat.To(socket.Room(ann.id)).Emit("msg", "private")
	ann.want(`["msg","private"]`)
	gamma.chat.Emit("msg", nil)
	for _, c := range everybody {
		c.want(`["msg",null]`)
	}
	gamma.chat.Emit("end", []byte{1, 2})
	for _, c := range everybody {
		if got := []string{c.read(), c.read()}; got[0] != `451-/chat,["end",{"_placeholder":true,"num":0}]` || got[1] != "b:\x01\x02" {
			t.Errorf("%s: binary arrived as %q", c.name, got)
		}
	}
	for _, i := range list {
		if s := i.builder.Status(); s.Dropped+s.Unknown+s.Rejected+s.Gaps+s.Overruns != 0 {
			t.Errorf("%s: %+v", i.name, s)
		}
	}
}

// Each sender's messages arrive in its order, however many senders there are.
func TestOrder(t *testing.T) { eachMode(t, testOrder) }

func testOrder(t *testing.T, mode Mode) {
	const senders, messages = 8, 300
	r := startRedis(t)
	list := newModeCluster(t, r, mode, "alpha", "beta")
	ann, bob := list[0].connect("ann"), list[1].connect("bob")
	var done sync.WaitGroup
	for s := range senders {
		done.Go(func() {
			for n := range messages {
				list[s%2].chat.Broadcast("n", raw("[%d,%d]", s, n))
			}
		})
	}
	done.Wait()
	for _, c := range []*client{ann, bob} {
		var next [senders]int
		for range senders * messages {
			var s, n int
			text := c.read()
			if _, err := fmt.Sscanf(text, `42/chat,["n",[%d,%d]]`, &s, &n); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if n != next[s] {
				t.Fatalf("%s: message %d of sender %d after %d", c.name, n, s, next[s]-1)
			}
			next[s]++
		}
	}
}

func TestFetchSockets(t *testing.T) { eachMode(t, testFetchSockets) }

func testFetchSockets(t *testing.T, mode Mode) {
	r := startRedis(t)
	list := newModeCluster(t, r, mode, "alpha", "beta", "gamma")
	ann, bob, _ := list[0].connect("ann"), list[1].connect("bob"), list[1].connect("cid")
	list[1].socket(bob).Join("room")
	list[1].socket(bob).SetData(map[string]any{"name": "Bob"})

	fetch := func(opts *socket.BroadcastOptions) map[string]socket.SocketDetails {
		t.Helper()
		got := make(chan map[string]socket.SocketDetails)
		list[0].adapter().FetchSockets(opts)(func(sockets []socket.SocketDetails, err error) {
			if err != nil {
				t.Error(err)
			}
			byID := map[string]socket.SocketDetails{}
			for _, s := range sockets {
				byID[string(s.Id())] = s
			}
			go func() { got <- byID }()
		})
		return <-got
	}
	all := fetch(&socket.BroadcastOptions{})
	if len(all) != 3 || all[ann.id] == nil || all[bob.id] == nil {
		t.Fatalf("fetched %v", all)
	}
	remote := all[bob.id]
	if data, _ := remote.Data().(map[string]any); data["name"] != "Bob" || !remote.Rooms().Has("room") {
		t.Errorf("remote socket: data %v, rooms %v", remote.Data(), remote.Rooms().Keys())
	}
	if h := remote.Handshake(); len(h.Query["EIO"]) != 1 || h.Query["EIO"][0] != "4" || h.Address == "" || h.Headers["upgrade"] == nil {
		t.Errorf("remote handshake: %+v", h)
	}
	some := fetch(&socket.BroadcastOptions{Except: types.NewSet[socket.Room]("room")})
	if len(some) != 2 || some[bob.id] != nil {
		t.Errorf("except room: %v", some)
	}
	local := fetch(&socket.BroadcastOptions{Flags: &socket.BroadcastFlags{Local: true}})
	if len(local) != 1 {
		t.Errorf("local: %v", local)
	}
}

func TestJoinLeaveDisconnect(t *testing.T) { eachMode(t, testJoinLeaveDisconnect) }

func testJoinLeaveDisconnect(t *testing.T, mode Mode) {
	r := startRedis(t)
	list := newModeCluster(t, r, mode, "alpha", "beta")
	ann, bob := list[0].connect("ann"), list[1].connect("bob")
	alpha := list[0].chat
	// One sender's commands and broadcasts keep their order.
	alpha.SocketsJoin("everywhere")
	alpha.In(socket.Room(bob.id)).SocketsJoin("only bob")
	alpha.To("everywhere").Emit("msg", 1)
	alpha.To("only bob").Emit("msg", 2)
	ann.want(`["msg",1]`)
	bob.want(`["msg",1]`, `["msg",2]`)
	rooms := make(chan []socket.Room)
	list[0].adapter().AllRooms()(func(s *types.Set[socket.Room], err error) {
		if err != nil {
			t.Error(err)
		}
		rooms <- s.Keys()
	})
	if got := <-rooms; !slices.Contains(got, "only bob") || !slices.Contains(got, socket.Room(ann.id)) {
		t.Errorf("rooms %q", got)
	}
	alpha.SocketsLeave("everywhere")
	alpha.To("everywhere").Emit("msg", 3)
	alpha.Emit("msg", 4)
	ann.want(`["msg",4]`)
	bob.want(`["msg",4]`)
	alpha.In("only bob").DisconnectSockets(false)
	if got := bob.read(); got != "41/chat," {
		t.Errorf("bob got %q", got)
	}
	alpha.Emit("msg", 5)
	ann.want(`["msg",5]`)
	if n := list[0].adapter().ServerCount(); n != 2 {
		t.Errorf("%d servers", n)
	}
}

func TestServerSideEmit(t *testing.T) { eachMode(t, testServerSideEmit) }

func testServerSideEmit(t *testing.T, mode Mode) {
	r := startRedis(t)
	list := newModeCluster(t, r, mode, "alpha", "beta", "gamma")
	heard := make(chan string, 10)
	for _, i := range list {
		err := i.chat.On("hello", func(args ...any) {
			ack, withAck := args[len(args)-1].(socket.Ack)
			if withAck {
				args = args[:len(args)-1]
			}
			heard <- fmt.Sprint(i.name, args)
			if withAck {
				ack([]any{map[string]any{"from": i.name}}, nil)
				ack([]any{"a second time"}, nil)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := list[0].chat.ServerSideEmit("hello", 1, []byte{7}); err != nil {
		t.Fatal(err)
	}
	got := []string{<-heard, <-heard}
	slices.Sort(got)
	if want := "[beta[1 map[data:[7] type:Buffer]] gamma[1 map[data:[7] type:Buffer]]]"; fmt.Sprint(got) != want {
		t.Errorf("heard %v, want %s", got, want)
	}
	answers := make(chan string)
	err := list[0].chat.ServerSideEmit("hello", func(args []any, err error) { answers <- fmt.Sprint(len(args), args[0], err) })
	if err != nil {
		t.Fatal(err)
	}
	if got := <-answers; !strings.HasPrefix(got, "2 map[from:") || !strings.HasSuffix(got, "<nil>") {
		t.Errorf("answers: %s", got)
	}
	<-heard
	<-heard
}

// ackCalls collects what BroadcastWithAck calls back.
type ackCalls struct {
	counts chan uint64
	acks   chan []any
}

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
		{"socket.io-request#/chat#", `{"type":2,"opts":{"rooms":[{}]},"rooms":["x"]}`},
		{"socket.io-request#/chat#", `{"requestid":"x","type":77}`},
		{"socket.io-response#/chat#", "\xc1"},
		{"socket.io-response#/chat#", `{"requestId":5}`},
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
		`{"type":4,"uid":"z","opts":{"rooms":["nowhere"]}}`, `{"type":5,"requestId":"q","uid":"z"}`, `{"type":7,"requestId":"q","uid":"z","packet":{"nsp":"/chat","data":["ok"]}}`,
	} {
		r.do("PUBLISH", "socket.io-request#/chat#", m)
	}
	ann.ack(`["ok"]`, `[]`)
}

var _ = socketio.Payload{}
