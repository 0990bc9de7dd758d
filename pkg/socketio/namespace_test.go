package socketio

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

func TestUnknownNamespace(t *testing.T) {
	s := newTestServer(t, Options{})
	s.Of("/chat")

	old := s.dial(t, 3, "")
	old.want("0") // "/" unasked
	for _, name := range []string{"/nope", "/nope?x=1", "/chat/", "//chat", "/%zz", "/a b", "/안녕", "/:x", "/a#b"} {
		path, _, _ := strings.Cut(name, "?")
		old.send("0" + name + ",")
		old.want("4" + path + `,"Invalid namespace"`)
	}
	old.send("0/chat")
	old.want("0/chat,")

	c := s.dial(t, 4, "")
	for _, name := range []string{"/nope", "/chat?x=1", "//chat", "/%zz", "/안녕"} {
		c.send("0" + name + ",")
		c.want("4" + name + `,{"message":"Invalid namespace"}`)
	}
	c.join("/chat")
	c.join("/")
}

func TestHandshake(t *testing.T) {
	s := newTestServer(t, Options{})
	handshakes := make(chan socket.Handshake, 1)
	s.Of("/chat").OnConnect(func(_ context.Context, s *socket.Socket) error {
		handshakes <- *s.Handshake() // a copy: Auth is forgotten when this returns
		return nil
	})

	old := s.dial(t, 3, "username=engine&x=1")
	old.want("0")
	old.send("0/chat?username=%EC%95%88%EB%85%95&y=2,")
	old.want("0/chat,")
	h := receive(t, handshakes)
	want := map[string][]string{"EIO": {"3"}, "transport": {"websocket"}, "x": {"1"}, "y": {"2"}, "username": {"안녕"}}
	if !reflect.DeepEqual(h.Query, want) {
		t.Errorf("query %v, want %v", h.Query, want)
	}

	c := s.dial(t, 4, "username=engine")
	c.send(`0/chat,{"token":"x","n":[1,null]}`)
	c.next()
	h = receive(t, handshakes)
	if want := map[string]any{"token": "x", "n": []any{1.0, nil}}; !reflect.DeepEqual(h.Auth, want) {
		t.Errorf("auth %v, want %v", h.Auth, want)
	}
	if h.Query["username"][0] != "engine" || h.Headers["Upgrade"][0] != "websocket" ||
		!strings.HasPrefix(h.Address, "127.0.0.1:") || !strings.HasPrefix(h.Url, "/socket.io/?EIO=4") || h.Secure || h.Xdomain {
		t.Errorf("handshake %+v", h)
	}

	s.dialJoined(t, 4, "/chat")
	if h = receive(t, handshakes); !reflect.DeepEqual(h.Auth, map[string]any{}) {
		t.Errorf("auth %v, want an empty object", h.Auth)
	}
}

// TestQueryInLaterPackets: clients of protocol 4 may repeat the query of their namespace.
func TestQueryInLaterPackets(t *testing.T) {
	s := newTestServer(t, Options{})
	got := make(chan string, 1)
	On(s.Of("/chat"), "x", func(_ context.Context, _ *socket.Socket, in string) error {
		got <- in
		return nil
	})
	c := s.dial(t, 3, "")
	c.want("0")
	c.send("0/chat?a=b,")
	c.want("0/chat,")
	c.send(`2/chat?a=b,["x","hello"]`)
	if m := receive(t, got); m != "hello" {
		t.Errorf("got %q", m)
	}
	c.send("1/chat?a=b,")
	c.send("0/chat?a=c,")
	c.want("0/chat,")
}

func TestMiddleware(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		s.Of("/chat").Use(func(sock *socket.Socket, next func(*socket.ExtendedError)) {
			switch sock.Handshake().Query["as"][0] {
			case "stranger":
				next(socket.NewExtendedError("not you", nil))
			case "guest":
				next(socket.NewExtendedError("not yet", map[string]any{"retry": 5}))
			case "slow":
				go next(nil)
			case "bug":
				panic("middleware bug")
			default:
				next(nil)
			}
		})
		answers := map[string]map[int]string{
			"stranger": {3: `4/chat,"not you"`, 4: `4/chat,{"message":"not you"}`},
			"guest":    {3: `4/chat,{"retry":5}`, 4: `4/chat,{"message":"not yet","data":{"retry":5}}`},
			"bug":      {3: `4/chat,"Internal server error"`, 4: `4/chat,{"message":"Internal server error"}`},
		}
		for as, want := range answers {
			c := s.dial(t, protocol, "as="+as)
			if protocol == 3 {
				c.want("0")
			}
			c.send("0/chat,")
			c.want(want[protocol])
			// The refused namespace can be tried again, others joined.
			c.send("0/chat,")
			c.want(want[protocol])
			if protocol == 4 {
				c.join("/")
			}
		}
		for _, as := range []string{"friend", "slow"} {
			c := s.dial(t, protocol, "as="+as)
			if protocol == 3 {
				c.want("0")
			}
			c.join("/chat")
		}
		if !strings.Contains(s.log.String(), "middleware bug") {
			t.Error("the panic is not logged")
		}
		eventually(t, "only two sockets are in the namespace", func() bool { return s.Of("/chat").local.size() == 2 })
	})
}

// size is how many sockets the adapter knows, joined or not.
func (a *LocalAdapter) size() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.byID)
}

func TestDynamicNamespace(t *testing.T) {
	s := newTestServer(t, Options{})
	parent := s.IO().Of(regexp.MustCompile(`^/room-\d+$`), nil)
	if err := parent.On("connection", func(args ...any) {
		sock := args[0].(*socket.Socket)
		if err := sock.On("who", func(args ...any) { args[0].(socket.Ack)([]any{sock.Nsp().Name()}, nil) }); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	const clients = 8
	list := make([]*testClient, clients)
	for i := range list {
		list[i] = s.dial(t, 4, "")
		list[i].send("0/room-7,")
	}
	for _, c := range list {
		if m := c.next(); !strings.HasPrefix(m, `0/room-7,{"sid":`) {
			t.Fatalf("got %q", m)
		}
		c.send(`2/room-7,1["who"]`)
		c.want(`3/room-7,1["/room-7"]`)
	}
	if err := parent.Emit("hello", "all"); err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		c.want(`2/room-7,["hello","all"]`)
	}
	c := s.dial(t, 4, "")
	c.send("0/room-x,")
	c.want(`4/room-x,{"message":"Invalid namespace"}`)
}

func TestConnectTimeout(t *testing.T) {
	s := newTestServer(t, Options{ConnectTimeout: 20 * time.Millisecond})
	s.dial(t, 4, "").wantClosed()
	joined := s.dialJoined(t, 4, "/")
	joined.send("1") // to leave is not to have never joined
	s.dial(t, 4, "").wantClosed()
	joined.join("/")
	refused := s.dial(t, 4, "")
	refused.send("0/nope,")
	refused.next()
	refused.wantClosed()
}

// TestLibraryNsp checks that the library's Client finds in the URL what we put in.
func TestLibraryNsp(t *testing.T) {
	for _, name := range []string{"/", "/chat", "//x", "///", "/a b", "/%zz", "/%20", "/안녕", "/a:b", "/a#b", "/a?b"[:2], "/x;y", "/\x7f"} {
		for _, query := range []string{"", "a=b", "username=%EC%95%88", "?", "a b&c"} {
			u, err := url.Parse(namespaceURL(name, query))
			if err != nil || u.Path != name || u.RawQuery != query {
				t.Errorf("%q with %q is %q and comes back as %q with %q (%v)", name, query, namespaceURL(name, query), u.Path, u.RawQuery, err)
			}
		}
	}
}

func TestBroadcastTo(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		chat := s.Of("/chat")
		ids := make(chan socket.SocketId, 3)
		chat.OnConnect(func(_ context.Context, sock *socket.Socket) error {
			ids <- sock.Id()
			return nil
		})
		var c [3]*testClient
		var id [3]socket.SocketId
		for i := range c {
			c[i] = s.dialJoined(t, protocol, "/chat")
			id[i] = receive(t, ids)
		}
		get := func(i int) *socket.Socket {
			sock, ok := chat.Sockets().Load(id[i])
			if !ok {
				t.Fatalf("socket %d is not there", i)
			}
			return sock
		}
		get(0).Join("red", "all")
		get(1).Join("green", "all")
		get(2).Join("green")

		var n int
		// expect checks that exactly these clients get what emit sends: a marker follows it.
		expect := func(emit func(string, ...any) error, want ...int) {
			t.Helper()
			n++
			if err := emit("x", n); err != nil {
				t.Fatal(err)
			}
			chat.Broadcast("marker", n)
			for _, i := range want {
				c[i].want(fmt.Sprintf(`2/chat,["x",%d]`, n))
			}
			for i := range c {
				c[i].want(fmt.Sprintf(`2/chat,["marker",%d]`, n))
			}
		}
		expect(chat.Emit, 0, 1, 2)
		expect(chat.To("red").Emit, 0)
		expect(chat.To("green").Emit, 1, 2)
		expect(chat.To("red", "all").Emit, 0, 1)
		expect(chat.To("all").Except("red").Emit, 1)
		expect(chat.Except("green").Emit, 0)
		expect(chat.Except(socket.Room(id[1])).Emit, 0, 2)
		expect(chat.To(socket.Room(id[2])).Emit, 2)
		expect(chat.In("nobody").Emit)
		expect(chat.Local().Emit, 0, 1, 2)
		expect(chat.Compress(true).Emit, 0, 1, 2)
		expect(get(0).Broadcast().Emit, 1, 2)
		expect(get(1).To("green").Emit, 2)
		expect(get(0).Emit, 0)
		eventually(t, "nothing waits for 2", func() bool { return get(2).Conn().Transport().Writable() })
		expect(get(2).Volatile().Emit, 2)

		get(0).Leave("red")
		expect(chat.To("red").Emit)
		get(1).Leave(socket.Room(id[1]))
		expect(chat.To(socket.Room(id[1])).Emit)
		chat.In("green").SocketsJoin("blue")
		expect(chat.To("blue").Emit, 1, 2)
		chat.In(socket.Room(id[2])).SocketsLeave("blue", "green")
		expect(chat.To("blue", "green").Emit, 1)

		chat.Except("nobody").FetchSockets()(func(list []*socket.RemoteSocket, err error) {
			if err != nil || len(list) != 3 {
				t.Errorf("fetched %d sockets (%v)", len(list), err)
			}
			for _, r := range list {
				if r.Id() == id[0] {
					expect(r.Emit, 0)
				}
			}
		})
		all, err := chat.AllSockets()
		if err != nil || all.Len() != 3 {
			t.Errorf("all sockets: %v, %v", all, err)
		}
		if rooms := get(1).Rooms(); rooms.Len() != 3 || !rooms.Has("green") || !rooms.Has("blue") || !rooms.Has("all") {
			t.Errorf("rooms of 1: %v", rooms.Keys())
		}
		if err := chat.Emit("connect"); err == nil {
			t.Error("a reserved event was emitted")
		}
		if err := chat.ServerSideEmit("x"); err == nil {
			t.Error("there is no other server")
		}

		chat.In("blue").DisconnectSockets(false)
		c[1].want("1/chat,")
		eventually(t, "it has left", func() bool { return chat.Sockets().Len() == 2 })
		chat.DisconnectSockets(true)
		for _, c := range []*testClient{c[0], c[2]} {
			got := []string{c.next()}
			if protocol == 3 { // it is in "/" too
				got = append(got, c.next())
			}
			if !slices.Contains(got, "1/chat,") {
				t.Errorf("got %q", got)
			}
			c.wantClosed()
		}
		c[1].send("0/chat,")
		if m := c[1].next(); !strings.HasPrefix(m, "0/chat,") {
			t.Errorf("got %q", m)
		}
	})
}
