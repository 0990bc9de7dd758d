package cluster

import (
	"errors"
	"slices"
	"strings"
	"testing"

	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// instances of one namespace, on a single Redis and on a Redis Cluster.
func instances() (me, you, spread *clusterFormat) {
	c := wire.NewCodec(1<<20, 10)
	return New(c, "socket.io", "/chat", "me", false), New(c, "socket.io", "/chat", "you", false), New(c, "socket.io", "/chat", "me", true)
}

var (
	deep       = strings.Repeat("[", wire.NodeDepth+1) + strings.Repeat("]", wire.NodeDepth+1)
	deepEvent  = socketio.Payload{JSON: []byte(`["e",` + deep + `]`)}
	plainEvent = socketio.Payload{JSON: []byte(`["e",1]`)}
	withNode   = wire.Census{All: 4, Modern: 4, Ours: 2}
)

// An instance listens to the namespace, to what is said to it alone, and to what ours tell each other.
func TestSubscription(t *testing.T) {
	me, _, _ := instances()
	s := me.Subscription()
	if !slices.Equal(s.Channels, []string{"socket.io#/chat#", "socket.io#/chat#me#", me.Names.Peers}) || len(s.Patterns) != 0 {
		t.Errorf("%q, %q", s.Channels, s.Patterns)
	}
	if s.All != "socket.io#/chat#" || s.Ours != me.Names.Peers || s.Modern != "" || s.Own != "socket.io#/chat#me#" || s.Nsp != "/chat" {
		t.Errorf("%+v", s)
	}
	if me.Legacy() || me.NeedsCensus(plainEvent, nil) {
		t.Error("there are no nodes of generation 2 in this mode")
	}
	if _, err := me.DecodeEntry(&wire.Entry{}, nil); !errors.Is(err, wire.ErrNotForUs) {
		t.Errorf("there is no stream in this mode: %v", err)
	}
}

// A broadcast goes over the namespace's channel; what Node could not bear, over that of ours alone.
func TestBroadcastsGoTo(t *testing.T) {
	me, you, _ := instances()
	for name, tc := range map[string]struct {
		data    socketio.Payload
		channel string
	}{"plain": {plainEvent, me.Names.Main}, "deep": {deepEvent, me.Names.Peers}} {
		list, err := me.Broadcast(tc.data, nil, 3, wire.Census{})
		if err != nil || len(list) != 1 || list[0].Channel != tc.channel {
			t.Fatalf("%s: %d messages, %v", name, len(list), err)
		}
		r, err := you.Decode(tc.channel, list[0].Payload, nil)
		if err != nil || string(r.Broadcast.Data.JSON) != string(tc.data.JSON) || r.Broadcast.Number != 3 {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := me.Decode(tc.channel, list[0].Payload, nil); !errors.Is(err, wire.ErrNotForUs) {
			t.Errorf("%s: our own: %v", name, err)
		}
	}
}

// The instances that are asked for acknowledgements, and how many will not be.
func TestAckRequestsGoTo(t *testing.T) {
	me, you, _ := instances()
	for name, tc := range map[string]struct {
		data    socketio.Payload
		channel string
		unasked int
	}{"plain": {plainEvent, me.Names.Main, 0}, "deep": {deepEvent, me.Names.Peers, 2}} {
		list, unasked, err := me.AckRequest("q", tc.data, nil, withNode)
		if err != nil || len(list) != 1 || list[0].Channel != tc.channel || unasked != tc.unasked {
			t.Fatalf("%s: %d messages, %d are not asked, %v", name, len(list), unasked, err)
		}
		if r, err := you.Decode(tc.channel, list[0].Payload, nil); err != nil || r.Request.RequestID != "q" || r.Request.UID != "me" {
			t.Errorf("%s: %+v, %v", name, r.Request, err)
		}
	}
}

// Requests that Node's nodes know go to all; the others, and what is nested too deep, to ours.
func TestRequestsGoTo(t *testing.T) {
	me, _, _ := instances()
	for name, req := range everyRequest() {
		want := me.Names.Main
		if strings.Contains(name, "ours") || name == "a session" {
			want = me.Names.Peers
		}
		if o, err := me.Request(&req); err != nil || o.Channel != want {
			t.Errorf("%s goes to %s, %v", name, o.Channel, err)
		}
	}
	if o, err := me.Request(&wire.Request{Type: rtypes.SERVER_SIDE_EMIT, Data: deepEvent.JSON}); err != nil || o.Channel != me.Names.Peers {
		t.Errorf("a deep event goes to %s, %v", o.Channel, err)
	}
}

// An answer goes to the asker's channel. In a Redis Cluster that may be at a server where nobody of ours is connected: then to the
// namespace's.
func TestAnswersGoTo(t *testing.T) {
	me, _, spread := instances()
	near := AdapterID("socket.io", "/chat", wire.NewID())
	far := "node0"
	for SlotOf(me.Names.Specific(far)) == SlotOf(me.Names.Main) {
		far += "0"
	}
	for _, tc := range []struct {
		name, asker, channel string
		from                 *clusterFormat
	}{
		{"one Redis", far, me.Names.Specific(far), me},
		{"Redis Cluster, one of ours", near, me.Names.Specific(near), spread},
		{"Redis Cluster, a Node node", far, me.Names.Main, spread},
	} {
		o, err := tc.from.Answer(&wire.Request{UID: tc.asker, RequestID: "q", Type: rtypes.REMOTE_FETCH}, &wire.Response{Sockets: []byte(`[]`)})
		if err != nil || o.Channel != tc.channel {
			t.Errorf("%s: %s, %v", tc.name, o.Channel, err)
		}
	}
	o, err := me.Ack(&wire.Request{UID: "you", RequestID: "q", Type: rtypes.BROADCAST}, []socketio.Payload{{JSON: []byte(`1`)}, {JSON: []byte(`2`)}})
	if want := `{"type":12,"data":{"requestId":"q","packet":1},"uid":"me","nsp":"/chat"}`; err != nil || string(o.Payload) != want {
		t.Errorf("an acknowledgement is %s, %v", o.Payload, err)
	}
	if o, err = me.Ack(&wire.Request{UID: "you", RequestID: "q", Type: rtypes.BROADCAST}, nil); err != nil || !strings.Contains(string(o.Payload), `"data":{"requestId":"q"}`) {
		t.Errorf("one of nothing is %s, %v", o.Payload, err)
	}
}

// What cannot be sent is refused before anything is.
func TestFormatRefuses(t *testing.T) {
	me, _, _ := instances()
	for name, data := range map[string]socketio.Payload{
		"no JSON": {JSON: []byte(`["e"`)}, "too many binary values": {JSON: []byte(`["e"]`), Attachments: make([][]byte, 11)},
		"an attachment twice": {JSON: []byte(`["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{1}}},
	} {
		if list, err := me.Broadcast(data, nil, 0, wire.Census{}); err == nil || list != nil {
			t.Errorf("%s: %d messages", name, len(list))
		}
		if list, _, err := me.AckRequest("q", data, nil, withNode); err == nil || list != nil {
			t.Errorf("%s: %d requests", name, len(list))
		}
		if _, err := me.Ack(&wire.Request{UID: "you", RequestID: "q", Type: rtypes.BROADCAST}, []socketio.Payload{data}); err == nil {
			t.Errorf("%s: acknowledged", name)
		}
	}
	for name, send := range map[string]func(*wire.Request) (wire.Out, error){"request": me.Request, "to ours": me.Peers} {
		if _, err := send(&wire.Request{Type: wire.SessionRequest, Data: []byte(`{"a"`)}); err == nil {
			t.Errorf("%s: damaged data is sent", name)
		}
	}
	if _, err := me.Answer(&wire.Request{Type: rtypes.REMOTE_FETCH}, &wire.Response{Sockets: []byte(`[`)}); err == nil {
		t.Error("a damaged answer is sent")
	}
}
