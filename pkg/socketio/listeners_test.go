package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// recordedListeners is testdata/listeners.json, see record_listeners.mjs there: for each way to end, what listeners saw of a socket with Node's
// server, what its client heard, and what another client heard of its end.
type recordedListeners map[string]struct {
	Sees   map[string]any
	Heard  []string
	Others []string
}

// look is what a listener sees of a socket.
func look(ns *Namespace, sock *socket.Socket) string {
	_, listed := ns.Sockets().Load(sock.Id())
	rooms := sock.Rooms().Keys()
	for i, r := range rooms {
		if r == socket.Room(sock.Id()) {
			rooms[i] = "own"
		}
	}
	slices.Sort(rooms)
	return fmt.Sprintf("connected %t, listed %t, rooms %v", sock.Connected(), listed, rooms)
}

// TestListenersSeeWhatNodesSee: our listeners run on other goroutines than the library's and the clients', where Node runs all on one. They see
// the same of their socket, and what they send comes in the same order.
func TestListenersSeeWhatNodesSee(t *testing.T) {
	b, err := os.ReadFile("testdata/listeners.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded recordedListeners
	if err := json.Unmarshal(b, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded) != 3 {
		t.Fatalf("%d ends are recorded", len(recorded))
	}
	for how, want := range recorded {
		t.Run(how, func(t *testing.T) {
			s := newTestServer(t, Options{})
			f := &facts{ns: s.Of("/chat"), sees: map[string]any{}}
			f.listen(t)
			other, _ := joinedSocket(t, s, 4)
			other.want(`2/chat,["first"]`, `2/chat,["second"]`, `2/chat,["third"]`, `2/chat,["fourth"]`)
			c, sock := joinedSocket(t, s, 4)
			other.want(`2/chat,["second"]`, `2/chat,["third"]`, `2/chat,["from another"]`, `2/chat,["fourth"]`)
			c.send(`2/chat,0["ask"]`)
			var heard []string
			hear := func() { heard = append(heard, eventName(t, c.next())) }
			for len(heard) < len(want.Heard) {
				hear()
			}
			switch how {
			case "client":
				c.send("1/chat,")
			case "server":
				c.send(`2/chat,["bye"]`)
				c.want("1/chat,", `2/chat,["never"]`) // Node sends that, too; its client does not listen any more
			case "cut":
				c.conn.Close()
			}
			var others []string
			for range want.Others {
				others = append(others, eventName(t, other.next()))
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if !slices.Equal(heard, want.Heard) || !slices.Equal(others, want.Others) {
				t.Errorf("heard %q, the other one %q\nwant  %q, the other one %q", heard, others, want.Heard, want.Others)
			}
			for _, name := range slices.Sorted(maps.Keys(want.Sees)) {
				if got := f.of(sock, name); got != want.Sees[name] {
					t.Errorf("%s: %v\nNode: %v", name, got, want.Sees[name])
				}
			}
		})
	}
}

// facts are what listeners have seen, by socket and name.
type facts struct {
	ns   *Namespace
	mu   sync.Mutex
	sees map[string]any
}

func (f *facts) note(sock *socket.Socket, name string, fact any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sees[string(sock.Id())+name] = fact
}

func (f *facts) of(sock *socket.Socket, name string) any { return f.sees[string(sock.Id())+name] }

// listen does what the recording did.
func (f *facts) listen(t *testing.T) {
	ns := f.ns
	ns.Use(func(sock *socket.Socket, next func(*socket.ExtendedError)) {
		f.note(sock, "middleware", look(ns, sock))
		sock.Join("early")
		next(nil)
	})
	_ = ns.On("connect", func(args ...any) { f.note(args[0].(*socket.Socket), "connect", look(ns, args[0].(*socket.Socket))) })
	ns.OnConnect(func(_ context.Context, sock *socket.Socket) error {
		f.note(sock, "connection", look(ns, sock))
		_ = sock.Emit("first")
		sock.Join("late")
		_ = ns.To("late").Emit("second")
		_ = ns.To("early").Emit("third")
		_ = sock.To("late").Emit("from another")
		_ = ns.Emit("fourth")
		mustOn(t, sock, "disconnecting", func(args ...any) {
			f.note(sock, "disconnecting", fmt.Sprint(look(ns, sock), ", ", args[0]))
			_ = ns.To("late").Emit("going")
		})
		mustOn(t, sock, "disconnect", func(args ...any) {
			f.note(sock, "disconnect", fmt.Sprint(look(ns, sock), ", ", args[0]))
			_ = ns.Emit("gone")
		})
		mustOn(t, sock, "ask", func(args ...any) {
			_ = sock.Emit("before")
			args[0].(func([]any, error))([]any{"answer"}, nil)
			_ = sock.Emit("after")
		})
		mustOn(t, sock, "bye", func(...any) {
			sock.Disconnect(false)
			f.note(sock, "disconnected", look(ns, sock))
			_ = sock.Emit("never")
		})
		ns.FetchSockets()(func(list []*socket.RemoteSocket, _ error) {
			f.note(sock, "fetched", slices.ContainsFunc(list, func(r *socket.RemoteSocket) bool { return r.Id() == sock.Id() }))
		})
		return nil
	})
}

var namePattern = regexp.MustCompile(`^2/chat,\["(.*)"\]$`)

func eventName(t *testing.T, packet string) string {
	t.Helper()
	if strings.HasPrefix(packet, "3/chat,0") {
		return "(acknowledged)"
	}
	m := namePattern.FindStringSubmatch(packet)
	if m == nil {
		t.Fatalf("got %q", packet)
	}
	return m[1]
}
