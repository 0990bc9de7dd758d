package socketio

import (
	"context"
	"fmt"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

func bothProtocols(t *testing.T, f func(t *testing.T, protocol int)) {
	for _, p := range []int{3, 4} {
		t.Run(fmt.Sprintf("EIO%d", p), func(t *testing.T) { f(t, p) })
	}
}

func TestRelay(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		chat := s.Of("/chat")
		chat.OnConnect(func(context.Context, *socket.Socket) error {
			chat.Broadcast("msgToClient", map[string]any{"name": "admin", "text": "join chat."})
			return nil
		})
		On(chat, "msgToServer", func(_ context.Context, _ *socket.Socket, in Payload) error {
			chat.Broadcast("msgToClient", in)
			return nil
		})
		alice := s.dialJoined(t, protocol, "/chat")
		alice.want(`2/chat,["msgToClient",{"name":"admin","text":"join chat."}]`)
		bob := s.dialJoined(t, protocol, "/chat")
		bob.want(`2/chat,["msgToClient",{"name":"admin","text":"join chat."}]`)
		alice.want(`2/chat,["msgToClient",{"name":"admin","text":"join chat."}]`)
		for i := range 100 {
			alice.send(fmt.Sprintf(`2/chat,["msgToServer",{"z":%d,"a":1.50}]`, i))
		}
		for i := range 100 {
			want := fmt.Sprintf(`2/chat,["msgToClient",{"z":%d,"a":1.50}]`, i)
			alice.want(want)
			bob.want(want)
		}
	})
}
