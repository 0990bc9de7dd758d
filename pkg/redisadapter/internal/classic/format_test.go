package classic

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// mixes of instances that a cluster may have, this one included.
var (
	alone      = wire.Census{All: 1, Modern: 1, Ours: 1}
	onlyOurs   = wire.Census{All: 3, Modern: 3, Ours: 3}
	withNode4  = wire.Census{All: 3, Modern: 3, Ours: 2}
	withNode2  = wire.Census{All: 3, Modern: 2, Ours: 2}
	everyKind  = wire.Census{All: 4, Modern: 3, Ours: 2}
	allMixes   = []wire.Census{alone, onlyOurs, withNode4, withNode2, everyKind}
	binaryData = socketio.Payload{JSON: []byte(`["e",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{[]byte("bytes")}}
	textData   = socketio.Payload{JSON: []byte(`["e",1]`)}
	deepText   = `["e",` + strings.Repeat("[", wire.NodeDepth+1) + strings.Repeat("]", wire.NodeDepth+1) + `]`
	deepData   = socketio.Payload{JSON: []byte(deepText)}
	deepBinary = socketio.Payload{JSON: []byte(strings.Replace(deepText, "[]", `[{"_placeholder":true,"num":0}]`, 1)), Attachments: [][]byte{[]byte("b")}}
)

// me and you are two instances.
func me() *Format  { return New(wire.NewCodec(1<<20, 10), "socket.io", "/chat", "me", false) }
func you() *Format { return New(wire.NewCodec(1<<20, 10), "socket.io", "/chat", "you", true) }

func toRooms(rooms ...socket.Room) *socket.BroadcastOptions {
	return &socket.BroadcastOptions{Rooms: types.NewSet(rooms...)}
}

// Channels have the names that Node's adapters give them, and one of ours that Node does not know.
func TestSubscription(t *testing.T) {
	s := New(wire.NewCodec(1, 1), "key", "/a*b", "uid", false).Subscription()
	if !slices.Equal(s.Patterns, []string{`key#/a\*b#*`}) {
		t.Errorf("patterns %q", s.Patterns)
	}
	if want := []string{"key-request#/a*b#", "key-response#/a*b#", "key-response#/a*b#uid#", "key-peers#/a*b#"}; !slices.Equal(s.Channels, want) {
		t.Errorf("channels %q", s.Channels)
	}
	if s.Own != "key-response#/a*b#uid#" || s.All != "key-request#/a*b#" || s.Modern != `key-response#/a\*b#*#` || s.Ours != "key-peers#/a*b#" || s.Nsp != "/a*b" {
		t.Errorf("%+v", s)
	}
	if !me().Legacy() {
		t.Error("generation 2 nodes are not thought of")
	}
}

// A broadcast goes on the channel of its room if it is for one, and reaches our instances once, whatever others are there.
func TestFormatBroadcast(t *testing.T) {
	for _, tc := range []struct {
		name    string
		data    socketio.Payload
		opts    *socket.BroadcastOptions
		channel string
		census  bool
	}{
		{"text to all", textData, nil, "socket.io#/chat#", false},
		{"text to a room", textData, toRooms("r 1"), "socket.io#/chat#r 1#", false},
		{"text to two rooms", textData, toRooms("a", "b"), "socket.io#/chat#", false},
		{"binary to all", binaryData, nil, "socket.io#/chat#", false},
		{"binary to a room", binaryData, toRooms("r"), "socket.io#/chat#r#", true},
		{"binary to two rooms", binaryData, toRooms("a", "b"), "socket.io#/chat#", true},
		{"deep", deepData, nil, "socket.io#/chat#", false},
		{"deep and binary, to a room", deepBinary, toRooms("r"), "socket.io#/chat#r#", true},
	} {
		from, to := me(), you()
		if got := from.NeedsCensus(tc.data, tc.opts); got != tc.census {
			t.Errorf("%s: needs the census: %v", tc.name, got)
		}
		for _, c := range allMixes {
			list, err := from.Broadcast(tc.data, tc.opts, 7, c)
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			heard := 0
			for _, o := range list {
				if o.Channel != tc.channel {
					t.Errorf("%s goes to %s", tc.name, o.Channel)
				}
				r, err := to.Decode(o.Channel, o.Payload, nil)
				if errors.Is(err, wire.ErrNotForUs) {
					continue
				}
				if err != nil || r.Broadcast == nil || string(r.Broadcast.Data.JSON) != string(tc.data.JSON) || r.Broadcast.Number != 7 || r.Broadcast.From != "me" {
					t.Errorf("%s, %+v: %+v, %v", tc.name, c, r.Broadcast, err)
				}
				heard++
			}
			if heard != 1 {
				t.Errorf("%s, %+v: heard %d times in %d messages", tc.name, c, heard, len(list))
			}
		}
	}
}

// What cannot be sent is refused before anything is.
func TestFormatRefuses(t *testing.T) {
	tooMany := socketio.Payload{JSON: []byte(`["e"]`), Attachments: make([][]byte, 11)}
	for name, data := range map[string]socketio.Payload{"no JSON": {JSON: []byte(`["e"`)}, "too many binary values": tooMany} {
		for _, opts := range []*socket.BroadcastOptions{nil, toRooms("r")} {
			if list, err := me().Broadcast(data, opts, 0, alone); err == nil || list != nil {
				t.Errorf("%s: %d messages", name, len(list))
			}
		}
		if list, _, err := me().AckRequest("id", data, nil, everyKind); err == nil || list != nil {
			t.Errorf("%s: %d requests", name, len(list))
		}
		if _, err := me().Ack(&wire.Request{UID: "you", RequestID: "id"}, []socketio.Payload{data}); err == nil {
			t.Errorf("%s: acknowledged", name)
		}
	}
	small := New(wire.NewCodec(60, 10), "k", "/", "me", false)
	if _, _, err := small.AckRequest("id", textData, nil, onlyOurs); !errors.Is(err, wire.ErrTooLarge) {
		t.Errorf("a request over the limit: %v", err)
	}
	if _, err := small.Broadcast(socketio.Payload{JSON: binaryData.JSON, Attachments: [][]byte{make([]byte, 20)}}, nil, 0, alone); !errors.Is(err, wire.ErrTooLarge) {
		t.Errorf("a broadcast over the limit: %v", err)
	}
}

// A broadcast that wants acknowledgements: all are asked that can answer; the clients of the others get the event, from a message
// that our own instances pass over.
func TestAckRequest(t *testing.T) {
	const all, ours, plain = "socket.io-request#/chat#", "socket.io-peers#/chat#", "socket.io#/chat#"
	for _, tc := range []struct {
		name     string
		data     socketio.Payload
		census   wire.Census
		channels []string
		unasked  int
		err      error
	}{
		{"text, only ours", textData, onlyOurs, []string{all}, 0, nil},
		{"text, with generation 4", textData, withNode4, []string{all}, 0, nil},
		{"text, with generation 2", textData, withNode2, []string{ours, plain}, 1, nil},
		{"text, with both", textData, everyKind, []string{ours, plain}, 2, nil},
		{"binary, with generation 4", binaryData, withNode4, []string{all}, 0, nil},
		{"binary, with both", binaryData, everyKind, []string{ours, plain, plain}, 2, nil},
		{"deep: Node is not told", deepData, withNode4, []string{ours}, 1, nil},
		{"deep, with both", deepData, everyKind, []string{ours}, 2, nil},
		{"deep and binary: there is no form for it", deepBinary, onlyOurs, nil, 0, wire.ErrNodeDepth},
	} {
		list, unasked, err := me().AckRequest("id", tc.data, nil, tc.census)
		var got []string
		for _, o := range list {
			got = append(got, o.Channel)
		}
		if !errors.Is(err, tc.err) || unasked != tc.unasked || !slices.Equal(got, tc.channels) {
			t.Errorf("%s: %q, %d are not asked, %v", tc.name, got, unasked, err)
		}
		for i, o := range list {
			r, err := you().Decode(o.Channel, o.Payload, nil)
			if i > 0 {
				if !errors.Is(err, wire.ErrNotForUs) {
					t.Errorf("%s: ours read what is for Node: %v", tc.name, err)
				}
				continue
			}
			req := r.Request
			if err != nil || req.Type != rtypes.BROADCAST || req.RequestID != "id" || req.UID != "me" || string(req.Packet.Data) != string(tc.data.JSON) ||
				req.Packet.Nsp != "/chat" || len(req.Attachments) != len(tc.data.Attachments) {
				t.Errorf("%s: %+v, %v", tc.name, req, err)
			}
		}
	}
}

// An acknowledgement goes to the instance that has asked. Binary in it is bytes for those that have a channel of their own, and JSON for the others.
func TestAck(t *testing.T) {
	const common, own = "socket.io-response#/chat#", "socket.io-response#/chat#you#"
	for _, tc := range []struct {
		name        string
		uid         string
		args        []socketio.Payload
		channel     string
		packet      string
		attachments int
		err         error
	}{
		{"nothing", "you", nil, common, "", 0, nil},
		{"text", "you", []socketio.Payload{{JSON: []byte(`{"a":1.0}`)}}, common, `{"a":1.0}`, 0, nil},
		{"the first of two", "you", []socketio.Payload{{JSON: []byte(`1`)}, {JSON: []byte(`2`)}}, common, `1`, 0, nil},
		{"binary", "you", []socketio.Payload{{JSON: []byte(`{"_placeholder":true,"num":0}`), Attachments: [][]byte{[]byte("ab")}}}, own, `{"_placeholder":true,"num":0}`, 1, nil},
		{"binary for nobody in particular", "", []socketio.Payload{{JSON: []byte(`{"_placeholder":true,"num":0}`), Attachments: [][]byte{[]byte("ab")}}}, common,
			`{"type":"Buffer","data":[97,98]}`, 0, nil},
		{"deep", "you", []socketio.Payload{deepData}, "", "", 0, wire.ErrNodeDepth},
	} {
		req := &wire.Request{UID: tc.uid, RequestID: "id", Type: rtypes.BROADCAST}
		o, err := me().Ack(req, tc.args)
		if !errors.Is(err, tc.err) || o.Channel != tc.channel {
			t.Errorf("%s: goes to %q, %v", tc.name, o.Channel, err)
		}
		if err != nil {
			continue
		}
		r, err := you().Decode(o.Channel, o.Payload, nil)
		if err != nil || r.Response == nil || *r.Response.Type != rtypes.BROADCAST_ACK || r.Response.RequestID != "id" ||
			string(r.Response.Packet) != tc.packet || len(r.Response.Attachments) != tc.attachments {
			t.Errorf("%s: %q is %+v, %v", tc.name, o.Payload, r.Response, err)
		}
	}
}

// An answer goes where the asker listens: nodes of generation 2 have only the common channel.
func TestAnswer(t *testing.T) {
	for _, tc := range []struct {
		name    string
		from    *Format
		req     wire.Request
		channel string
		text    string
	}{
		{"generation 2", you(), wire.Request{LegacyID: "q"}, "socket.io-response#/chat#", `{"requestid":"q"}`},
		{"generation 4", me(), wire.Request{UID: "a", RequestID: "q"}, "socket.io-response#/chat#", `{"requestId":"q"}`},
		{"generation 4, on its own channel", you(), wire.Request{UID: "a", RequestID: "q"}, "socket.io-response#/chat#a#", `{"requestId":"q"}`},
		{"an older one without id", you(), wire.Request{RequestID: "q"}, "socket.io-response#/chat#", `{"requestId":"q"}`},
		{"one of ours that looks for a session", me(), wire.Request{UID: "a", RequestID: "q", Type: wire.SessionRequest}, "socket.io-response#/chat#a#", `{"requestId":"q"}`},
	} {
		o, err := tc.from.Answer(&tc.req, &wire.Response{})
		if err != nil || o.Channel != tc.channel || string(o.Payload) != tc.text {
			t.Errorf("%s: %s on %s, %v", tc.name, o.Payload, o.Channel, err)
		}
	}
}

// What comes on which channel is read as what; a stream there is none.
func TestDecodeByChannel(t *testing.T) {
	w := me()
	for channel, kind := range map[string]string{
		"socket.io-request#/chat#": "request", "socket.io-peers#/chat#": "request", "socket.io-response#/chat#": "response", "socket.io-response#/chat#me#": "response",
	} {
		r, err := w.Decode(channel, []byte(`{"requestId":"q","type":3}`), nil)
		if got := map[bool]string{true: "request", false: "response"}[r.Request != nil]; err != nil || got != kind {
			t.Errorf("%s: %s, %v", channel, got, err)
		}
		if _, err := w.Decode(channel, []byte(`{`), nil); !errors.Is(err, wire.ErrRequest) {
			t.Errorf("%s: %v", channel, err)
		}
	}
	if _, err := w.DecodeEntry(&wire.Entry{}, nil); !errors.Is(err, wire.ErrNotForUs) {
		t.Errorf("an entry: %v", err)
	}
}

// Requests are JSON with the sender's id, whichever instances are asked.
func TestRequestsAreJSON(t *testing.T) {
	for channel, send := range map[string]func(*wire.Request) (wire.Out, error){"socket.io-request#/chat#": me().Request, "socket.io-peers#/chat#": me().Peers} {
		o, err := send(&wire.Request{RequestID: "q", Type: rtypes.REMOTE_JOIN, Opts: wire.OptionsOf(toRooms("a")), Rooms: wire.RoomList{"b"}})
		want := fmt.Sprintf(`{"uid":"me","requestId":"q","type":%d,"opts":{"rooms":["a"],"except":[]},"rooms":["b"]}`, rtypes.REMOTE_JOIN)
		if err != nil || o.Channel != channel || string(o.Payload) != want {
			t.Errorf("%s on %s, %v", o.Payload, o.Channel, err)
		}
		if !json.Valid(o.Payload) {
			t.Errorf("%s", o.Payload)
		}
	}
}
