package classic

import (
	"errors"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// What nobody of this instance is to get is not decoded: damage in it is not even seen.
func TestBroadcastsToRoomsWithoutMembersAreNotDecoded(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	format := New(c, "socket.io", "/chat", "me", false)
	var asked []socket.Room
	only := func(members ...socket.Room) wire.Reach {
		return func(room socket.Room) bool {
			asked = append(asked, room)
			for _, m := range members {
				if m == room {
					return true
				}
			}
			return false
		}
	}
	data := socketio.Payload{JSON: []byte(`["e",{"a":[1,2,3]}]`)}
	message := func(rooms ...socket.Room) []byte {
		b, _, err := EncodeBroadcast(c, "you", "/chat", data, &socket.BroadcastOptions{Rooms: types.NewSet(rooms...)})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, tc := range []struct {
		name, channel string
		message       []byte
		reach         wire.Reach
		delivered     bool
	}{
		{"a room without members", "socket.io#/chat#blue#", message("blue"), only(), false},
		{"its bytes are not looked at", "socket.io#/chat#blue#", []byte("damaged"), only("red"), false},
		{"a room with members", "socket.io#/chat#blue#", message("blue"), only("blue"), true},
		{"a room named like a channel", "socket.io#/chat#a#b##", message("a#b#"), only("a#b#"), true},
		{"two rooms, one with members", "socket.io#/chat#", message("blue", "red"), only("red"), true},
		{"two rooms without", "socket.io#/chat#", message("blue", "red"), only("green"), false},
		{"everybody", "socket.io#/chat#", message(), only(), true},
	} {
		r, err := format.Decode(tc.channel, tc.message, tc.reach)
		if delivered := err == nil && r.Broadcast != nil; delivered != tc.delivered || !delivered && !errors.Is(err, wire.ErrNobodyHere) {
			t.Errorf("%s: delivered %v, %v", tc.name, delivered, err)
		}
	}
	if asked[0] != "blue" {
		t.Errorf("asked for %v", asked)
	}
}

func BenchmarkForeignRoom(b *testing.B) {
	c := wire.NewCodec(1<<20, 255)
	data := socketio.Payload{JSON: []byte(`["msgToClient",{"name":"kim","text":"hello, how are you today? this is a message of usual length"}]`)}
	m, _, err := EncodeBroadcast(c, "you", "/chat", data, &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]("room-4711")})
	if err != nil {
		b.Fatal(err)
	}
	format := New(c, "socket.io", "/chat", "me", false)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = format.Decode("socket.io#/chat#room-4711#", m, func(socket.Room) bool { return false })
	}
}
