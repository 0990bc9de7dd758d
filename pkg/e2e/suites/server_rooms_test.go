//go:build unix

package suites

import (
	"slices"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// member is a client and the server's socket of it.
type member struct {
	*sockettest.Client
	socket *socket.Socket
}

// join connects a client to a namespace.
func join(t testing.TB, io *socketio.Server, ns *socketio.Namespace, options ...sockettest.Option) member {
	t.Helper()
	c := sockettest.Connect(t, io, ns.Name(), options...)
	s, ok := ns.Sockets().Load(socket.SocketId(c.ID))
	if !ok {
		t.Fatalf("no socket %s", c.ID)
	}
	return member{c, s}
}

func room(s *socket.Socket) socket.Room { return socket.Room(s.Id()) }

// TestServerRooms sends to every selection of sockets that the API has, text and bytes, in the main namespace and
// another, and finds out who gets it: once, and nobody else.
func TestServerRooms(t *testing.T) {
	type emitter interface{ Emit(string, ...any) error }
	const a, b, c = 0, 1, 2
	for name, row := range map[string]struct {
		to   func(ns *socketio.Namespace, s []member) emitter
		want []int
	}{
		"a namespace":                     {func(ns *socketio.Namespace, _ []member) emitter { return ns }, []int{a, b, c}},
		"one room":                        {func(ns *socketio.Namespace, _ []member) emitter { return ns.To("one") }, []int{a, b}},
		"rooms with a socket in both":     {func(ns *socketio.Namespace, _ []member) emitter { return ns.To("one", "two") }, []int{a, b}},
		"rooms, one after the other":      {func(ns *socketio.Namespace, _ []member) emitter { return ns.To("two").To("one") }, []int{a, b}},
		"a room that is in":               {func(ns *socketio.Namespace, _ []member) emitter { return ns.In("two") }, []int{b}},
		"a room without sockets":          {func(ns *socketio.Namespace, _ []member) emitter { return ns.To("none") }, nil},
		"a single socket by its id":       {func(ns *socketio.Namespace, s []member) emitter { return ns.To(room(s[c].socket)) }, []int{c}},
		"all but a room":                  {func(ns *socketio.Namespace, _ []member) emitter { return ns.Except("one") }, []int{c}},
		"all but a socket":                {func(ns *socketio.Namespace, s []member) emitter { return ns.Except(room(s[b].socket)) }, []int{a, c}},
		"a room but those of another":     {func(ns *socketio.Namespace, _ []member) emitter { return ns.To("one").Except("two") }, []int{a}},
		"all but several":                 {func(ns *socketio.Namespace, s []member) emitter { return ns.Except("two").Except(room(s[c].socket)) }, []int{a}},
		"the others":                      {func(_ *socketio.Namespace, s []member) emitter { return s[a].socket.Broadcast() }, []int{b, c}},
		"the others of a room":            {func(_ *socketio.Namespace, s []member) emitter { return s[a].socket.To("one") }, []int{b}},
		"the others, from outside a room": {func(_ *socketio.Namespace, s []member) emitter { return s[c].socket.To("one") }, []int{a, b}},
		"the others but a room":           {func(_ *socketio.Namespace, s []member) emitter { return s[c].socket.Except("two") }, []int{a}},
		"this instance":                   {func(ns *socketio.Namespace, _ []member) emitter { return ns.Local() }, []int{a, b, c}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, nsp := range []string{"/", "/custom"} {
				io := newServer(t, socketio.Options{})
				ns := io.Of(nsp)
				everybody := []member{join(t, io, ns), join(t, io, ns), join(t, io, ns)}
				everybody[a].socket.Join("one")
				everybody[b].socket.Join("one", "two")
				target := row.to(ns, everybody)
				if err := target.Emit("heard", "text", []byte{1, 2}, map[string]any{"k": []byte{3}}); err != nil {
					t.Fatal(err)
				}
				// An operator stays what it was: what is said to all goes to all.
				if err := ns.Emit("end"); err != nil {
					t.Fatal(err)
				}
				for i, m := range everybody {
					if slices.Contains(row.want, i) {
						var text string
						var data []byte
						var nested struct{ K []byte }
						m.Expect("heard", &text, &data, &nested)
						if text != "text" || !slices.Equal(data, []byte{1, 2}) || !slices.Equal(nested.K, []byte{3}) {
							t.Errorf("%s: client %d got %q, %v, %v", nsp, i, text, data, nested)
						}
					}
					m.Expect("end")
				}
			}
		})
	}
}

// TestServerMembership joins and leaves rooms, one socket and many.
func TestServerMembership(t *testing.T) {
	io := newServer(t, socketio.Options{})
	ns := io.Of("/")
	first, second := join(t, io, ns), join(t, io, ns)
	wantRooms := func(t *testing.T, m member, want ...socket.Room) {
		t.Helper()
		got := slices.Sorted(slices.Values(m.socket.Rooms().Keys()))
		want = append(want, room(m.socket))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("rooms are %v, want %v", got, want)
		}
	}
	wantEmpty := func(t *testing.T, name socket.Room) {
		t.Helper()
		if sockets, ok := ns.Adapter().Rooms().Load(name); ok && sockets.Len() > 0 {
			t.Errorf("room %q still has %v", name, sockets.Keys())
		}
	}

	t.Run("a socket's own", func(t *testing.T) { wantRooms(t, first) })
	t.Run("several at once, left one by one", func(t *testing.T) {
		first.socket.Join("a", "b", "c")
		wantRooms(t, first, "a", "b", "c")
		first.socket.Leave("b")
		wantRooms(t, first, "a", "c")
		first.socket.Leave("a")
		first.socket.Leave("c")
		first.socket.Leave("c")
		wantRooms(t, first)
		wantEmpty(t, "a")
	})
	t.Run("many sockets", func(t *testing.T) {
		first.socket.Join("here")
		ns.In("here").SocketsJoin("there")
		wantRooms(t, first, "here", "there")
		wantRooms(t, second)
		ns.SocketsJoin("all")
		wantRooms(t, second, "all")
		ns.In("here").SocketsLeave("all")
		wantRooms(t, first, "here", "there")
		wantRooms(t, second, "all")
		ns.SocketsLeave("all", "there", "here")
		wantRooms(t, first)
		wantRooms(t, second)
	})
	t.Run("those that are gone", func(t *testing.T) {
		third := join(t, io, ns)
		third.socket.Join("left", "rooms")
		gone := make(chan struct{})
		_ = third.socket.On("disconnect", func(...any) { close(gone) })
		third.Disconnect()
		<-gone
		wantEmpty(t, "left")
		third.socket.Join("late")
		wantEmpty(t, "late")
	})
	t.Run("sent away", func(t *testing.T) {
		third, fourth := join(t, io, ns), join(t, io, ns)
		third.socket.Join("out")
		ns.In("out").DisconnectSockets(false)
		third.ExpectDisconnect()
		_ = ns.Emit("end")
		fourth.Expect("end")
		ns.DisconnectSockets(true)
		fourth.ExpectDisconnect()
	})
}
