package wire

import (
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// How many are there, by what Redis counts: never less than nobody, whatever it says.
func TestCensus(t *testing.T) {
	for _, tc := range []struct {
		c                     Census
		legacy, others, node4 int
	}{
		{Census{}, 0, 0, 0},
		{Census{All: 1, Modern: 1, Ours: 1}, 0, 0, 0},
		{Census{All: 5, Modern: 4, Ours: 2}, 1, 3, 2},
		{Census{All: 3, Modern: 3, Ours: 3}, 0, 2, 0},
		{Census{All: 2, Modern: 1, Ours: 1}, 1, 0, 0},
		{Census{All: 1, Modern: 2, Ours: 3}, 0, 1, 0}, // an instance came between the questions
	} {
		if l, o, n := tc.c.LegacyNodes(), tc.c.Others(), tc.c.Node4(); l != tc.legacy || o != tc.others || n != tc.node4 {
			t.Errorf("%+v: %d of generation 2, %d others, %d of generation 4", tc.c, l, o, n)
		}
	}
}

// A broadcast concerns an instance if one of its rooms has members there, or if it names no rooms.
func TestReach(t *testing.T) {
	rooms := func(names ...socket.Room) *socket.BroadcastOptions {
		return &socket.BroadcastOptions{Rooms: types.NewSet(names...)}
	}
	var here Reach = func(r socket.Room) bool { return r == "here" }
	for _, tc := range []struct {
		name  string
		reach Reach
		opts  *socket.BroadcastOptions
		want  bool
	}{
		{"to all", here, nil, true},
		{"without rooms", here, &socket.BroadcastOptions{}, true},
		{"an empty set", here, rooms(), true},
		{"here", here, rooms("here"), true},
		{"elsewhere", here, rooms("there"), false},
		{"both", here, rooms("there", "here"), true},
		{"here, and not to those in it", here, &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]("here"), Except: types.NewSet[socket.Room]("here")}, true},
		{"nobody asks", nil, rooms("there"), true},
	} {
		if got := tc.reach.Any(tc.opts); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

// What a message counts in the queue is at least what it is in memory.
func TestSizes(t *testing.T) {
	if got := (Out{Channel: "abc", Payload: make(Message, 100)}).Size(); got != 103 {
		t.Errorf("a message: %d", got)
	}
	e := &Entry{Uid: "12", Nsp: "/", Typ: "3", Data: "0123456789", Json: "01234", Atts: "0123"}
	if got := (Out{Entry: e}).Size(); got != e.Size() || got < 2+1+1+10+5+4 {
		t.Errorf("an entry: %d", got)
	}
}
