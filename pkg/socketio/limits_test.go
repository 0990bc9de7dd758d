package socketio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// A bucket of 3 that gets 10 tokens a second.
func TestPace(t *testing.T) {
	r := newRate(10, 3)
	var b bucket
	for _, tt := range []struct{ now, wait time.Duration }{
		{0, 0}, {0, 0}, {0, 0}, // the burst
		{0, 100}, {100, 100}, {200, 100}, // then one in 100 ms
		{300, 100}, {400, 100},
		{10_000, 0}, {10_000, 0}, {10_000, 0}, {10_000, 100},
		{10_150, 50}, {10_250, 50}, {10_600, 0},
	} {
		if got := b.take(r, 1, tt.now*time.Millisecond); got != tt.wait*time.Millisecond {
			t.Errorf("at %d ms: wait %s, want %d ms", tt.now, got, tt.wait)
		}
	}
}

// Nothing is lost of a burst, and its order is kept; the client hears once that it was slowed.
func TestMessagesPerSecond(t *testing.T) {
	const messages = 30
	s := newTestServer(t, Options{Limits: Limits{MessagesPerSecond: 100, MessageBurst: 5}})
	chat := s.Of("/chat")
	On(chat, "say", func(_ context.Context, _ *socket.Socket, in Payload) error {
		chat.Broadcast("said", in)
		return nil
	})
	for _, protocol := range []int{3, 4} {
		before := s.LimitStats()
		c := s.dialJoined(t, protocol, "/chat")
		for i := range messages {
			c.send(fmt.Sprintf(`2/chat,["say",%d]`, i))
		}
		told := 0
		for next := 0; next < messages; {
			switch m := c.next(); m {
			case fmt.Sprintf(`2/chat,["said",%d]`, next):
				next++
			case `2/chat,["exception",{"status":"error","message":"too many messages: more than 100 a second are handled with delay"}]`:
				told++
			case `2["exception",{"status":"error","message":"too many messages: more than 100 a second are handled with delay"}]`:
				// protocol 3 is in "/" too
			default:
				t.Fatalf("got %q", m)
			}
		}
		after := s.LimitStats()
		if told != 1 || after.SlowedMessages == before.SlowedMessages || after.SlowedTime == before.SlowedTime {
			t.Errorf("told %d times, %+v", told, after)
		}
	}
	if got := strings.Count(s.log.String(), "read more slowly"); got != 1 {
		t.Errorf("%d lines in the log", got)
	}
}

// A client that is being slowed can be let go at any time.
func TestSlowedClientCloses(t *testing.T) {
	s := newTestServer(t, Options{Limits: Limits{MessagesPerSecond: 1, MessageBurst: 1}})
	c := s.dial(t, 4, "")
	for range 1000 { // a quarter of an hour
		c.send("0/nowhere,")
	}
	c.want(`4/nowhere,{"message":"Invalid namespace"}`)
	closed := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		closed <- s.Close(ctx)
	}()
	for err := error(nil); err == nil; {
		_, err = c.tryRead()
	}
	if err := receive(t, closed); err != nil {
		t.Error(err)
	}
}

func TestAttachmentsLimit(t *testing.T) {
	packet := func(n int) string {
		var places strings.Builder
		for i := range n {
			fmt.Fprintf(&places, `,{"_placeholder":true,"num":%d}`, i)
		}
		return fmt.Sprintf(`5%d-/chat,["x"%s]`, n, &places)
	}
	for _, tt := range []struct {
		limit, attachments int
		closed             bool
	}{
		{0, 10, false}, {0, 11, true}, {3, 3, false}, {3, 4, true}, {20, 20, false}, {20, 21, true}, {5000, 255, false}, {5000, 256, true},
	} {
		s := newTestServer(t, Options{Limits: Limits{Attachments: tt.limit}})
		s.Of("/chat")
		c := s.dialJoined(t, 4, "/chat")
		c.send(packet(tt.attachments))
		if !tt.closed {
			for range tt.attachments {
				c.sendBinary("x")
			}
			c.send(`2/chat,["x",0]`)
			c.send("0/nowhere,")
			c.want(`4/nowhere,{"message":"Invalid namespace"}`)
			continue
		}
		c.wantClosed()
		if got := s.LimitStats().RefusedPackets; got != 1 || !strings.Contains(s.log.String(), "too many attachments") {
			t.Errorf("%+v: counted %d", tt, got)
		}
	}
}

func TestNamespacesLimit(t *testing.T) {
	s := newTestServer(t, Options{Limits: Limits{Namespaces: 3}})
	for i := range 5 {
		s.Of(fmt.Sprintf("/n%d", i))
	}
	for protocol, want := range map[int][]string{
		3: {"0/n0", "0/n1", `4/n2,"too many namespaces"`, `4/n3,"too many namespaces"`}, // "/" is the first
		4: {"0/n0,{", "0/n1,{", "0/n2,{", `4/n3,{"message":"too many namespaces"}`},
	} {
		c := s.dial(t, protocol, "")
		if protocol == 3 {
			c.want("0")
		}
		for i, answer := range want {
			c.send(fmt.Sprintf("0/n%d,", i))
			if got := c.next(); !strings.HasPrefix(got, answer) {
				t.Errorf("protocol %d: got %q, want %q", protocol, got, answer)
			}
		}
		c.send("1/n0,") // a place for another one
		c.join("/n4")
	}
	if got := s.LimitStats().RefusedNamespaces; got != 3 {
		t.Errorf("counted %d", got)
	}
}

func TestRoomsLimit(t *testing.T) {
	s := newTestServer(t, Options{Limits: Limits{Rooms: 2}})
	chat := s.Of("/chat")
	rooms := make(chan int, 1)
	chat.OnConnect(func(_ context.Context, sock *socket.Socket) error {
		sock.Join("a", "b")
		sock.Join("c")
		sock.Join("a") // in it already
		sock.Leave("a")
		sock.Join("d", "e")
		rooms <- sock.Rooms().Len()
		return nil
	})
	s.dial(t, 4, "").send("0/chat,")
	if got := receive(t, rooms); got != 3 { // its own, b, and d or e
		t.Errorf("in %d rooms", got)
	}
	if got := s.LimitStats().RefusedRooms; got != 2 {
		t.Errorf("counted %d", got)
	}
}

// fewPlaces is a gate with a number of places.
type fewPlaces struct {
	mu       sync.Mutex
	places   int
	remotes  []string
	userName string
}

func (g *fewPlaces) Enter(remote string, header http.Header) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.places == 0 {
		return errors.New("full")
	}
	g.places--
	g.remotes = append(g.remotes, remote)
	g.userName = header.Get("X-User")
	return nil
}

func (g *fewPlaces) Leave(string, http.Header) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.places++
}

func (g *fewPlaces) left() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.places
}

// A gate that was entered is left once, whatever becomes of the connection.
func TestGate(t *testing.T) {
	gate := &fewPlaces{places: 2}
	s := newTestServer(t, Options{Gate: gate})
	for _, protocol := range []int{3, 4, 4} {
		first, second := s.dial(t, protocol, ""), s.dial(t, protocol, "")
		if protocol == 3 {
			second.want("0")
		}
		s.dial(t, protocol, "").wantClosed()
		if gate.left() != 0 {
			t.Error("places are left")
		}
		first.conn.Close()
		second.send("nonsense")
		second.wantClosed()
		eventually(t, "two places are left", func() bool { return gate.left() == 2 })
	}
}

// One message must not cost more for being counted, nor be allocated for.
func BenchmarkKeepPace(b *testing.B) {
	s := &Server{}
	s.limits.init(Limits{MessagesPerSecond: 1e9, MessageBurst: 1 << 30}, 1000, nil)
	c := &conn{server: s}
	b.ReportAllocs()
	for b.Loop() {
		if !c.keepPace(100, false) {
			b.Fatal("stopped")
		}
	}
}

// A client that is in no namespace cannot be told of anything, so it is when it has joined one.
func TestNobodyIsToldOutsideNamespaces(t *testing.T) {
	s := newTestServer(t, Options{})
	s.dial(t, 4, "")
	eventually(t, "the connection is there", func() bool { return len(s.snapshot()) == 1 })
	if s.snapshot()[0].tell("too much") {
		t.Error("it is said to have been told")
	}
}
