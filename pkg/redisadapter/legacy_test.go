package redisadapter

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// node2 behaves like socket.io-redis 5.4 in one namespace: it answers what that answers, and fails
// the test over what would end that.
type node2 struct {
	tb       testing.TB
	redis    *redis.Client
	pubsub   *redis.PubSub
	messages chan []byte // broadcasts

	mu      sync.Mutex
	sockets map[string][]string // id → rooms
	done    sync.WaitGroup
}

// newNode2 starts a node with sockets; it has subscribed when this returns.
func (r *testRedis) newNode2(tb testing.TB, sockets map[string][]string) *node2 {
	tb.Helper()
	n := &node2{tb: tb, redis: r.client(), messages: make(chan []byte, 100), sockets: sockets}
	n.pubsub = n.redis.Subscribe(tb.Context(), "socket.io-request#/chat#", "socket.io-response#/chat#")
	if err := n.pubsub.PSubscribe(tb.Context(), "socket.io#/chat#*"); err != nil {
		tb.Fatal(err)
	}
	for range 3 {
		if _, err := n.pubsub.Receive(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
	n.done.Go(n.run)
	tb.Cleanup(func() {
		n.pubsub.Close()
		n.done.Wait()
		n.redis.Close()
	})
	return n
}

func (n *node2) run() {
	for {
		m, err := n.pubsub.ReceiveMessage(n.tb.Context())
		if err != nil {
			return
		}
		if strings.HasPrefix(m.Channel, "socket.io#") {
			n.messages <- []byte(m.Payload)
			continue
		}
		var req struct {
			RequestID string `json:"requestid"`
			Type      *int
			Rooms     []string
			Sid, Room string
			Clients   []string
		}
		if err := json.Unmarshal([]byte(m.Payload), &req); err != nil {
			n.tb.Errorf("%s: a message that ends nodes of generation 2: %q", m.Channel, m.Payload)
			continue
		}
		if m.Channel == "socket.io-request#/chat#" && req.Type != nil {
			n.answer(*req.Type, req.RequestID, req.Sid, req.Room, req.Rooms)
		}
	}
}

// answer does what the node does for any request, its own generation's or not.
func (n *node2) answer(typ int, id, sid, room string, rooms []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answer := map[string]any{}
	if id != "" {
		answer["requestid"] = id
	}
	_, mine := n.sockets[sid]
	switch {
	case typ == 0:
		answer["clients"] = n.clients(rooms)
	case typ == 2:
		answer["rooms"] = n.rooms()
	case typ == 3 && mine:
		n.sockets[sid] = append(n.sockets[sid], room)
	case typ == 4 && mine:
		n.sockets[sid] = slices.DeleteFunc(n.sockets[sid], func(r string) bool { return r == room })
	case typ == 6 && mine:
		delete(n.sockets, sid)
	case typ == 5:
		answer["data"] = nil
	default:
		return
	}
	b, _ := json.Marshal(answer)
	if err := n.redis.Publish(n.tb.Context(), "socket.io-response#/chat#", b).Err(); err != nil {
		n.tb.Log(err)
	}
}

func (n *node2) clients(rooms []string) []string {
	ids := []string{}
	for id, in := range n.sockets {
		if len(rooms) == 0 || slices.ContainsFunc(rooms, func(r string) bool { return r == id || slices.Contains(in, r) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (n *node2) rooms() (rooms []string) {
	for _, in := range n.sockets {
		rooms = append(rooms, in...)
	}
	return rooms
}

// state tells who is where.
func (n *node2) state() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return fmt.Sprint(n.sockets)
}

func (n *node2) becomes(state string) {
	n.tb.Helper()
	eventually(n.tb, "state "+state, func() bool { return n.state() == state })
}

// Cluster calls reach the sockets of generation 2 nodes, too.
func TestCommandsReachGeneration2(t *testing.T) {
	r := startRedis(t)
	n := r.newNode2(t, map[string][]string{"s1": {"a"}, "s2": {"b"}})
	alpha := newCluster(t, r, "alpha", "beta")[0]
	eventually(t, "all are there", func() bool { return alpha.builder.Status().Servers == 3 })
	alpha.chat.SocketsJoin("x")
	n.becomes("map[s1:[a x] s2:[b x]]")
	alpha.chat.In("a").SocketsJoin("y")
	n.becomes("map[s1:[a x y] s2:[b x]]")
	alpha.chat.Except("a").SocketsJoin("z")
	n.becomes("map[s1:[a x y] s2:[b x z]]")
	alpha.chat.In("y").SocketsLeave("y")
	n.becomes("map[s1:[a x] s2:[b x z]]")

	got := make(chan string)
	alpha.adapter().FetchSockets(&socket.BroadcastOptions{Except: types.NewSet[socket.Room]("b")})(func(list []socket.SocketDetails, err error) {
		var ids []string
		for _, s := range list {
			ids = append(ids, string(s.Id()))
		}
		got <- fmt.Sprint(ids, err)
	})
	if s := <-got; s != "[s1] <nil>" {
		t.Errorf("fetched %s", s)
	}
	alpha.adapter().AllRooms()(func(rooms *types.Set[socket.Room], err error) { got <- fmt.Sprint(roomNames(rooms), err) })
	if s := <-got; s != "[a b x z] <nil>" {
		t.Errorf("rooms %s", s)
	}
	alpha.chat.In("s2").DisconnectSockets(true)
	n.becomes("map[s1:[a x]]")
	if n := alpha.adapter().ServerCount(); n != 3 {
		t.Errorf("%d servers", n)
	}
}

// What a generation 2 node asks is answered.
func TestGeneration2Asks(t *testing.T) {
	r := startRedis(t)
	alpha := newCluster(t, r, "alpha")[0]
	ann := alpha.connect("ann")
	alpha.socket(ann).Join("room")
	c := r.client()
	defer c.Close()
	s := c.Subscribe(t.Context(), "socket.io-response#/chat#")
	defer s.Close()
	if _, err := s.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ request, response string }{
		{`{"requestid":"1","type":0,"rooms":[]}`, `{"requestid":"1","clients":["SID"]}`},
		{`{"requestid":"2","type":0,"rooms":["nowhere"]}`, `{"requestid":"2","clients":[]}`},
		{`{"requestid":"3","type":1,"sid":"SID"}`, `{"requestid":"3","rooms":["SID","room"]}`},
		{`{"requestid":"4","type":2}`, `{"requestid":"4","rooms":["SID","room"]}`},
		{`{"requestid":"5","type":3,"sid":"SID","room":"new"}`, `{"requestid":"5"}`},
		{`{"requestid":"6","type":4,"sid":"SID","room":"room"}`, `{"requestid":"6"}`},
		{`{"requestid":"7","type":2}`, `{"requestid":"7","rooms":["SID","new"]}`},
		{`{"requestid":"8","type":5,"data":{"any":1}}`, `{"requestid":"8","data":null}`},
		{`{"requestid":"9","type":6,"sid":"SID","close":false}`, `{"requestid":"9"}`},
	} {
		if err := c.Publish(t.Context(), "socket.io-request#/chat#", strings.ReplaceAll(tc.request, "SID", ann.id)).Err(); err != nil {
			t.Fatal(err)
		}
		m, err := s.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got, want wire.Response
		if err := json.Unmarshal([]byte(m.Payload), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(strings.ReplaceAll(tc.response, "SID", ann.id)), &want); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*wire.Response{&got, &want} {
			if r.Rooms != nil {
				slices.Sort(*r.Rooms)
			}
		}
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		if string(g) != string(w) {
			t.Errorf("%s: got %s, want %s", tc.request, m.Payload, w)
		}
	}
	if got := ann.read(); got != "41/chat," {
		t.Errorf("ann got %q", got)
	}
}

// packetType reads the type of a broadcast's packet.
func packetType(t *testing.T, m []byte) int {
	t.Helper()
	_, rest, err := msgp.ReadArrayHeaderBytes(m)
	if err == nil {
		rest, err = msgp.Skip(rest)
	}
	if err == nil {
		_, rest, err = msgp.ReadMapHeaderBytes(rest)
	}
	if err == nil {
		_, rest, err = msgp.ReadStringBytes(rest)
	}
	typ, _, err2 := msgp.ReadIntBytes(rest)
	if err != nil || err2 != nil {
		t.Fatalf("%q: %v, %v", m, err, err2)
	}
	return typ
}

// Binary broadcasts to rooms have the type that the nodes in the cluster understand.
func TestBinaryToRooms(t *testing.T) {
	r := startRedis(t)
	n := r.newNode2(t, nil)
	alpha := newCluster(t, r, "alpha")[0]
	alpha.chat.To("r").Emit("msg", []byte{1})
	if typ := packetType(t, <-n.messages); typ != wire.TypeBinaryEvent {
		t.Errorf("type %d with generation 2 alone", typ)
	}
	c := r.client()
	defer c.Close()
	s := c.Subscribe(t.Context(), "socket.io-request#/chat#", "socket.io-response#/chat#", "socket.io-response#/chat#uid#")
	defer s.Close()
	for range 3 {
		if _, err := s.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	alpha.chat.To("r").Emit("msg", []byte{1})
	if typ := packetType(t, <-n.messages); typ != wire.TypeEvent {
		t.Errorf("type %d with generation 4", typ)
	}
}

// With a generation 2 node about, a broadcast that wants acknowledgements asks our own instances,
// and Node nodes get the event without being asked; nothing that could end one is published.
func TestBroadcastWithAckSparesGeneration2(t *testing.T) {
	r := startRedis(t)
	n := r.newNode2(t, map[string][]string{"s1": nil})
	list := newCluster(t, r, "alpha", "beta")
	eventually(t, "all are there", func() bool { return list[0].builder.Status().Servers == 3 })
	bob := list[1].connect("bob")
	calls := list[0].broadcastWithAck(nil, "q", 1)
	bob.ack(`["q",1]`, `["yes"]`)
	if got := fmt.Sprint(<-calls.acks); got != "[yes]" {
		t.Errorf("answer %s", got)
	}
	if sum := <-calls.counts + <-calls.counts + <-calls.counts; sum != 1 {
		t.Errorf("asked %d clients", sum)
	}
	if typ := packetType(t, <-n.messages); typ != wire.TypeEvent {
		t.Errorf("type %d", typ)
	}
	calls = list[0].broadcastWithAck(nil, "q", []byte{1})
	head, _ := bob.read(), bob.read()
	if !strings.HasPrefix(head, "451-/chat,") {
		t.Fatalf("bob got %q", head)
	}
	bob.write("461-/chat," + strings.TrimPrefix(strings.Split(head, "[")[0], "451-/chat,") + `[{"_placeholder":true,"num":0}]`)
	bob.writeBinary([]byte{2})
	if args := <-calls.acks; len(args) != 1 {
		t.Errorf("answer %v", args)
	}
}

// roomNames lists a set in order; nil for none.
func roomNames(s *types.Set[socket.Room]) []string {
	if s == nil {
		return nil
	}
	var list []string
	for _, r := range s.Keys() {
		list = append(list, string(r))
	}
	slices.Sort(list)
	return list
}
