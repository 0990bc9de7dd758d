package socketio

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// answering makes a client acknowledge every event with these arguments, a JSON array.
func answering(c *testClient, args string) {
	go func() {
		for {
			m, err := c.tryRead()
			if err != nil {
				return
			}
			if id, found := strings.CutPrefix(m, "42/chat,"); found {
				c.send("3/chat," + id[:strings.IndexByte(id, '[')] + args)
			}
		}
	}()
}

type response struct {
	args []any
	err  error
}

// Each client counts once, whatever it answers, and the callback runs once.
func TestBroadcastWithAckResponses(t *testing.T) {
	s := newTestServer(t, Options{})
	ns := s.Of("/chat")
	for i := range 5 {
		for _, args := range []string{``, `[]`, `[1,2,3]`, `[[4,5]]`, `[null]`} {
			answering(s.dialJoined(t, 3+i%2, "/chat"), args)
		}
	}
	for range 50 {
		var calls atomic.Int32
		done := make(chan response, 10)
		if err := ns.Timeout(patience).Emit("q", socket.Ack(func(args []any, err error) { calls.Add(1); done <- response{args, err} })); err != nil {
			t.Fatal(err)
		}
		r := receive(t, done)
		texts := make([]string, 0, len(r.args))
		for _, a := range r.args {
			texts = append(texts, fmt.Sprint(a))
		}
		slices.Sort(texts)
		want := strings.Repeat("1 ", 5) + strings.Repeat("<nil> ", 15) + strings.TrimSpace(strings.Repeat("[4 5] ", 5))
		if got := strings.Join(texts, " "); got != want || r.err != nil {
			t.Fatalf("got %s, %v; want %s", got, r.err, want)
		}
		if calls.Load() != 1 {
			t.Fatalf("%d calls", calls.Load())
		}
	}
}

// Nobody to ask is an answer, too.
func TestBroadcastWithAckToNobody(t *testing.T) {
	s := newTestServer(t, Options{})
	done := make(chan response, 2)
	_ = s.Of("/chat").Timeout(patience).Emit("q", socket.Ack(func(args []any, err error) { done <- response{args, err} }))
	if r := receive(t, done); len(r.args) != 0 || r.err != nil {
		t.Errorf("got %v, %v", r.args, r.err)
	}
}

// A remote socket is asked alone, and may answer anything.
func TestRemoteSocketAck(t *testing.T) {
	s := newTestServer(t, Options{})
	ns := s.Of("/chat")
	for args, want := range map[string]string{`[]`: "[]", `["x"]`: "[x]", `[1,2]`: "[1 2]", `[{"a":[]}]`: "[map[a:[]]]", `[[1]]`: "[[1]]", ``: "[]"} {
		c := s.dial(t, 4, "")
		sid := c.join("/chat")
		answering(c, args)
		done := make(chan response, 2)
		ns.In(socket.Room(sid)).FetchSockets()(func(list []*socket.RemoteSocket, err error) {
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			_ = list[0].Timeout(patience).Emit("q", socket.Ack(func(args []any, err error) { done <- response{args, err} }))
		})
		if r := receive(t, done); fmt.Sprint(r.args) != want || r.err != nil {
			t.Errorf("%s: got %v, %v; want %s", args, r.args, r.err, want)
		}
	}
	// One that has gone meanwhile does not answer.
	c := s.dial(t, 4, "")
	sid := c.join("/chat")
	var gone *socket.RemoteSocket
	ns.In(socket.Room(sid)).FetchSockets()(func(list []*socket.RemoteSocket, _ error) { gone = list[0] })
	c.send("1/chat,")
	eventually(t, "it has left", func() bool { return ns.local.SocketRooms(socket.SocketId(sid)) == nil })
	done := make(chan response, 2)
	_ = gone.Timeout(20*time.Millisecond).Emit("q", socket.Ack(func(args []any, err error) { done <- response{args, err} }))
	if r := receive(t, done); r.err == nil {
		t.Errorf("got %v of nobody", r.args)
	}
}

// Of questions that nobody answers nothing is left when their time is over.
func TestUnansweredBroadcasts(t *testing.T) {
	s := newTestServer(t, Options{})
	ns := s.Of("/chat")
	c := s.dial(t, 4, "")
	sid := c.join("/chat")
	timeouts := make(chan error, 100)
	for range 100 {
		_ = ns.Timeout(20*time.Millisecond).Emit("q", socket.Ack(func(_ []any, err error) { timeouts <- err }))
		timeout := 20 * time.Millisecond
		ns.local.BroadcastEncodedWithAck(Encoded{Data: Payload{JSON: []byte(`["q"]`)}}, &socket.BroadcastOptions{Flags: &socket.BroadcastFlags{Timeout: &timeout}},
			func(uint64) {}, func([]Payload) { t.Error("answered") })
	}
	for range 100 {
		if receive(t, timeouts) == nil {
			t.Error(errors.New("no time-out"))
		}
	}
	sock, _ := ns.Sockets().Load(socket.SocketId(sid))
	l := linkOf(sock)
	eventually(t, "nothing is left", func() bool {
		l.conn.mu.Lock()
		defer l.conn.mu.Unlock()
		return len(l.rawAcks) == 0 && sock.Acks().Len() == 0
	})
}

// No answer reaches the library's operator while its Emit may be busy; how many are asked does, at once.
func TestAnswersWaitForEmit(t *testing.T) {
	for _, single := range []bool{false, true} {
		var got []string
		r := &answers{
			log: slog.New(slog.DiscardHandler), single: single,
			clientCount: func(n uint64) { got = append(got, fmt.Sprint("count ", n)) },
			ack:         func(args []any, err error) { got = append(got, fmt.Sprint("ack ", args, err)) },
		}
		r.count(0)
		r.count(1)
		r.answer([]Payload{raw(`1`), raw(`2`)})
		if text := strings.Join(got, ", "); strings.Contains(text, "ack") {
			t.Errorf("single %v: told %s at once", single, text)
		}
		r.settled()
		r.answer(nil)
		want := "count 0, count 1, ack [1] <nil>, ack [<nil>] <nil>"
		if single {
			want = "count 1, count 0, ack [[1 2]] <nil>, ack [[]] <nil>"
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("single %v: told %s, want %s", single, text, want)
		}
	}
}
