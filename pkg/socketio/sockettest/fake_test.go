package sockettest_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// enter is a handler under test.
func enter(_ context.Context, s socketio.Socket, room string) (string, error) {
	if room == "" {
		s.Disconnect(true)
		return "", &socketio.Exception{Message: "which room?"}
	}
	s.Join(socket.Room("room:" + room))
	s.SetData(room)
	return "welcome", s.Emit("entered", room, 1)
}

func TestFake(t *testing.T) {
	var s sockettest.Fake
	if answer, err := enter(t.Context(), &s, "blue"); err != nil || answer != "welcome" {
		t.Errorf("answered %q, %v", answer, err)
	}
	if !s.Rooms().Has("room:blue") || s.Data() != "blue" || !s.Connected() {
		t.Errorf("rooms %v, data %v", s.Rooms().Keys(), s.Data())
	}
	if want := []sockettest.FakeEvent{{Name: "entered", Args: []any{"blue", 1}}}; !reflect.DeepEqual(s.Emitted, want) {
		t.Errorf("emitted %v, want %v", s.Emitted, want)
	}
	var exception *socketio.Exception
	if _, err := enter(t.Context(), &s, ""); !errors.As(err, &exception) || s.Connected() {
		t.Errorf("without a room: %v, connected %v", err, s.Connected())
	}
	s.FailEmitWith = errors.New("full")
	if _, err := enter(t.Context(), &s, "red"); !errors.Is(err, s.FailEmitWith) {
		t.Errorf("got %v", err)
	}
}

func TestPlainHandlerOnAServer(t *testing.T) {
	io := newServer(t)
	socketio.Handle(io.Of("/"), "enter", socketio.Plain(enter))
	c := sockettest.Connect(t, io, "/")
	var answer string
	if err := c.Call("enter", "blue").Decode(&answer); err != nil || answer != "welcome" {
		t.Errorf("answered %q, %v", answer, err)
	}
	c.Expect("entered")
}
