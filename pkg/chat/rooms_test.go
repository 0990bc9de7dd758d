package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/chat/presence"
	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

func problemOf(t *testing.T, answer socketio.Payload) string {
	t.Helper()
	var a struct{ Error *chat.Problem }
	decode(t, answer, &a)
	if a.Error == nil {
		return ""
	}
	return a.Error.Code
}

type room map[string]any

func TestRooms(t *testing.T) {
	server := extended(t, chat.Options{Rooms: true, Presence: true})
	alice, bob := sockettest.Connect(t, server, chat.Namespace), sockettest.Connect(t, server, chat.Namespace)
	for _, c := range []*sockettest.Client{alice, bob} {
		if code := problemOf(t, c.Call(chat.EventJoin, room{"room": "blue"})); code != "" {
			t.Fatal(code)
		}
	}
	carol := sockettest.Connect(t, server, chat.Namespace)

	// A room as second argument counts for a client that has joined it; for others it is the seed's array.
	alice.Emit(chat.MsgToServer, "one", "blue")
	var text socketio.Payload
	var about chat.RoomMessage
	bob.Expect(chat.MsgToClient, &text, &about)
	if string(text.JSON) != `"one"` || about.Room != "blue" || about.ID == "" || about.Time == 0 {
		t.Errorf("got %s, %+v", text.JSON, about)
	}
	carol.Emit(chat.MsgToServer, "two", "blue")
	hear(t, bob, `["two","blue"]`)
	hear(t, carol, `["two","blue"]`)

	var sent chat.Sent
	decode(t, bob.Call(chat.EventSend, room{"payload": 3, "room": "blue"}), &sent)
	var p past
	decode(t, alice.Call(chat.EventHistory, room{"room": "blue"}), &p)
	if !sent.Kept || !slices.Equal(p.texts(), []string{`"one"`, "3"}) {
		t.Errorf("got %+v, %s", sent, p.texts())
	}
	var rooms chat.RoomsAnswer
	decode(t, alice.Call(chat.EventRooms), &rooms)
	if !reflect.DeepEqual(rooms.Rooms, []chat.RoomEntry{{Room: "blue", Joined: true, Count: 2}}) {
		t.Errorf("got %+v", rooms)
	}

	for _, c := range []struct {
		event string
		in    any
		code  string
	}{
		{chat.EventHistory, room{"room": "blue"}, chat.NotJoined},
		{chat.EventPresence, room{"room": "blue"}, chat.NotJoined},
		{chat.EventWatch, room{"room": "blue"}, chat.NotJoined},
		{chat.EventTyping, room{"room": "blue", "name": "c"}, chat.NotJoined},
		{chat.EventSend, room{"payload": 1, "room": "blue"}, chat.NotJoined},
		{chat.EventSend, room{"payload": 1, "room": "blue", "to": "x"}, chat.BadRequest},
		{chat.EventSend, room{"payload": 1, "to": "x"}, chat.Off},
		{chat.EventLeave, room{"room": "blue"}, chat.NotJoined},
		{chat.EventLeave, room{}, chat.NotJoined},
		{chat.EventJoin, room{}, chat.BadRequest},
		{chat.EventJoin, room{"room": fmt.Sprintf("%065d", 1)}, chat.BadRequest},
	} {
		if code := problemOf(t, carol.Call(c.event, c.in)); code != c.code {
			t.Errorf("%s %v: got %q, want %q", c.event, c.in, code, c.code)
		}
	}
	if code := problemOf(t, alice.Call(chat.EventLeave, room{"room": "blue"})); code != "" {
		t.Error(code)
	}
	if code := problemOf(t, alice.Call(chat.EventSend, room{"payload": 1, "room": "blue"})); code != chat.NotJoined {
		t.Errorf("after leaving: %q", code)
	}
}

func TestRoomsAreBoundedAndGuarded(t *testing.T) {
	server := extended(t, chat.Options{Rooms: true, MayJoin: func(_ context.Context, _ *socket.Socket, room string) error {
		switch room {
		case "secret":
			return errors.New("for the log")
		case "full":
			return &chat.Problem{Code: chat.TooMany, Message: "the room is full"}
		}
		return nil
	}})
	alice := sockettest.Connect(t, server, chat.Namespace)
	for name, code := range map[string]string{"secret": chat.Forbidden, "full": chat.TooMany} {
		if got := problemOf(t, alice.Call(chat.EventJoin, room{"room": name})); got != code {
			t.Errorf("%s: got %q", name, got)
		}
	}
	for n := range 51 {
		want := ""
		if n == 50 {
			want = chat.TooMany
		}
		if got := problemOf(t, alice.Call(chat.EventJoin, room{"room": fmt.Sprint(n)})); got != want {
			t.Errorf("room %d: %q", n, got)
		}
	}
}

// queryName is what stands in for a token.
func queryName(s *socket.Socket) string { return s.Handshake().Query["token"][0] }

func TestPrivateMessages(t *testing.T) {
	server := extended(t, chat.Options{Rooms: true, Presence: true, NameOf: queryName})
	connect := func(name string) *sockettest.Client {
		c := sockettest.Connect(t, server, chat.Namespace, sockettest.Query("token", name))
		c.Call(chat.EventFeatures, room{}) // answered after OnConnect, which CONNECT does not wait for
		return c
	}
	ann, annToo, bob, eve := connect("Ann"), connect("Ann"), connect("Bob"), connect("Eve")
	var sent chat.Sent
	decode(t, ann.Call(chat.EventSend, room{"payload": raw(`{"text":"psst"}`), "to": "Bob"}), &sent)
	if sent.Kept || sent.ID != nil || sent.Time == 0 {
		t.Errorf("got %+v", sent)
	}
	for _, c := range []*sockettest.Client{ann, annToo, bob} {
		var text socketio.Payload
		var about chat.PrivateMessage
		c.Expect(chat.MsgToClient, &text, &about)
		if string(text.JSON) != `{"name":"Ann","text":"psst"}` || !about.Private || about.From != "Ann" || about.To != "Bob" {
			t.Errorf("got %s, %+v", text.JSON, about)
		}
	}
	if code := problemOf(t, ann.Call(chat.EventSend, room{"payload": raw(`{}`), "to": "Nobody"})); code != chat.NotFound {
		t.Errorf("got %q", code)
	}
	eve.Emit(chat.MsgToServer, raw(`{"text":"hello"}`))
	hear(t, eve, `{"name":"Eve","text":"hello"}`) // and nothing before it
}

func TestPresence(t *testing.T) {
	server := extended(t, chat.Options{Presence: true})
	ann := sockettest.Connect(t, server, chat.Namespace, sockettest.Query("username", "Ann"))
	var s presence.Snapshot
	decode(t, ann.Call(chat.EventWatch), &s)
	if !reflect.DeepEqual(s, presence.Snapshot{People: []presence.Person{{Name: "Ann", Connections: 1}}, Count: 1, Connections: 1}) {
		t.Errorf("got %+v", s)
	}
	seen := map[string]int{"Ann": 1}
	connections := 0
	until := func(want map[string]int, all int) {
		t.Helper()
		for !reflect.DeepEqual(seen, want) || connections != all {
			var c presence.Change
			ann.Expect(chat.EventChange, &c)
			for _, p := range c.Joined {
				seen[p.Name] = p.Connections
			}
			for _, name := range c.Left {
				delete(seen, name)
			}
			connections = c.Connections
		}
	}
	bob := sockettest.Connect(t, server, chat.Namespace, sockettest.Auth(map[string]any{"username": "Bob"}))
	guest := sockettest.Connect(t, server, chat.Namespace)
	until(map[string]int{"Ann": 1, "Bob": 1}, 3)
	guest.Emit(chat.MsgToServer, raw(`{"name":"Guest","text":"hello"}`))
	hear(t, ann, `{"name":"Guest","text":"hello"}`)
	until(map[string]int{"Ann": 1, "Bob": 1, "Guest": 1}, 3)
	bob.Call(chat.MsgToServer, raw(`{"name":"Eve","text":"I am Bob all the same"}`))
	hear(t, ann, `{"name":"Eve","text":"I am Bob all the same"}`)
	decode(t, guest.Call(chat.EventPresence), &s)
	if s.Count != 3 || s.Connections != 3 || s.People[1].Name != "Bob" {
		t.Errorf("got %+v", s)
	}
	bob.Cut()
	until(map[string]int{"Ann": 1, "Guest": 1}, 2)
}

// A recovered connection is in the same rooms as before, and is counted there until it is gone.
func TestRecoveredAreCountedInTheirRooms(t *testing.T) {
	h := httptest.NewServer(recovering(t, chat.Options{Rooms: true, Presence: true}, socketio.Recovery{For: time.Minute}))
	defer h.Close()
	address := "ws" + strings.TrimPrefix(h.URL, "http")
	ann, bob := join(t, address, "EIO=4", "40/chat,"), join(t, address, "EIO=4&username=Bob", "40/chat,")
	for _, c := range []*client{ann, bob} {
		c.send(`42/chat,1["join",{"room":"blue"}]`)
		c.want(`43/chat,1[{"room":"blue"}]`)
	}
	counted := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			ann.send(`42/chat,2["presence",{"room":"blue"}]`)
			got := ann.next()
			if got == "43/chat,2["+want+"]" {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	}
	const both, alone = `{"people":[{"name":"Bob","connections":1}],"count":1,"connections":2}`, `{"people":[],"count":0,"connections":1}`
	counted(both)
	var session struct{ Pid string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(bob.answer, "40/chat,")), &session); err != nil {
		t.Fatal(err)
	}
	bob.rw.Close()
	counted(alone)
	again := join(t, address, "EIO=4&username=Bob", fmt.Sprintf(`40/chat,{"pid":%q}`, session.Pid))
	if again.answer != bob.answer {
		t.Fatalf("not recovered: %s", again.answer)
	}
	counted(both)
	again.rw.Close()
	counted(alone)
}

// Watchers hear of typing at most once in two seconds, by packets that may be dropped; hence over a network, where nothing waits.
func TestTyping(t *testing.T) {
	h := httptest.NewServer(extended(t, chat.Options{Presence: true, Rooms: true, NameOf: queryName}))
	defer h.Close()
	address := "ws" + strings.TrimPrefix(h.URL, "http")
	ann, bob := join(t, address, "EIO=4&token=Ann", "40/chat,"), join(t, address, "EIO=4&token=Bob", "40/chat,")
	carol := join(t, address, "EIO=4&token=Carol", "40/chat,")
	const all = `[{"people":[{"name":"Ann","connections":1},{"name":"Bob","connections":1},{"name":"Carol","connections":1}],"count":3,"connections":3}]`
	for got := ""; got != "43/chat,3"+all; got = bob.next() { // somebody who has joined is known a moment later
		bob.send(`42/chat,3["presence",{}]`)
	}
	bob.send(`42/chat,1["presence:watch",{}]`)
	bob.want("43/chat,1" + all)
	// heard is what bob is told of typing, up to the answer to a question of his: what came before that has left before it.
	heard := func() (list []string) {
		t.Helper()
		bob.send(`42/chat,2["rooms",{}]`)
		for got := bob.next(); !strings.HasPrefix(got, "43/chat,2"); got = bob.next() {
			if !strings.Contains(got, "presence:change") { // of those who came
				list = append(list, got)
			}
		}
		return list
	}
	// types lets somebody type until bob hears it: while he is being written to it is dropped, and only somebody new may tell again at once.
	types := func(who *client, name, request, want string) *client {
		t.Helper()
		for range 100 {
			who.send(`42/chat,1["typing",` + request + `]`)
			who.want(`43/chat,1[{"ok":true}]`)
			switch list := heard(); {
			case len(list) == 1 && list[0] == want:
				return who
			case len(list) > 0:
				t.Fatalf("got %q, want %s", list, want)
			}
			who = join(t, address, "EIO=4&token="+name, "40/chat,")
		}
		t.Fatalf("bob never hears %s", want)
		return nil
	}
	ann = types(ann, "Ann", `{"name":"Eve"}`, `42/chat,["typing",{"name":"Ann","for":6000}]`)
	ann.send(`42/chat,2["typing",{}]`) // too soon: nobody is told
	ann.want(`43/chat,2[{"ok":true}]`)
	if list := heard(); len(list) > 0 {
		t.Fatalf("got %q, too soon", list)
	}
	types(carol, "Carol", `{"to":"Bob"}`, `42/chat,["typing",{"private":true,"from":"Carol","name":"Carol","for":6000}]`)
}

func TestWhatIsOffIsSaid(t *testing.T) {
	alice := sockettest.Connect(t, extended(t, chat.Options{}), chat.Namespace)
	for _, event := range []string{chat.EventJoin, chat.EventLeave, chat.EventRooms, chat.EventPresence, chat.EventWatch, chat.EventTyping} {
		if code := problemOf(t, alice.Call(event, room{})); code != chat.Off {
			t.Errorf("%s: got %q", event, code)
		}
	}
	// Tokens alone make no private messages: it takes rooms to reach a person.
	ann := sockettest.Connect(t, extended(t, chat.Options{Presence: true, NameOf: queryName}), chat.Namespace, sockettest.Query("token", "Ann"))
	for _, event := range []string{chat.EventSend, chat.EventTyping} {
		if code := problemOf(t, ann.Call(event, room{"to": "Ann", "payload": raw(`{}`)})); code != chat.Off {
			t.Errorf("%s to a person: got %q", event, code)
		}
	}
}
