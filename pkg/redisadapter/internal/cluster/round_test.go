package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/engine.io/v2/types"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// everyRequest are requests of all types, and what is left of each on the other side.
func everyRequest() map[string]wire.Request {
	yes, no := true, false
	opts := &wire.RequestOptions{Rooms: wire.RoomList{"a", `"b"`}, Except: wire.RoomList{"c"}, Flags: &wire.RequestFlags{}}
	none := &wire.RequestOptions{Rooms: wire.RoomList{}, Except: wire.RoomList{}, Flags: &wire.RequestFlags{}}
	return map[string]wire.Request{
		"join":                    {Type: rtypes.REMOTE_JOIN, Opts: opts, Rooms: wire.RoomList{"d"}},
		"join nothing":            {Type: rtypes.REMOTE_JOIN, Opts: none, Rooms: wire.RoomList{}},
		"leave":                   {Type: rtypes.REMOTE_LEAVE, Opts: opts, Rooms: wire.RoomList{"d", "e"}},
		"disconnect":              {Type: rtypes.REMOTE_DISCONNECT, Opts: opts, Close: &yes},
		"disconnect, and stay":    {Type: rtypes.REMOTE_DISCONNECT, Opts: none, Close: &no},
		"fetch":                   {Type: rtypes.REMOTE_FETCH, Opts: none, RequestID: "q"},
		"emit":                    {Type: rtypes.SERVER_SIDE_EMIT, Data: []byte(`["e",{"z":1.0}]`)},
		"emit, and ask":           {Type: rtypes.SERVER_SIDE_EMIT, Data: []byte(`["e"]`), RequestID: "q"},
		"all rooms, of ours only": {Type: rtypes.ALL_ROOMS, RequestID: "q"},
		"a session":               {Type: wire.SessionRequest, RequestID: "q", Data: []byte(`{"pid":"p"}`)},
		"sockets, of ours only":   {Type: rtypes.SOCKETS, RequestID: "q", Rooms: wire.RoomList{"x"}},
	}
}

// A request is the same on the other side, as JSON and as MessagePack.
func TestRequestsRoundTrip(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	for name, req := range everyRequest() {
		for _, binary := range []bool{false, true} {
			m, err := RequestOf("you", "/chat", &req)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			b, deep, err := Encode(c, m, binary)
			if err != nil || deep || (b[0] == '{') == binary {
				t.Fatalf("%s: %q, %v", name, b, err)
			}
			back, err := Decode(c, b)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			r, err := back.Received("me", "/chat", nil)
			want := req
			want.UID = "you"
			if err != nil || !reflect.DeepEqual(*r.Request, want) {
				t.Errorf("%s, MessagePack %v:\n got %+v, %v\nwant %+v", name, binary, r.Request, err, want)
			}
		}
	}
}

// So is an answer, to whatever was asked.
func TestAnswersRoundTrip(t *testing.T) {
	c, three := wire.NewCodec(1<<20, 255), uint64(3)
	rooms := wire.RoomList{"a"}
	for _, tc := range []struct {
		name        string
		req         wire.Request
		answer, got wire.Response
	}{
		{"fetched", wire.Request{Type: rtypes.REMOTE_FETCH}, wire.Response{Sockets: []byte(`[{"id":"s"}]`)}, wire.Response{Sockets: []byte(`[{"id":"s"}]`)}},
		{"answer of a listener", wire.Request{Type: rtypes.SERVER_SIDE_EMIT}, wire.Response{Data: []byte(`{"a":1.0}`)},
			wire.Response{Type: wire.TypeOf(rtypes.SERVER_SIDE_EMIT), Data: []byte(`{"a":1.0}`)}},
		{"answer without a value", wire.Request{Type: rtypes.SERVER_SIDE_EMIT}, wire.Response{}, wire.Response{Type: wire.TypeOf(rtypes.SERVER_SIDE_EMIT)}},
		{"client count", wire.Request{Type: rtypes.BROADCAST}, wire.Response{ClientCount: &three},
			wire.Response{Type: wire.TypeOf(rtypes.BROADCAST_CLIENT_COUNT), ClientCount: &three}},
		{"acknowledgement", wire.Request{Type: rtypes.BROADCAST}, wire.Response{Packet: []byte(`[1]`)},
			wire.Response{Type: wire.TypeOf(rtypes.BROADCAST_ACK), Packet: []byte(`[1]`)}},
		{"rooms, to ours", wire.Request{Type: rtypes.ALL_ROOMS}, wire.Response{Rooms: &rooms}, wire.Response{Rooms: &rooms}},
		{"a session, to ours", wire.Request{Type: wire.SessionRequest}, wire.Response{Data: []byte(`{"origin":"o"}`)}, wire.Response{Data: []byte(`{"origin":"o"}`)}},
	} {
		for _, binary := range []bool{false, true} {
			tc.req.RequestID = "q"
			answer := tc.answer
			m, err := ResponseOf("you", "/chat", &tc.req, &answer)
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			b, _, err := Encode(c, m, binary)
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			back, err := Decode(c, b)
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			r, err := back.Received("me", "/chat", nil)
			want := tc.got
			want.RequestID = "q"
			if err != nil || r.Response == nil || !reflect.DeepEqual(*r.Response, want) {
				t.Errorf("%s, MessagePack %v:\n got %+v, %v\nwant %+v", tc.name, binary, r.Response, err, want)
			}
		}
	}
}

// Binary of a request among ours travels once, as bytes.
func TestBinaryAmongOurs(t *testing.T) {
	w := New(wire.NewCodec(1<<20, 255), "socket.io", "/chat", "me", false)
	blob := bytes.Repeat([]byte("binary "), 100)
	req := &wire.Request{Type: wire.SessionRequest, RequestID: "q", Data: []byte(`{"a":{"_placeholder":true,"num":0}}`), Attachments: [][]byte{blob}}
	o, err := w.Peers(req)
	if err != nil || len(o.Payload) > len(blob)+300 || o.Channel != w.Names.Peers {
		t.Fatalf("%d bytes on %s, %v", len(o.Payload), o.Channel, err)
	}
	you := New(wire.NewCodec(1<<20, 255), "socket.io", "/chat", "you", false)
	r, err := you.Decode(o.Channel, o.Payload, nil)
	if err != nil || r.Request.UID != "me" || string(r.Request.Data) != string(req.Data) || len(r.Request.Attachments) != 1 || !bytes.Equal(r.Request.Attachments[0], blob) {
		t.Errorf("%+v, %v", r.Request, err)
	}
	o, err = w.Answer(r.Request, &wire.Response{Data: req.Data, Attachments: req.Attachments})
	if err != nil || len(o.Payload) > len(blob)+300 {
		t.Errorf("the answer has %d bytes, %v", len(o.Payload), err)
	}
}

// randomOptions draws options of a broadcast.
func randomOptions(r *rand.Rand) *socket.BroadcastOptions {
	if r.IntN(5) == 0 {
		return nil
	}
	set := func() *types.Set[socket.Room] {
		if r.IntN(3) == 0 {
			return nil
		}
		s := types.NewSet[socket.Room]()
		for range r.IntN(5) {
			s.Add([]socket.Room{"", "a", "방", `"\`, "a#b#", "7", "\u2028", socket.Room(strings.Repeat("x", r.IntN(300)))}[r.IntN(8)])
		}
		return s
	}
	opts := &socket.BroadcastOptions{Rooms: set(), Except: set()}
	if r.IntN(3) > 0 {
		f := &socket.BroadcastFlags{}
		f.Volatile, f.Compress, f.Broadcast, f.Binary, f.ExpectSingleResponse = r.IntN(2) > 0, r.IntN(2) > 0, r.IntN(2) > 0, r.IntN(2) > 0, r.IntN(2) > 0
		if r.IntN(2) > 0 {
			d := time.Duration(1+r.IntN(100_000)) * time.Millisecond
			f.Timeout = &d
		}
		opts.Flags = f
	}
	return opts
}

func sorted(s *types.Set[socket.Room]) []wire.RoomName { return wire.ListOfSet(s) }

// Whatever options a broadcast has, they arrive.
func TestBroadcastOptionsRoundTrip(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		opts, id := randomOptions(r), []string{"", "q", `"\`}[r.IntN(3)]
		data := socketio.Payload{JSON: fmt.Appendf(nil, `["e",%d]`, r.IntN(100))}
		b, _, err := Encode(c, Broadcast("you", "/chat", data, opts, id), r.IntN(2) == 0)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		m, err := Decode(c, b)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		msg, withAck, err := eventOf(&m)
		if opts == nil {
			opts = &socket.BroadcastOptions{}
		}
		if opts.Flags == nil {
			opts.Flags = &socket.BroadcastFlags{}
		}
		if id != "" {
			if err != nil || withAck.RequestID != id || string(withAck.Packet.Data) != string(data.JSON) || bool(withAck.Opts.Flags.Volatile) != opts.Flags.Volatile ||
				!slices.Equal(withAck.Opts.Rooms, sorted(opts.Rooms)) {
				t.Fatalf("seed %d: %+v, %v", seed, withAck, err)
			}
			continue
		}
		if err != nil || wire.FlagsOf(msg.Opts.Flags) != wire.FlagsOf(opts.Flags) || !slices.Equal(sorted(msg.Opts.Rooms), sorted(opts.Rooms)) ||
			!slices.Equal(sorted(msg.Opts.Except), sorted(opts.Except)) {
			t.Fatalf("seed %d: %+v, %v, want %+v", seed, msg.Opts, err, opts)
		}
		if d, want := msg.Opts.Flags.Timeout, opts.Flags.Timeout; (d == nil) != (want == nil) || d != nil && *d != *want {
			t.Fatalf("seed %d: timeout %v, want %v", seed, d, want)
		}
	}
}

// The outer members of a message as MessagePack, in all forms.
func TestDecodeBinary(t *testing.T) {
	str := func(s string) string { return string(msgp.AppendString(nil, s)) }
	head := str("uid") + str("you") + str("nsp") + str("/chat")
	data := str("data") + "\x80"
	c := wire.NewCodec(1000, 2)
	for name, tc := range map[string]struct {
		b    string
		want error
	}{
		"a small number":          {"\x84" + str("type") + "\x03" + head + data, nil},
		"a number in nine bytes":  {"\x84" + str("type") + "\xd3\x00\x00\x00\x00\x00\x00\x00\x03" + head + data, nil},
		"a float":                 {"\x84" + str("type") + "\xcb\x40\x08\x00\x00\x00\x00\x00\x00" + head + data, nil},
		"a short float":           {"\x84" + str("type") + "\xca\x40\x40\x00\x00" + head + data, nil},
		"a long map":              {"\xdf\x00\x00\x00\x04" + str("type") + "\x03" + head + data, nil},
		"members of the future":   {"\x85" + str("type") + "\x03" + head + data + str("more") + "\x91\xc0", nil},
		"half a type":             {"\x84" + str("type") + "\xcb\x40\x08\x80\x00\x00\x00\x00\x00" + head + data, errClusterMessage},
		"a type as text":          {"\x84" + str("type") + str("3") + head + data, errClusterMessage},
		"a type below all":        {"\x84" + str("type") + "\xff" + head + data, errClusterMessage},
		"a type above all":        {"\x84" + str("type") + "\xcf\xff\xff\xff\xff\xff\xff\xff\xff" + head + data, errClusterMessage},
		"no type":                 {"\x83" + head + data, errClusterMessage},
		"a sender that is no one": {"\x82" + str("type") + "\x03" + str("uid") + "\x07", errClusterMessage},
		"a namespace that is nil": {"\x82" + str("type") + "\x03" + str("nsp") + "\xc0", errClusterMessage},
		"a member without name":   {"\x82" + str("type") + "\x03\x07\x07", errClusterMessage},
		"an array":                {"\x93\x03\x80\xa0", errClusterMessage},
		"nothing":                 {"", errClusterMessage},
		"a reserved byte":         {"\xc1", errClusterMessage},
		"data of a reserved byte": {"\x82" + str("type") + "\x03" + str("data") + "\xc1", errClusterMessage},
		"raw text that is none":   {"\x83" + str("type") + "\x03" + str("raw") + str(`{"a"`) + str("atts") + "\x90", wire.ErrRaw},
		"raw text by a number":    {"\x82" + str("type") + "\x03" + str("raw") + "\x07", errClusterMessage},
		"binary that is none":     {"\x83" + str("type") + "\x03" + str("raw") + str(`{}`) + str("atts") + "\x07", wire.ErrRaw},
		"more binary than taken":  {"\x83" + str("type") + "\x03" + str("raw") + str(`{}`) + str("atts") + "\x93\xc4\x00\xc4\x00\xc4\x00", nil},
		"a placeholder too many":  {"\x83" + str("type") + "\x03" + str("raw") + str(`{"a":{"_placeholder":true,"num":1}}`) + str("atts") + "\x91\xc4\x00", wire.ErrStray},
		"bytes behind":            {"\x84" + str("type") + "\x03" + head + data + "\xc0", wire.ErrTrailing},
		"deeper than may be":      {"\x82" + str("type") + "\x03" + str("data") + strings.Repeat("\x91", msgpack.WireDepth+1), wire.ErrTooLarge},
		"larger than the limit":   {"\x82" + str("type") + "\x03" + str("data") + str(strings.Repeat("x", 1000)), wire.ErrTooLarge},
	} {
		m, err := Decode(c, []byte(tc.b))
		if name == "more binary than taken" {
			if err == nil || !strings.Contains(err.Error(), "MAX_ATTACHMENTS") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, tc.want) || err == nil && (m.Type != 3 || m.UID != "you" || m.Nsp != "/chat" || string(m.Data.JSON) != "{}") {
			t.Errorf("%s: %+v, %v, want %v", name, m, err, tc.want)
		}
		for n := range tc.b {
			if n < len(tc.b) && tc.want == nil {
				if _, err := Decode(c, []byte(tc.b[:n])); err == nil {
					t.Errorf("%s: %d of %d bytes are read", name, n, len(tc.b))
				}
			}
		}
	}
}
