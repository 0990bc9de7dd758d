package streams

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// instances of one namespace.
func instances() (me, you *Format) {
	c := wire.NewCodec(1<<20, 10)
	return New(c, "socket.io", "/chat", "me"), New(c, "socket.io", "/chat", "you")
}

const all, ours = "socket.io#/chat#", "socket.io-peers#/chat#"

var (
	deep       = strings.Repeat("[", wire.NodeDepth+1) + strings.Repeat("]", wire.NodeDepth+1)
	plainEvent = socketio.Payload{JSON: []byte(`["e",1.0,"\ud800"]`)}
	deepEvent  = socketio.Payload{JSON: []byte(`["e",` + deep + `]`)}
	binary     = socketio.Payload{JSON: []byte(`["e",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{[]byte("bytes")}}
	deepBinary = socketio.Payload{JSON: []byte(strings.Replace(string(deepEvent.JSON), "[]", `[{"_placeholder":true,"num":0}]`, 1)), Attachments: [][]byte{[]byte("b")}}
	oddBinary  = socketio.Payload{JSON: []byte(`["e",1.0,{"_placeholder":true,"num":0}]`), Attachments: [][]byte{[]byte("bytes")}}
	withNode   = wire.Census{All: 4, Modern: 4, Ours: 2}
)

// fields makes of an entry what Redis gives back of it.
func fields(t *testing.T, e *wire.Entry, origin string, seq uint64) map[string]any {
	t.Helper()
	list, m := EntryFields(e, origin, seq), map[string]any{}
	for i := 0; i < len(list); i += 2 {
		m[list[i].(string)] = fmt.Sprintf("%s", list[i+1])
	}
	return m
}

// An event is an entry that Node reads as far as it can, and ours exactly. What Node could not bear, it does not see.
func TestBroadcastsAreEntries(t *testing.T) {
	me, you := instances()
	for _, tc := range []struct {
		name   string
		data   socketio.Payload
		fields string
	}{
		{"plain", plainEvent, "data nsp seq type uid"},
		{"deep", deepEvent, "data for seq type uid"},
		{"binary", binary, "data nsp seq type uid"},
		{"binary that MessagePack has no exact form for", oddBinary, "atts data json nsp seq type uid"},
		{"deep and binary", deepBinary, "atts data for json seq type uid"},
	} {
		list, err := me.Broadcast(tc.data, nil, 5, wire.Census{})
		if err != nil || len(list) != 1 || list[0].Entry == nil {
			t.Fatalf("%s: %d messages, %v", tc.name, len(list), err)
		}
		f := fields(t, list[0].Entry, "hub", 9)
		if got := strings.Join(slices.Sorted(maps.Keys(f)), " "); got != tc.fields {
			t.Errorf("%s: fields %s", tc.name, got)
		}
		e, stamp, err := ReadEntry(f)
		if err != nil || stamp != "hub:9" || *e != *list[0].Entry {
			t.Errorf("%s: %v, stamp %q", tc.name, err, stamp)
		}
		r, err := you.DecodeEntry(e, nil)
		if err != nil || string(r.Broadcast.Data.JSON) != string(tc.data.JSON) || r.Broadcast.Number != 5 || r.Broadcast.From != "me" ||
			len(r.Broadcast.Data.Attachments) != len(tc.data.Attachments) {
			t.Errorf("%s: %+v, %v", tc.name, r.Broadcast, err)
		}
		if _, err := me.DecodeEntry(e, nil); !errors.Is(err, wire.ErrNotForUs) {
			t.Errorf("%s: our own: %v", tc.name, err)
		}
	}
}

// Commands are entries, so that they survive a break; questions and answers are published, in MessagePack as Node does.
func TestRequestsGoTo(t *testing.T) {
	me, you := instances()
	yes := true
	opts := &wire.RequestOptions{Rooms: wire.RoomList{"a"}, Except: wire.RoomList{}, Flags: &wire.RequestFlags{}}
	for name, tc := range map[string]struct {
		req     wire.Request
		channel string // "": the stream
	}{
		"join":       {wire.Request{Type: rtypes.REMOTE_JOIN, Opts: opts, Rooms: wire.RoomList{"b"}}, ""},
		"leave":      {wire.Request{Type: rtypes.REMOTE_LEAVE, Opts: opts, Rooms: wire.RoomList{"b"}}, ""},
		"disconnect": {wire.Request{Type: rtypes.REMOTE_DISCONNECT, Opts: opts, Close: &yes}, ""},
		"fetch":      {wire.Request{Type: rtypes.REMOTE_FETCH, Opts: opts, RequestID: "q"}, all},
		"emit":       {wire.Request{Type: rtypes.SERVER_SIDE_EMIT, Data: []byte(`["e"]`)}, all},
		"deep emit":  {wire.Request{Type: rtypes.SERVER_SIDE_EMIT, Data: deepEvent.JSON}, ours},
		"rooms":      {wire.Request{Type: rtypes.ALL_ROOMS, RequestID: "q"}, ours},
		"a session":  {wire.Request{Type: wire.SessionRequest, RequestID: "q", Data: []byte(`{}`)}, ours},
	} {
		o, err := me.Request(&tc.req)
		if err != nil || o.Channel != tc.channel || (o.Entry != nil) != (tc.channel == "") {
			t.Errorf("%s goes to %q, %v", name, o.Channel, err)
			continue
		}
		var r wire.Received
		if o.Entry != nil {
			r, err = you.DecodeEntry(o.Entry, nil)
		} else {
			r, err = you.Decode(o.Channel, o.Payload, nil)
			if o.Payload[0] == '{' {
				t.Errorf("%s is JSON, which Node's nodes do not read here", name)
			}
		}
		if err != nil || r.Request == nil || r.Request.Type != tc.req.Type || r.Request.UID != "me" || r.Request.RequestID != tc.req.RequestID {
			t.Errorf("%s: %+v, %v", name, r.Request, err)
		}
	}
	o, err := me.Peers(&wire.Request{Type: rtypes.SOCKETS, RequestID: "q", Data: []byte(`{"a":{"_placeholder":true,"num":0}}`), Attachments: [][]byte{{7}}})
	if err != nil || o.Channel != ours {
		t.Fatalf("to ours: %s, %v", o.Channel, err)
	}
	if r, err := you.Decode(ours, o.Payload, nil); err != nil || len(r.Request.Attachments) != 1 || r.Request.Attachments[0][0] != 7 {
		t.Errorf("to ours: %+v, %v", r.Request, err)
	}
}

// Acknowledgements are asked for over publish and subscribe, and answered on the asker's channel.
func TestAcknowledgements(t *testing.T) {
	me, you := instances()
	for name, tc := range map[string]struct {
		data    socketio.Payload
		channel string
		unasked int
	}{"plain": {plainEvent, all, 0}, "binary": {binary, all, 0}, "deep": {deepEvent, ours, 2}} {
		list, unasked, err := me.AckRequest("q", tc.data, nil, withNode)
		if err != nil || len(list) != 1 || list[0].Channel != tc.channel || unasked != tc.unasked {
			t.Fatalf("%s: %d messages, %d are not asked, %v", name, len(list), unasked, err)
		}
		r, err := you.Decode(tc.channel, list[0].Payload, nil)
		if err != nil || r.Request.RequestID != "q" || string(r.Request.Packet.Data) != string(tc.data.JSON) || len(r.Request.Attachments) != len(tc.data.Attachments) {
			t.Errorf("%s: %+v, %v", name, r.Request, err)
			continue
		}
		for _, args := range [][]socketio.Payload{nil, {{JSON: []byte(`1.0`)}, {JSON: []byte(`2`)}}, {{JSON: []byte(`{"_placeholder":true,"num":0}`), Attachments: [][]byte{{1}}}}} {
			o, err := you.Ack(r.Request, args)
			if err != nil || o.Channel != all+"me#" {
				t.Errorf("%s: answered on %s, %v", name, o.Channel, err)
			}
			a, err := me.Decode(o.Channel, o.Payload, nil)
			want := ""
			if len(args) > 0 {
				want = string(args[0].JSON)
			}
			if err != nil || *a.Response.Type != rtypes.BROADCAST_ACK || a.Response.RequestID != "q" || string(a.Response.Packet) != want {
				t.Errorf("%s: %+v, %v", name, a.Response, err)
			}
		}
	}
}

// What cannot be sent is refused before anything is.
func TestFormatRefuses(t *testing.T) {
	me, _ := instances()
	for name, data := range map[string]socketio.Payload{
		"no JSON": {JSON: []byte(`["e"`)}, "too many binary values": {JSON: []byte(`["e"]`), Attachments: make([][]byte, 11)},
		"larger than the limit": {JSON: []byte(`["` + strings.Repeat("x", 1<<20) + `"]`)},
	} {
		if list, err := me.Broadcast(data, nil, 0, wire.Census{}); err == nil || list != nil {
			t.Errorf("%s: %d messages", name, len(list))
		}
		if list, _, err := me.AckRequest("q", data, nil, withNode); err == nil || list != nil {
			t.Errorf("%s: %d requests", name, len(list))
		}
		if _, err := me.Ack(&wire.Request{UID: "you", Type: rtypes.BROADCAST}, []socketio.Payload{data}); err == nil {
			t.Errorf("%s: acknowledged", name)
		}
	}
	damaged := &wire.Request{Type: wire.SessionRequest, Data: []byte(`{`)}
	if _, err := me.Request(damaged); err == nil {
		t.Error("a damaged request is sent")
	}
	if _, err := me.Peers(damaged); err == nil {
		t.Error("a damaged request is sent to ours")
	}
	if _, err := me.Answer(&wire.Request{Type: rtypes.REMOTE_FETCH}, &wire.Response{Sockets: []byte(`[`)}); err == nil {
		t.Error("a damaged answer is sent")
	}
	// Base64 makes three bytes four: the limit holds for what Redis gets.
	small := New(wire.NewCodec(9000, 10), "k", "/", "me")
	for size, fits := range map[int]bool{6000: true, 8700: true, 12000: false} {
		_, err := small.Broadcast(socketio.Payload{JSON: binary.JSON, Attachments: [][]byte{make([]byte, size)}}, nil, 0, wire.Census{})
		if (err == nil) != fits {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// An instance listens to questions and answers; events come by the stream.
func TestSubscription(t *testing.T) {
	me, _ := instances()
	s := me.Subscription()
	if !slices.Equal(s.Channels, []string{all, all + "me#", ours}) || len(s.Patterns) != 0 || s.Own != all+"me#" || s.All != all || s.Ours != ours || s.Modern != "" {
		t.Errorf("%+v", s)
	}
	if me.Legacy() || me.NeedsCensus(binary, nil) {
		t.Error("there are no nodes of generation 2 in this mode")
	}
	m := cluster.Broadcast("you", "/chat", plainEvent, nil, "")
	b, _, err := cluster.Encode(me.Codec, m, true)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := me.Decode(all, b, nil); err != nil || r.Broadcast == nil {
		t.Errorf("a broadcast that is published all the same: %v", err)
	}
	if _, err := me.Decode(all, []byte("garbage"), nil); err == nil {
		t.Error("garbage is read")
	}
}
