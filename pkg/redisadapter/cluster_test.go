package redisadapter

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
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
