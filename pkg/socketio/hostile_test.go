package socketio

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"
)

// TestHostile sends what no client sends. Each time this client is closed and nobody else notices.
func TestHostile(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	reasons := make(chan string, 1000)
	chat.OnDisconnect(func(_ context.Context, _ *socket.Socket, reason string) { reasons <- reason })
	On(chat, "msgToServer", func(_ context.Context, _ *socket.Socket, in Payload) error {
		chat.To("friends").Emit("msgToClient", in)
		return nil
	})
	friend, sock := joinedSocket(t, s, 4)
	sock.Join("friends")
	sent := 0

	bothProtocols(t, func(t *testing.T, protocol int) {
		// The reasons are those of socket.io 4.8: for what cannot be decoded, and for what can but
		// makes no sense.
		const parse, state, never = "forced close", "forced server close", "never joined"
		for _, tt := range []struct {
			messages string // separated by "|"; one that begins with "b:" is binary
			reason   string
		}{
			{`2/chat,{}`, parse},
			{`2/chat,null`, parse},
			{`2/chat,[]`, parse},
			{`2/chat,[null]`, parse},
			{`2/chat,[{}]`, parse},
			{`2/chat,{"0":"x"}`, parse},
			{`2/chat,"x"`, parse},
			{`2/chat,["x"`, parse},
			{`2/chat,["x"]]`, parse},
			{`2/chat,["connect"]`, parse},
			{`2/chat,["disconnect"]`, parse},
			{`2/chat,["disconnecting","x"]`, parse},
			{`2/chat,["\u0064isconnect"]`, parse},
			{`2/chat,["newListener"]`, parse},
			{`2/chat,1 2["x"]`, parse},
			{`2/chat,["x"` + strings.Repeat(",0", 1001) + "]", parse},
			{`3/chat,1[0` + strings.Repeat(",0", 1000) + "]", parse},
			{`2/chat,["x",` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `]`, parse},
			{`3/chat,1{}`, parse},
			{`1/chat,{}`, parse},
			{`0/chat,"auth"`, parse},
			{`4/chat,[]`, parse},
			{`7`, parse},
			{`x`, parse},
			{`50-/chat,["x"]`, parse},
			{`511-/chat,["x"]`, parse},
			{`5999999999999999999999-/chat,["x"]`, parse},
			{`5-/chat,["x"]`, parse},
			{`51-/chat,["x",{"_placeholder":true,"num":1}]|b:A`, parse},
			{`51-/chat,["x",{"_placeholder":true,"num":-1}]|b:A`, parse},
			{`51-/chat,["x",{"_placeholder":true,"num":"length"}]|b:A`, parse},
			{`51-/chat,["x",{"_placeholder":true}]|b:A`, parse},
			{`51-/chat,["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]|b:A`, parse},
			{`51-/chat,["x",[{"a":{"num":0,"_placeholder":true}},{"num":0.0,"_\u0070laceholder":true}]]|b:A`, parse},
			{`52-/chat,["x"]|b:A|b:` + strings.Repeat("B", 999_990), parse},
			{`51-/chat,["x",{"_placeholder":true,"num":0}]|2/chat,["y"]`, parse},
			{`b:A`, parse},
			{`4/chat,"x"`, state},
			{`0/chat,`, state},
			{`2/never,["x"]`, never},
			{`51-/never,["x"]`, never},
			{`3/never,1[]`, never},
			{`1/never,`, never},
			{`4/never,"x"`, never},
		} {
			if tt.reason == never && protocol == 3 {
				continue // see TestNotJoinedProtocol3
			}
			if tt.reason == never {
				tt.reason = state
			}
			c, _ := joinedSocket(t, s, protocol)
			for _, m := range strings.Split(tt.messages, "|") {
				if b, ok := strings.CutPrefix(m, "b:"); ok {
					c.sendBinary(b)
				} else {
					c.send(m)
				}
			}
			if reason := receive(t, reasons); reason != tt.reason {
				t.Errorf("%.60s: disconnected with %q, want %q", tt.messages, reason, tt.reason)
			}
			c.wantClosed()
			sent++
			friend.send(fmt.Sprintf(`2/chat,["msgToServer",%d]`, sent))
			friend.want(fmt.Sprintf(`2/chat,["msgToClient",%d]`, sent))
		}
	})
	eventually(t, "only the friend is left", func() bool { return chat.Sockets().Len() == 1 && chat.local.size() == 1 && s.Engine().Len() == 1 })
}

// TestHarmless sends what looks odd but does no harm; the client stays.
func TestHarmless(t *testing.T) {
	s := newTestServer(t, Options{})
	chat := s.Of("/chat")
	On(chat, "msgToServer", func(_ context.Context, sock *socket.Socket, in Payload) error {
		return sock.Emit("msgToClient", in)
	})
	bothProtocols(t, func(t *testing.T, protocol int) {
		c := s.dialJoined(t, protocol, "/chat")
		for _, m := range []string{
			`2/chat,["error","x"]`, `2/chat,["constructor"]`, `2/chat,["__proto__","x"]`, `2/chat,["message"]`, `2/chat,[""]`,
			`2/chat,`, `2/chat,1`, "2/chat,\n", `2/chat,99999999999999999999["x"]`, "3/chat,1\n", "3/chat,1[]\r\n",
			`2/chat,["x"` + strings.Repeat(",0", 1000) + "]",
			`3/chat,1[]`, `3/chat,18446744073709551615[]`, `3/chat,[]`, `3/chat,1`, `2/chat,[-1.5e300]`,
		} {
			c.send(m)
		}
		c.send(`2/chat,["msgToServer",1]`)
		c.want(`2/chat,["msgToClient",1]`)
		if protocol == 3 {
			c.send("0") // it is in "/" unasked; some ask nevertheless
			c.send("0/?x=y")
			c.send(`2/chat,["msgToServer",2]`)
			c.want(`2/chat,["msgToClient",2]`)
		}
	})
}
