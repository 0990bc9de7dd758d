package chat_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// extended runs a chat that keeps messages in memory.
func extended(t *testing.T, options chat.Options) *socketio.Server {
	t.Helper()
	return recovering(t, options, socketio.Recovery{})
}

func recovering(t *testing.T, options chat.Options, recovery socketio.Recovery) *socketio.Server {
	t.Helper()
	server := socketio.NewServer(socketio.Options{Recovery: recovery})
	limits := history.Limits{Count: 100, Bytes: 1 << 20, Age: 24 * time.Hour}
	options.History = chat.History{Store: history.NewMemory(limits), Limits: limits}
	g := chat.New(server, options)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		defer g.Close(ctx)
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return server
}

// past are the answer's payloads, and its parts.
type past struct {
	Messages []struct {
		ID      string
		Time    int64
		Payload socketio.Payload
		From    string
	}
	More, Gap, Partial bool
	Error              *chat.Problem
}

func (p past) texts() (list []string) {
	for _, m := range p.Messages {
		list = append(list, string(m.Payload.JSON))
	}
	return list
}

func askPast(t *testing.T, c *sockettest.Client, in chat.HistoryRequest) (p past) {
	t.Helper()
	decode(t, c.Call(chat.EventHistory, in), &p)
	return p
}

func decode(t *testing.T, p socketio.Payload, into any) {
	t.Helper()
	if err := p.Decode(into); err != nil {
		t.Fatalf("%s: %v", p.JSON, err)
	}
}

// raw is JSON as a client writes it.
func raw(s string) socketio.Payload { return socketio.Payload{JSON: []byte(s)} }

func hear(t *testing.T, c *sockettest.Client, want ...string) {
	t.Helper()
	for _, w := range want {
		var got socketio.Payload
		c.Expect(chat.MsgToClient, &got)
		if string(got.JSON) != w {
			t.Fatalf("heard %s, want %s", got.JSON, w)
		}
	}
}

func TestHistoryAnswersWhatWasRelayed(t *testing.T) {
	server := extended(t, chat.Options{JoinNotice: true})
	alice := sockettest.Connect(t, server, chat.Namespace)
	said := []string{`{"text":1.0,"z":[],"name":"a<b>\u0026"}`, `"\ud800"`, `null`, `{ "name" : "a" }`}
	for _, m := range said {
		alice.Emit(chat.MsgToServer, raw(m))
	}
	hear(t, alice, append([]string{`{"name":"admin","text":"join chat."}`}, said...)...)
	bob := sockettest.Connect(t, server, chat.Namespace)
	p := askPast(t, bob, chat.HistoryRequest{})
	if !slices.Equal(p.texts(), said) || p.More || p.Gap || p.Partial {
		t.Fatalf("got %s, %+v", p.texts(), p)
	}
	ids := []string{}
	for _, m := range p.Messages {
		ids = append(ids, m.ID)
	}
	if !slices.IsSorted(ids) || p.Messages[0].Time < time.Now().Add(-time.Minute).UnixMilli() {
		t.Errorf("ids %v, time %d", ids, p.Messages[0].Time)
	}
	if p := askPast(t, bob, chat.HistoryRequest{After: ids[1]}); !slices.Equal(p.texts(), said[2:]) || p.Gap {
		t.Errorf("after: got %s, %+v", p.texts(), p)
	}
	if p := askPast(t, bob, chat.HistoryRequest{Before: ids[2], Limit: 1}); !slices.Equal(p.texts(), said[1:2]) || !p.More {
		t.Errorf("before: got %s, %+v", p.texts(), p)
	}
	if p := askPast(t, bob, chat.HistoryRequest{After: "1-0"}); !p.Gap || len(p.Messages) != 4 {
		t.Errorf("after what is gone: got %+v", p)
	}
}

func TestHistoryOfBinary(t *testing.T) {
	server := extended(t, chat.Options{})
	alice := sockettest.Connect(t, server, chat.Namespace)
	alice.Emit(chat.MsgToServer, []byte{1, 2, 3})
	var sent chat.Sent
	decode(t, alice.Call(chat.EventSend, map[string]any{"payload": []any{[]byte("a"), []byte("b")}}), &sent)
	if !sent.Kept {
		t.Errorf("got %+v", sent)
	}
	var answer struct{ Messages []struct{ Payload any } }
	decode(t, alice.Call(chat.EventHistory), &answer)
	if len(answer.Messages) != 2 {
		t.Fatalf("got %+v", answer)
	}
	p := alice.Call(chat.EventHistory)
	if len(p.Attachments) != 3 || string(p.Attachments[0]) != "\x01\x02\x03" || string(p.Attachments[2]) != "b" {
		t.Errorf("got %s with %d attachments", p.JSON, len(p.Attachments))
	}
}

func TestMsgToServerIsAcknowledgedToWhoAsks(t *testing.T) {
	alice := sockettest.Connect(t, extended(t, chat.Options{}), chat.Namespace)
	var sent chat.Sent
	decode(t, alice.Call(chat.MsgToServer, "a", "b"), &sent) // two arguments are one array, as in the seed
	hear(t, alice, `["a","b"]`)
	p := askPast(t, alice, chat.HistoryRequest{})
	if !sent.Kept || sent.Duplicate || sent.ID == nil || len(p.Messages) != 1 || p.Messages[0].ID != *sent.ID || p.Messages[0].Time != sent.Time {
		t.Errorf("got %+v, history %+v", sent, p)
	}
}

func TestSentAgainIsRelayedOnce(t *testing.T) {
	server := extended(t, chat.Options{})
	alice, bob := sockettest.Connect(t, server, chat.Namespace), sockettest.Connect(t, server, chat.Namespace)
	message := map[string]any{"payload": raw(`{"name":"a","text":"once"}`), "id": "m1"}
	var first, second chat.Sent
	decode(t, alice.Call(chat.EventSend, message), &first)
	decode(t, bob.Call(chat.EventSend, message), &second) // the same client on another connection
	if first.Duplicate || !second.Duplicate || first.ID == nil || second.ID == nil || *first.ID != *second.ID || !second.Kept {
		t.Errorf("got %+v, then %+v", first, second)
	}
	message["id"], second = "m2", chat.Sent{}
	decode(t, alice.Call(chat.EventSend, message), &second)
	hear(t, bob, `{"name":"a","text":"once"}`, `{"name":"a","text":"once"}`)
	if n := len(askPast(t, bob, chat.HistoryRequest{}).Messages); n != 2 || second.Duplicate {
		t.Errorf("%d messages, %+v", n, second)
	}
}

func TestFeatures(t *testing.T) {
	name := "Ann"
	server := extended(t, chat.Options{NameOf: func(*socket.Socket) string { return name }})
	var f chat.Features
	decode(t, sockettest.Connect(t, server, chat.Namespace).Call(chat.EventFeatures, struct{}{}), &f)
	if f.History == nil || *f.History != (chat.HistoryFeature{Limit: 100, Hours: 24}) || f.Name == nil || *f.Name != name || f.Version != chat.Version || f.Now == 0 {
		t.Errorf("got %+v", f)
	}
}

// Strictness and names of tokens count for send as for msgToServer.
func TestSendIsCheckedAsMsgToServer(t *testing.T) {
	server := extended(t, chat.Options{NameOf: func(*socket.Socket) string { return "Ann" }, Strict: &chat.Strict{TextLength: 5}})
	alice := sockettest.Connect(t, server, chat.Namespace)
	var answer struct {
		chat.Sent
		Error *chat.Problem
	}
	decode(t, alice.Call(chat.EventSend, map[string]any{"payload": raw(`{"text":"hello","name":"Eve"}`)}), &answer)
	hear(t, alice, `{"text":"hello","name":"Ann"}`)
	if answer.Error != nil || !answer.Kept {
		t.Errorf("got %+v", answer)
	}
	if p := askPast(t, alice, chat.HistoryRequest{}); len(p.Messages) != 1 || p.Messages[0].From != "Ann" {
		t.Errorf("got %+v", p)
	}
	for _, payload := range []string{`{"text":"hello!"}`, `"hello"`, `{"text":1}`} {
		answer.Error = nil
		decode(t, alice.Call(chat.EventSend, map[string]any{"payload": raw(payload)}), &answer)
		if answer.Error == nil || answer.Error.Code != chat.BadRequest {
			t.Errorf("%s: got %+v", payload, answer)
		}
	}
	if n := len(askPast(t, alice, chat.HistoryRequest{}).Messages); n != 1 {
		t.Errorf("%d messages are kept", n)
	}
}

func TestOddRequestsAreAnswered(t *testing.T) {
	alice := sockettest.Connect(t, extended(t, chat.Options{}), chat.Namespace)
	long := string(slices.Repeat([]byte("x"), 65))
	for _, c := range []struct {
		event string
		in    any
		code  string
	}{
		{chat.EventHistory, raw(`[]`), chat.BadRequest},
		{chat.EventHistory, raw(`{"limit":-1}`), chat.BadRequest},
		{chat.EventHistory, raw(`{"limit":"1"}`), chat.BadRequest},
		{chat.EventHistory, raw(`{"before":"x"}`), chat.BadRequest},
		{chat.EventHistory, raw(`{"after":"1-1","before":"1-1"}`), chat.BadRequest},
		{chat.EventHistory, raw(`{"room":"blue"}`), chat.NotJoined},
		{chat.EventFeatures, raw(`3`), chat.BadRequest},
		{chat.EventSend, raw(`null`), chat.BadRequest},
		{chat.EventSend, raw(`{}`), chat.BadRequest},
		{chat.EventSend, raw(`{"payload":1,"id":7}`), chat.BadRequest},
		{chat.EventSend, raw(`{"payload":1,"id":"` + long + `"}`), chat.TooLarge},
		{chat.EventSend, raw(`{"payload":1,"room":"blue"}`), chat.Off},
		{chat.EventSend, raw(`{"payload":1,"to":"Ann"}`), chat.Off},
		{chat.EventHistory, raw(`{"limit":1000000}`), ""},
		{chat.EventHistory, raw(`{"more":"of it"}`), ""},
	} {
		var answer struct{ Error *chat.Problem }
		decode(t, alice.Call(c.event, c.in), &answer)
		switch {
		case answer.Error == nil && c.code != "", answer.Error != nil && answer.Error.Code != c.code:
			t.Errorf("%s %s: got %+v, want %q", c.event, c.in, answer.Error, c.code)
		}
	}
	alice.Emit(chat.EventHistory) // nobody asks for an answer: there is none
	alice.Emit(chat.EventSend, raw(`{"payload":"still here"}`))
	hear(t, alice, `"still here"`)
}
