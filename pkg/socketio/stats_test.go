package socketio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// statsOf returns what was counted in a namespace.
func (s *testServer) statsOf(name string) NamespaceStats {
	for _, n := range s.Stats().Namespaces {
		if n.Name == name {
			return n
		}
	}
	s.tb.Fatalf("nothing is counted for %s", name)
	return NamespaceStats{}
}

// TestStats counts a small conversation by hand.
func TestStats(t *testing.T) {
	bothProtocols(t, func(t *testing.T, protocol int) {
		s := newTestServer(t, Options{})
		chat := s.Of("/chat")
		On(chat, "say", func(_ context.Context, sock *socket.Socket, in Payload) error {
			chat.Broadcast("said", in)
			return sock.Emit("thanks", raw(`1`))
		})
		On(chat, "fail", func(context.Context, *socket.Socket, Payload) error { return errors.New("no") })
		alice, bob := s.dialJoined(t, protocol, "/chat"), s.dialJoined(t, protocol, "/chat")

		alice.send(`2/chat,7["say","hi"]`)
		alice.want(`2/chat,["said","hi"]`, `2/chat,["thanks",1]`)
		bob.want(`2/chat,["said","hi"]`)
		alice.send(`2/chat,["nobody listens",1]`)
		alice.send(`51-/chat,["say",{"_placeholder":true,"num":0}]`)
		alice.sendBinary("abc")
		bob.want(`51-/chat,["said",{"_placeholder":true,"num":0}]`, "b:abc")
		alice.want(`51-/chat,["said",{"_placeholder":true,"num":0}]`, "b:abc", `2/chat,["thanks",1]`)
		bob.send(`2/chat,["fail"]`)
		bob.want(`2/chat,["exception",{"status":"error","message":"Internal server error"}]`)
		bob.send("1/chat,")
		eventually(t, "bob has left", func() bool { return s.statsOf("/chat").Disconnected == 1 })
		eventually(t, "alice was thanked twice", func() bool { return s.statsOf("/chat").Sent["thanks"].Events == 2 })

		n := s.statsOf("/chat")
		if n.Connected != 2 || n.Broadcasts != 2 || n.Errors != 1 {
			t.Errorf("%d connected, %d broadcasts, %d errors", n.Connected, n.Broadcasts, n.Errors)
		}
		attachment := uint64(len("abc") + 1)
		for what, tt := range map[string]struct{ got, want EventStats }{
			"sent said": {n.Sent["said"], EventStats{4, 2*uint64(len(`42/chat,["said","hi"]`)) +
				2*(uint64(len(`451-/chat,["said",{"_placeholder":true,"num":0}]`))+attachment)}},
			"sent thanks":    {n.Sent["thanks"], EventStats{2, 2 * uint64(len(`42/chat,["thanks",1]`))}},
			"sent exception": {n.Sent["exception"], EventStats{1, n.Sent["exception"].Bytes}},
			"received fail":  {n.Received["fail"], EventStats{1, uint64(len(`2/chat,["fail"]`))}},
			"received other": {n.Received[Other], EventStats{1, uint64(len(`2/chat,["nobody listens",1]`))}},
			"received say":   {n.Received["say"], EventStats{2, n.Received["say"].Bytes}},
		} {
			if tt.got != tt.want {
				t.Errorf("%s: %+v, want %+v", what, tt.got, tt.want)
			}
		}
		if len(n.Received) != 3 || len(n.Sent) != 4 {
			t.Errorf("received %v, sent %v", n.Received, n.Sent)
		}
		alice.send("9")
		alice.wantClosed()
		eventually(t, "alice's nonsense is counted", func() bool { return s.Stats().Invalid == 1 })
		eventually(t, "alice has left", func() bool { return s.statsOf("/chat").Disconnected == 2 })
	})
}

// TestStatsAreBounded: whatever names come from outside, what is counted stays small.
func TestStatsAreBounded(t *testing.T) {
	var table eventTable
	for i := range 10 * maxCountedEvents {
		table.of(fmt.Append(nil, "event", i), true).add(1, 1)
	}
	table.of([]byte(strings.Repeat("x", maxCountedName+1)), true).add(1, 1)
	table.of([]byte("event0"), false).add(1, 1)
	table.of([]byte("unknown"), false).add(1, 1)
	got := table.snapshot()
	if len(got) != maxCountedEvents+1 || got["event0"].Events != 2 || got[Other].Events != 9*maxCountedEvents+2 {
		t.Errorf("%d names, event0 %v, other %v", len(got), got["event0"], got[Other])
	}

	s := newTestServer(t, Options{})
	for i := range 2 * maxCountedNamespaces {
		s.Of(fmt.Sprint("/", i)).Broadcast("x")
	}
	list := s.Stats().Namespaces
	last := list[len(list)-1]
	if len(list) != maxCountedNamespaces+1 || list[0].Name != "/" || list[1].Name != "/0" || last.Name != Other {
		t.Fatalf("%d namespaces from %s, %s to %s", len(list), list[0].Name, list[1].Name, last.Name)
	}
	if want := uint64(maxCountedNamespaces + 1); last.Broadcasts != want || len(last.Sent) != 1 {
		t.Errorf("the last has %d broadcasts of %v, want %d", last.Broadcasts, last.Sent, want)
	}
}

func TestEventOf(t *testing.T) {
	id := uint64(12)
	for _, nsp := range []string{"/", "/chat", "/a[\"b"} {
		for _, attachments := range []int{0, 1, 12} {
			for _, id := range []*uint64{nil, &id} {
				for json, want := range map[string]string{
					`["hello",1]`: "hello", `["x"]`: "x", `["안녕"]`: "안녕", `["a]b",{}]`: "a]b", `["es\"c"]`: "",
				} {
					p := Payload{JSON: []byte(json), Attachments: make([][]byte, attachments)}
					text := newFrames(Event, nsp, id, p)[0].Text()
					if name, ok := eventOf(text, nsp); !ok || string(name) != want {
						t.Errorf("%s: %q, %v, want %q", text, name, ok, want)
					}
					for i := range text {
						eventOf(text[:i], nsp) // must not panic
					}
				}
				p := Payload{JSON: []byte(`["hello"]`), Attachments: make([][]byte, attachments)}
				if name, ok := eventOf(newFrames(Ack, nsp, id, p)[0].Text(), nsp); ok {
					t.Errorf("an acknowledgement is taken for the event %q", name)
				}
			}
		}
	}
	if _, ok := eventOf(engineio.NewBinaryFrame([]byte("2[\"x\"]")).Text(), "/"); ok {
		t.Error("an attachment is taken for an event")
	}
}

// BenchmarkCount is what counting adds to a broadcast, however many receive it.
func BenchmarkCount(b *testing.B) {
	frames := newFrames(Event, "/chat", nil, Payload{JSON: []byte(`["msgToClient",{"name":"alice","text":"hello, everybody"}]`)})
	var t traffic
	b.ReportAllocs()
	for b.Loop() {
		t.broadcast(frames, "/chat", 500)
	}
}
