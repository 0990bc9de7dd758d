package socketio

import (
	"slices"
	"testing"

	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// TestPrivateFields fails if the library lays out its Socket differently; see private.go.
func TestPrivateFields(t *testing.T) {
	s := socket.MakeSocket()
	outgoing := types.NewSlice[events.Listener]()
	shareOutgoing(s, outgoing)
	if middlewares(s).Len() != 0 || len(s.ListenersAnyOutgoing()) != 0 {
		t.Fatal("the lists of a new socket are not empty")
	}
	s.Use(func([]any, func(error)) {})
	s.OnAnyOutgoing(func(...any) {})
	s.OnAnyOutgoing(func(...any) {})
	s.OnAny(func(...any) {})
	if n, m := middlewares(s).Len(), outgoing.Len(); n != 1 || m != 2 {
		t.Errorf("%d middlewares and %d listeners, want 1 and 2", n, m)
	}
	defer func() {
		if recover() == nil {
			t.Error("a field that is not there goes unnoticed")
		}
	}()
	fieldOffset[socket.Socket]("nothing", nil)
}

// TestForgottenNamespaces: a Client does without the map of its namespaces. All of them can be joined, be
// spoken in, and end together; none can be joined twice.
func TestForgottenNamespaces(t *testing.T) {
	sockets, ended := make(chan *socket.Socket, 4), make(chan string, 4)
	s := libraryServer(t, func(sock *socket.Socket) {
		mustOn(t, sock, "disconnect", func(args ...any) { ended <- args[0].(string) })
		sockets <- sock
	})
	if err := s.Of("/other").On("connection", func(args ...any) { sockets <- args[0].(*socket.Socket) }); err != nil {
		t.Fatal(err)
	}
	c := s.dialJoined(t, 4, "/chat")
	first := receive(t, sockets)
	if n := namespacesOf(first.Client()).Len(); n != 0 {
		t.Errorf("the Client has kept %d namespaces", n)
	}
	c.join("/other")
	if second := receive(t, sockets); second.Client() != first.Client() || second.Nsp().Name() != "/other" {
		t.Errorf("joined %s", second.Nsp().Name())
	}
	first.Disconnect(true)
	told := []string{c.next(), c.next()}
	if slices.Sort(told); !slices.Equal(told, []string{"1/chat,", "1/other,"}) {
		t.Errorf("told %q", told)
	}
	c.wantClosed()
	if reason := receive(t, ended); reason != "server namespace disconnect" {
		t.Errorf("ended with %q", reason)
	}
}
