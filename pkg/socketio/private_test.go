package socketio

import (
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
	fieldOffset("nothing", nil)
}
