package socketio

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// joinPackedClient connects one with socket.io-msgpack-parser to /chat.
func (s *testServer) joinPackedClient(tb testing.TB, protocol int) *testClient {
	tb.Helper()
	c := s.dial(tb, protocol, "")
	if protocol == 3 { // of such packets its parser makes JSON, and the server speaks first
		for _, nsp := range []string{"/", "/chat"} {
			c.want(fmt.Sprintf(`{"type":0,"nsp":%q}`, nsp))
			if nsp == "/" {
				c.send(`{"type":0,"nsp":"/chat"}`)
			}
		}
		return c
	}
	c.sendBinary(string(appendPacked(4, Connect, "/chat", nil, nil, false)))
	if m := c.read(); !strings.HasPrefix(m, "b:") {
		tb.Errorf("got %q, want the answer to CONNECT", m)
	}
	return c
}

// wantPacked fails unless an event comes next, packed for the client's protocol.
func (c *testClient) wantPacked(id *uint64, event string) {
	c.tb.Helper()
	want := "b:" + string(packFrames(c.protocol, Event, "/chat", id, raw(event))[0].Binary())
	if c.protocol == 3 {
		want = "b:\x04" + want[2:]
	}
	if got := c.read(); got != want {
		c.tb.Errorf("protocol %d: got %q, want %q", c.protocol, got, want)
	}
}

// TestBroadcastsToMessagePackClients: whichever way an event is broadcast, each client gets it once, in the form of its parser and protocol.
func TestBroadcastsToMessagePackClients(t *testing.T) {
	one, in := uint64(1), `["x",{"a":[1,"é"]}]`
	packed := raw(in)
	packed.Packed, _ = packed.pack()
	for _, row := range []struct {
		name string
		id   *uint64
		send func(a *LocalAdapter)
	}{
		{"a packet", nil, func(a *LocalAdapter) { a.Broadcast(packetOf("x", raw(`{"a":[1,"é"]}`)), nil) }},
		{"encoded", nil, func(a *LocalAdapter) { a.BroadcastEncoded(Encoded{Data: raw(in)}, nil) }},
		{"packed already", nil, func(a *LocalAdapter) { a.BroadcastEncoded(Encoded{Data: packed}, nil) }},
		{"with an id", &one, func(a *LocalAdapter) { a.BroadcastEncoded(Encoded{Data: raw(in), ID: &one}, nil) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newTestServer(t, Options{Parser: ParserMsgPack})
			s.Of("/chat")
			text := s.dialJoined(t, 4, "/chat")
			var clients []*testClient
			for _, protocol := range []int{3, 4, 3, 4} { // the second of each gets what was packed for the first
				clients = append(clients, s.joinPackedClient(t, protocol))
			}
			row.send(s.Of("/chat").local)
			for _, c := range clients {
				c.wantPacked(row.id, in)
			}
			id := ""
			if row.id != nil {
				id = fmt.Sprint(*row.id)
			}
			text.want("2/chat," + id + in)
		})
	}
}

// TestKeptBroadcastsAreCounted: those of either protocol count, with the bytes that their clients got.
func TestKeptBroadcastsAreCounted(t *testing.T) {
	s := newTestServer(t, recovering(Options{}))
	s.Of("/chat")
	old, now := s.dialJoined(t, 3, "/chat"), s.newComer(t, "/chat")
	s.Of("/chat").Broadcast("said", "hi")
	old.want(`2/chat,["said","hi"]`)
	now.wantEvents(`["said","hi"]`)
	plain := uint64(len(`42/chat,["said","hi"]`))
	want := EventStats{2, 2*plain + uint64(len(`,""`)+len(now.offset))}
	if got := s.statsOf("/chat").Sent["said"]; got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

// TestCallAllThroughAnotherAdapter: one that is not ours is asked in the library's words.
func TestCallAllThroughAnotherAdapter(t *testing.T) {
	s := newTestServer(t, Options{Adapter: libraryAdapters{}})
	chat := s.Of("/chat")
	for _, answer := range []string{`[7,8]`, `[9]`} {
		c := s.dialJoined(t, 4, "/chat")
		go func() {
			c.want(`2/chat,1["how many?"]`)
			c.send(`3/chat,1` + answer)
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answers, err := CallAll[int](ctx, chat.Everybody(), "how many?")
	if err != nil || len(answers) != 2 || answers[0]+answers[1] != 16 {
		t.Errorf("answered %v, %v", answers, err)
	}
}
