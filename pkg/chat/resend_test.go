package chat_test

import (
	"context"
	"testing"

	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/redisadapter"
	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/socketio/sockettest"
)

// dying is the store of an instance that ends after it has relayed a message and before the message is kept.
type dying struct{ *history.Redis }

func (dying) Append(history.Message, func(history.Receipt)) {}
func (dying) Settle(string)                                 {}

// What an instance relayed just before it died is not relayed again when its client sends it again elsewhere: the instances that heard it know.
// It is put into the history then.
func TestSentAgainAfterItsInstanceDied(t *testing.T) {
	for _, mode := range []redisadapter.Mode{redisadapter.PubSub, redisadapter.Streams} {
		t.Run(string(mode), func(t *testing.T) {
			r := startRedis(t)
			options := chat.Options{Rooms: true, NameOf: queryName}
			alpha := r.newInstance(mode, options, func(s *history.Redis) history.Store { return dying{s} })
			beta := r.newInstance(mode, options, nil)
			clustered(t, alpha, beta)
			ann, bob := alpha.connect(t, "Ann"), beta.connect(t, "Bob")
			for _, c := range []*sockettest.Client{ann, bob} {
				c.Call(chat.EventJoin, room{"room": "blue"})
			}
			for _, in := range []room{
				{"payload": raw(`{"text":"1"}`), "id": "1"},
				{"payload": raw(`{"text":"2"}`), "id": "2", "room": "blue"},
				{"payload": raw(`{"text":"3"}`), "id": "3", "to": "Bob"},
			} {
				ann.Emit(chat.EventSend, in)
				if got := nextText(bob); got != textOf(in) {
					t.Fatalf("got %s", got)
				}
				r.endClaims()
				again := beta.connect(t, "Ann")
				again.Call(chat.EventJoin, room{"room": "blue"})
				var sent chat.Sent
				decode(t, again.Call(chat.EventSend, in), &sent)
				if toRoom := in["to"] == nil; !sent.Duplicate || sent.Kept != toRoom {
					t.Errorf("%v: got %+v", in, sent)
				}
				decode(t, again.Call(chat.EventSend, in), &sent) // and once more
				again.Disconnect()
			}
			bob.Emit(chat.MsgToServer, raw(`{"text":"last"}`))
			if got := nextText(bob); got != `{"name":"Bob","text":"last"}` {
				t.Errorf("relayed again: %s", got)
			}
			for name, want := range map[string]string{"": `{"name":"Ann","text":"1"}`, "blue": `{"name":"Ann","text":"2"}`} {
				p := askPast(t, bob, chat.HistoryRequest{Room: name, Limit: 10})
				if len(p.Messages) == 0 || string(p.Messages[0].Payload.JSON) != want || name != "" && len(p.Messages) != 1 {
					t.Errorf("%q has %v", name, p.texts())
				}
			}
		})
	}
}

// A private message is kept nowhere; that it was sent is known on all instances.
func TestPrivateMessageSentAgainElsewhere(t *testing.T) {
	r := startRedis(t)
	options := chat.Options{Rooms: true, NameOf: queryName}
	alpha, beta := r.newInstance(redisadapter.PubSub, options, nil), r.newInstance(redisadapter.PubSub, options, nil)
	clustered(t, alpha, beta)
	ann, bob := alpha.connect(t, "Ann"), beta.connect(t, "Bob")
	in := room{"payload": raw(`{"text":"psst"}`), "id": "1", "to": "Bob"}
	var sent chat.Sent
	decode(t, ann.Call(chat.EventSend, in), &sent)
	if sent.Duplicate || sent.Kept {
		t.Errorf("got %+v", sent)
	}
	again := r.newInstance(redisadapter.PubSub, options, nil) // has heard nothing of it
	decode(t, again.connect(t, "Ann").Call(chat.EventSend, in), &sent)
	if !sent.Duplicate || sent.Kept {
		t.Errorf("got %+v the second time", sent)
	}
	if got := nextText(bob); got != textOf(in) {
		t.Errorf("got %s", got)
	}
	bob.Emit(chat.MsgToServer, raw(`{"text":"last"}`))
	if got := nextText(bob); got != `{"name":"Bob","text":"last"}` {
		t.Errorf("got %s", got)
	}
}

// nextText is the next message that somebody hears.
func nextText(c *sockettest.Client) string {
	var got socketio.Payload
	c.Expect(chat.MsgToClient, &got)
	return string(got.JSON)
}

// textOf is what comes of a message of Ann's.
func textOf(in room) string {
	return `{"name":"Ann",` + string(in["payload"].(socketio.Payload).JSON[1:])
}

// endClaims is what the time does to the claims of an instance that has died.
func (r *testRedis) endClaims() {
	r.t.Helper()
	c, ctx := r.client(), context.Background()
	keys, err := c.Keys(ctx, "socketio-chat:{history}:once:*").Result()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, key := range keys {
		if value := c.Get(ctx, key).Val(); value[0] == '?' {
			c.Del(ctx, key)
		}
	}
}
