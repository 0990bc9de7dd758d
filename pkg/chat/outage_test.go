package chat_test

import (
	"fmt"
	"slices"
	"testing"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/chat/presence"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio/sockettest"
)

// While Redis is away each instance goes on with its own clients: they join and leave rooms, hear each other there, and write to each other; people
// elsewhere are as they were last known, and the history of a room is empty and partial. When Redis is back, everything has reached everybody.
func TestRoomsWhileRedisIsAway(t *testing.T) {
	for _, mode := range []redisadapter.Mode{redisadapter.PubSub, redisadapter.Sharded, redisadapter.Streams} {
		t.Run(string(mode), func(t *testing.T) { roomsWhileRedisIsAway(t, mode) })
	}
}

func roomsWhileRedisIsAway(t *testing.T, mode redisadapter.Mode) {
	r := startRedis(t)
	options := chat.Options{Rooms: true, Presence: true, NameOf: queryName}
	alpha, beta := r.newInstance(mode, options, nil), r.newInstance(mode, options, nil)
	clustered(t, alpha, beta)
	ann, abe, bob := alpha.connect(t, "Ann"), alpha.connect(t, "Abe"), beta.connect(t, "Bob")
	for _, c := range []*sockettest.Client{ann, bob} {
		c.Call(chat.EventJoin, room{"room": "blue"})
	}
	here := func(c *sockettest.Client, name string) (s presence.Snapshot) {
		decode(t, c.Call(chat.EventPresence, room{"room": name}), &s)
		return s
	}
	eventually(t, "both know who is in the room", func() bool { return here(ann, "blue").Count == 2 && here(bob, "blue").Count == 2 })

	r.kill()
	eventually(t, "alpha notices", func() bool { return here(ann, "blue").Partial })
	if code := problemOf(t, abe.Call(chat.EventJoin, room{"room": "blue"})); code != "" {
		t.Fatalf("join: %s", code)
	}
	if s := here(ann, "blue"); s.Count != 3 || s.Connections != 3 {
		t.Errorf("in the room are %+v", s)
	}
	var sent chat.Sent
	ann.Emit(chat.MsgToServer, raw(`{"text":"1"}`), "blue")
	for _, c := range []*sockettest.Client{ann, abe} {
		if got := nextText(c); got != `{"name":"Ann","text":"1"}` {
			t.Errorf("in the room: %s", got)
		}
	}
	if p := askPast(t, abe, chat.HistoryRequest{Room: "blue"}); !p.Partial || len(p.Messages) > 0 || p.Error != nil {
		t.Errorf("the room's history: %+v", p)
	}
	for _, to := range []string{"Abe", "Bob", "Nobody"} { // nobody can say for certain who is elsewhere
		decode(t, ann.Call(chat.EventSend, room{"payload": raw(fmt.Sprintf(`{"text":"to %s"}`, to)), "to": to}), &sent)
		if got := nextText(ann); sent.Kept || got != fmt.Sprintf(`{"name":"Ann","text":"to %s"}`, to) {
			t.Errorf("a private message to %s: %+v, %s", to, sent, got)
		}
	}
	if got := nextText(abe); got != `{"name":"Ann","text":"to Abe"}` {
		t.Errorf("Abe heard %s", got)
	}
	if code := problemOf(t, abe.Call(chat.EventLeave, room{"room": "blue"})); code != "" {
		t.Fatalf("leave: %s", code)
	}
	if code := problemOf(t, abe.Call(chat.EventJoin, room{"room": "green"})); code != "" {
		t.Fatalf("join: %s", code)
	}

	r.start()
	clustered(t, alpha, beta)
	for _, want := range []string{`{"name":"Ann","text":"1"}`, `{"name":"Ann","text":"to Bob"}`} {
		if got := nextText(bob); got != want {
			t.Errorf("Bob heard %s, want %s", got, want)
		}
	}
	bob.Call(chat.EventJoin, room{"room": "green"})
	eventually(t, "beta knows who is where", func() bool {
		blue, green := here(bob, "blue"), here(bob, "green")
		return !blue.Partial && blue.Count == 2 && green.Count == 2
	})
	eventually(t, "the room's history has what was said", func() bool {
		p := askPast(t, bob, chat.HistoryRequest{Room: "blue"})
		return !p.Partial && slices.Equal(p.texts(), []string{`{"name":"Ann","text":"1"}`})
	})
	bob.Emit(chat.MsgToServer, raw(`{"text":"2"}`), "green") // a room that alpha joined without Redis
	if got := nextText(abe); got != `{"name":"Bob","text":"2"}` {
		t.Errorf("Abe heard %s", got)
	}
}
