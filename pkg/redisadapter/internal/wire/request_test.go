package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/engine.io/v2/types"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"
)

// A room is a string; Node applications may have used a number, which is the room of that name.
func TestRoomName(t *testing.T) {
	for text, want := range map[string]string{
		`"r"`: "r", `""`: "", `"\u0041\""`: `A"`, `7`: "7", `-7`: "-7", `0`: "0", `-0`: "0", `1.50`: "1.5", `1e3`: "1000", `1e21`: "1e+21", `0.0000001`: "1e-7",
		`1e999`: "Infinity", `true`: "true", `null`: "null", `["r"]`: `["r"]`, // nobody is in such a room
	} {
		var r RoomName
		if err := json.Unmarshal([]byte(text), &r); err != nil || string(r) != want {
			t.Errorf("%s: got %q, %v, want %q", text, r, err, want)
		}
	}
}

// A list is written as [] if it is empty, and read from [] or nothing.
func TestRoomList(t *testing.T) {
	for want, l := range map[string]RoomList{`[]`: nil, `["a","7"]`: {"a", "7"}, `["\u003c"]`: {"<"}} {
		if b, err := json.Marshal(l); err != nil || string(b) != want {
			t.Errorf("%q is written as %s, %v", l, b, err)
		}
	}
	if b, _ := json.Marshal(RoomList{}); string(b) != `[]` {
		t.Errorf("an empty list is %s", b)
	}
	var l RoomList
	if l.Set() != nil || len(l.Rooms()) != 0 {
		t.Error("no list has rooms")
	}
	l = ListOf([]socket.Room{"b", "a", "b"})
	if set := l.Set(); set.Len() != 2 || !set.Has("a") || !set.Has("b") {
		t.Errorf("%q as a set: %v", l, set.Keys())
	}
	if got := ListOfSet(types.NewSet[socket.Room]("c", "a", "b")); !slices.Equal(got, RoomList{"a", "b", "c"}) {
		t.Errorf("a set is written as %q", got)
	}
	if got := ListOfSet(nil); got == nil || len(got) != 0 {
		t.Errorf("no set is %#v", got)
	}
	if got := ListOf([]socket.SocketId(nil)); got == nil {
		t.Error("no ids are not written")
	}
}

// Options of a request and back.
func TestRequestOptions(t *testing.T) {
	if got := OptionsOf(nil); got.Rooms != nil || got.Except != nil || got.Flags != nil {
		t.Errorf("of none: %+v", got)
	}
	everybody := (*RequestOptions)(nil).BroadcastOptions()
	if HasRooms(everybody) || everybody.Except != nil || everybody.Flags == nil {
		t.Errorf("nil selects %+v", everybody)
	}
	opts := &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]("b", "a"), Except: types.NewSet[socket.Room]("x")}
	o := OptionsOf(opts)
	if b, _ := json.Marshal(o); string(b) != `{"rooms":["a","b"],"except":["x"]}` {
		t.Errorf("written as %s", b)
	}
	o.Flags = &RequestFlags{Volatile: true, ExpectSingleResponse: true}
	back := o.BroadcastOptions()
	if back.Rooms.Len() != 2 || !back.Rooms.Has("a") || !back.Except.Has("x") || !back.Flags.Volatile || !back.Flags.ExpectSingleResponse || back.Flags.Local {
		t.Errorf("came back as %+v, %+v", back, back.Flags)
	}
}

// A broadcast that wants acknowledgements takes along what its receivers need of the flags, and nothing of this instance's.
func TestAckRequestOf(t *testing.T) {
	data := payload(`["q",`+placeholder(0)+`]`, "a")
	req := AckRequestOf("id", "/chat", data, nil)
	want := &Request{RequestID: "id", Type: rtypes.BROADCAST, Packet: &RequestPacket{Type: 2, Data: data.JSON, Nsp: "/chat"}, Opts: &RequestOptions{}, Attachments: data.Attachments}
	if !reflect.DeepEqual(req, want) {
		t.Errorf("got %+v, want %+v", req, want)
	}
	timeout := time.Second
	flags := &socket.BroadcastFlags{Local: true, Timeout: &timeout, ExpectSingleResponse: true}
	flags.Volatile = true
	req = AckRequestOf("id", "/", data, &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]("r"), Flags: flags})
	b, err := json.Marshal(req.Opts)
	if err != nil || string(b) != `{"rooms":["r"],"except":[],"flags":{"volatile":true,"expectSingleResponse":true}}` {
		t.Errorf("options %s, %v", b, err)
	}
	if id := NewID(); len(id) != 12 || id == NewID() {
		t.Errorf("an id is %q", id)
	}
}

// Requests and responses as JSON and as MessagePack, and what is neither.
func TestDecodeRequest(t *testing.T) {
	c := NewCodec(200, 10)
	text := `{"requestId":"q","type":6,"uid":"u","data":["hi",1.5]}`
	packed := msgp.AppendMapHeader(nil, 4)
	packed = msgp.AppendString(msgp.AppendString(packed, "requestId"), "q")
	packed = msgp.AppendInt(msgp.AppendString(packed, "type"), 6)
	packed = msgp.AppendString(msgp.AppendString(packed, "uid"), "u")
	packed = msgp.AppendArrayHeader(msgp.AppendString(packed, "data"), 2)
	packed = msgp.AppendFloat64(msgp.AppendString(packed, "hi"), 1.5)
	for _, b := range [][]byte{[]byte(text), packed} {
		var req Request
		if _, err := DecodeRequest(c, b, &req); err != nil || req.RequestID != "q" || req.Type != rtypes.SERVER_SIDE_EMIT || req.UID != "u" || string(req.Data) != `["hi",1.5]` {
			t.Errorf("%q: %+v, %v", b, req, err)
		}
	}
	for n := range packed {
		if _, err := DecodeRequest(c, packed[:n], &Request{}); !errors.Is(err, ErrRequest) {
			t.Errorf("%d bytes of MessagePack: %v", n, err)
		}
	}
	for n := range text {
		if _, err := DecodeRequest(c, []byte(text[:n]), &Request{}); !errors.Is(err, ErrRequest) {
			t.Errorf("%q: %v", text[:n], err)
		}
	}
	for name, tc := range map[string]struct {
		b    string
		want error
	}{
		"too large":               {`{"uid":"` + strings.Repeat("x", 200) + `"}`, ErrTooLarge},
		"bytes behind":            {string(packed) + "\x01", ErrTrailing},
		"text behind":             {text + "{}", ErrRequest},
		"an array":                {`[1]`, ErrTrailing}, // MessagePack, of a number
		"a packed array":          {"\x91\x01", ErrRequest},
		"a packed number":         {"\x07", ErrRequest},
		"rooms that are none":     {`{"type":1,"rooms":{}}`, ErrRequest},
		"the reason is told, too": {`{"type":1,"rooms":{}}`, ErrRooms},
	} {
		if _, err := DecodeRequest(c, []byte(tc.b), &Request{}); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

// Binary values of a message are beside its text, and are not the message's bytes.
func TestDecodeRequestWithBinary(t *testing.T) {
	b := msgp.AppendString(msgp.AppendMapHeader(nil, 2), "packet")
	b = msgp.AppendBytes(b, []byte("bytes"))
	b = msgp.AppendString(msgp.AppendString(b, "requestId"), "q")
	var r Response
	list, err := DecodeRequest(NewCodec(100, 10), b, &r)
	clear(b)
	if err != nil || len(list) != 1 || string(list[0]) != "bytes" || string(r.Packet) != placeholder(0) {
		t.Errorf("%q, %s, %v", list, r.Packet, err)
	}
}

// Text is written as JavaScript does, without escapes for HTML, and a part of a message is valid text whatever was in it.
func TestEncodeJSONAndPayload(t *testing.T) {
	if b, err := EncodeJSON(map[string]string{"a": "<&>\u2028"}); err != nil || string(b) != `{"a":"<&>\u2028"}` {
		t.Errorf("%s, %v", b, err)
	}
	if _, err := EncodeJSON(func() {}); err == nil {
		t.Error("a function is JSON")
	}
	if p := Payload([]byte("\"a\xffb\""), nil); string(p.JSON) != "\"a\ufffdb\"" {
		t.Errorf("%q", p.JSON)
	}
}

// Flags have the names they have in JavaScript.
func TestFlagsOf(t *testing.T) {
	flags := &socket.BroadcastFlags{Broadcast: true, ExpectSingleResponse: true}
	flags.Compress = true
	var on []string
	for _, f := range FlagsOf(flags) {
		if f.On {
			on = append(on, f.Name)
		}
	}
	if !slices.Equal(on, []string{"compress", "broadcast", "expectSingleResponse"}) {
		t.Errorf("%q", on)
	}
	if typ := TypeOf(adapter.MessageType(9)); *typ != 9 {
		t.Error(*typ)
	}
}

// Every member that goes over the wire has a name of JavaScript's: one without would be written as it is called in Go, and read from
// a peer that calls one so.
func TestMembersHaveNames(t *testing.T) {
	var look func(typ reflect.Type)
	look = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name != "-" && name[0] >= 'A' && name[0] <= 'Z' {
				t.Errorf("%s.%s is written as %q", typ, f.Name, name)
			}
			look(f.Type)
		}
	}
	for _, v := range []any{Request{}, Response{}, RemoteSocket{}} {
		look(reflect.TypeOf(v))
	}
	b, err := EncodeJSON(Response{RequestID: "q", Attachments: [][]byte{[]byte("bytes")}})
	if err != nil || string(b) != `{"requestId":"q"}` {
		t.Errorf("%s, %v", b, err)
	}
}
