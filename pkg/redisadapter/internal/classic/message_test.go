package classic

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/jsonscan"
	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// Messages between our own instances carry any event exactly, binary or not.
func TestBroadcastRoundTrip(t *testing.T) {
	deep := strings.Repeat("[", wire.NodeDepth) + strings.Repeat("]", wire.NodeDepth)
	timeout := 1500 * time.Millisecond
	bins := [][]byte{{1, 2}, {}}
	for _, tc := range []struct {
		name, text  string
		attachments [][]byte
		opts        *socket.BroadcastOptions
		messages    int
	}{
		{name: "text", text: `["msgToClient",{"name":"a","text":"b"}]`, messages: 1},
		{name: "spelling", text: `["e", 1.0, -0, 1e21, 123456789012345678901234567890, "\ud800" ]`, messages: 1},
		{name: "proto", text: `["e",{"__proto__":null}]`, messages: 1},
		{name: "deep", text: `["e",` + deep + `]`, messages: 1},
		{name: "binary", text: `["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, attachments: bins, messages: 2},
		{name: "binary, reordered and lossy", text: `["e",1.0,{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]`, attachments: bins, messages: 2},
		{name: "binary, deep", text: `["e",{"_placeholder":true,"num":1},` + deep + `]`, attachments: bins, messages: 1},
		{name: "binary in a prototype only", text: `["e",{"__proto__":{"_placeholder":true,"num":0}},1]`, attachments: bins[:1], messages: 1},
		{name: "binary to a room", text: `["e",{"_placeholder":true,"num":0}]`, attachments: bins[:1], messages: 1,
			opts: &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]("r")}},
		{name: "attachment nobody refers to", text: `["e"]`, attachments: bins, messages: 1},
		{name: "options", text: `["e"]`, messages: 1, opts: &socket.BroadcastOptions{
			Rooms: types.NewSet[socket.Room]("a", "b"), Except: types.NewSet[socket.Room]("c"),
			Flags: &socket.BroadcastFlags{WriteOptions: socket.WriteOptions{Volatile: true}, Broadcast: true, Timeout: &timeout, ExpectSingleResponse: true},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := wire.NewCodec(1<<20, 255)
			first, second, err := EncodeBroadcast(c, "alice", "/chat", socketio.Payload{JSON: []byte(tc.text), Attachments: tc.attachments}, tc.opts)
			if err != nil || (second != nil) != (tc.messages == 2) {
				t.Fatal(err, len(second))
			}
			if second != nil {
				if _, err := DecodeBroadcast(c, second, "bob", "/chat", nil); !errors.Is(err, wire.ErrNotForUs) {
					t.Errorf("copy for generation 2: %v", err)
				}
			}
			msg, err := DecodeBroadcast(c, first, "bob", "/chat", nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(msg.Data.JSON); got != strings.TrimSpace(tc.text) {
				t.Errorf("got %.100s", got)
			}
			if tc.messages == 2 || tc.opts != nil && len(tc.attachments) > 0 {
				if len(msg.Data.Attachments) != len(tc.attachments) {
					t.Fatalf("%d attachments", len(msg.Data.Attachments))
				}
				for i, a := range msg.Data.Attachments {
					if !bytes.Equal(a, tc.attachments[i]) {
						t.Errorf("attachment %d: %x", i, a)
					}
				}
			}
			checkOptions(t, msg.Opts, tc.opts)
			if _, err := DecodeBroadcast(c, first, "alice", "/chat", nil); !errors.Is(err, wire.ErrNotForUs) {
				t.Errorf("own message: %v", err)
			}
			if tc.name != "deep" && tc.name != "binary, deep" { // these carry no namespace, the channel tells it
				if _, err := DecodeBroadcast(c, first, "bob", "/other", nil); !errors.Is(err, wire.ErrNotForUs) {
					t.Errorf("other namespace: %v", err)
				}
			}
			nodes, err := encodeForNodes(c, "alice", "/chat", socketio.Payload{JSON: []byte(tc.text), Attachments: tc.attachments}, tc.opts)
			if err != nil || len(nodes) != tc.messages {
				t.Fatal(len(nodes), err)
			}
			for _, m := range nodes {
				if rest, err := msgp.Skip(m); err != nil || len(rest) > 0 {
					t.Errorf("for nodes: %v, %d bytes left", err, len(rest))
				}
				if _, err := DecodeBroadcast(c, m, "bob", "/chat", nil); !errors.Is(err, wire.ErrNotForUs) {
					t.Errorf("for nodes: %v", err)
				}
			}
		})
	}
}

func checkOptions(t *testing.T, got, want *socket.BroadcastOptions) {
	t.Helper()
	if want == nil {
		want = &socket.BroadcastOptions{}
	}
	if g, w := names(got.Rooms), names(want.Rooms); strings.Join(g, ",") != strings.Join(w, ",") {
		t.Errorf("rooms %v, want %v", g, w)
	}
	if g, w := names(got.Except), names(want.Except); strings.Join(g, ",") != strings.Join(w, ",") {
		t.Errorf("except %v, want %v", g, w)
	}
	if want.Flags == nil {
		return
	}
	g, w := got.Flags, want.Flags
	if g.Volatile != w.Volatile || g.Broadcast != w.Broadcast || g.ExpectSingleResponse != w.ExpectSingleResponse || *g.Timeout != *w.Timeout {
		t.Errorf("flags %+v, want %+v", g, w)
	}
}

// What a hostile or broken sender may put on the channel. data is the second element's data, given
// as MessagePack.
func TestDecodeHostile(t *testing.T) {
	str := func(s string) string { return string(msgp.AppendString(nil, s)) }
	packet := func(data string) string {
		return "\x93" + str("them") + "\x83" + str("type") + "\x02" + str("data") + data + str("nsp") + str("/chat") + "\x80"
	}
	for name, tc := range map[string]struct {
		message string
		want    error
	}{
		"empty":                    {"", wire.ErrEnvelope},
		"text":                     {"hello", wire.ErrEnvelope},
		"JSON":                     {`["a",{"type":2},{}]`, wire.ErrEnvelope},
		"the Go library's map":     {"\x83" + str("uid") + str("x"), wire.ErrEnvelope},
		"too short":                {"\x91\x01", wire.ErrEnvelope},
		"huge array":               {"\xdd\xff\xff\xff\xff", msgp.ErrShortBytes},
		"no packet, no raw":        {"\x93" + str("them") + "\xc0\x80", wire.ErrPacket},
		"packet is a number":       {"\x93" + str("them") + "\x01\x80", wire.ErrPacket},
		"options are nil":          {strings.TrimSuffix(packet("\x91"+str("e")), "\x80") + "\xc0", errOptions},
		"trailing bytes":           {packet("\x91"+str("e")) + "\x00", wire.ErrTrailing},
		"type 0":                   {strings.Replace(packet("\x91"+str("e")), "type\x02", "type\x00", 1), wire.ErrPacket},
		"type 1":                   {strings.Replace(packet("\x91"+str("e")), "type\x02", "type\x01", 1), wire.ErrPacket},
		"no data":                  {"\x93" + str("them") + "\x82" + str("type") + "\x02" + str("nsp") + str("/chat") + "\x80", wire.ErrPacket},
		"data is no array":         {packet(str("e")), wire.ErrEvent},
		"data is empty":            {packet("\x90"), wire.ErrEvent},
		"event is an object":       {packet("\x91\x80"), wire.ErrEvent},
		"reserved":                 {packet("\x91" + str("disconnect")), wire.ErrReserved},
		"reserved, raw":            {"\x94" + str("them") + "\xc0\x80" + str(`["conn\u0065ct"]`), wire.ErrReserved},
		"raw is no JSON":           {"\x94" + str("them") + "\xc0\x80" + str(`["a"`), wire.ErrRaw},
		"raw placeholder":          {"\x95" + str("them") + "\xc0\x80" + str(`["a",{"_placeholder":true,"num":1}]`) + "\x91\xc4\x01\x00", wire.ErrStray},
		"raw attachments":          {"\x95" + str("them") + "\xc0\x80" + str(`["a"]`) + "\x01", wire.ErrRaw},
		"placeholder out of range": {packet("\x93" + str("e") + "\xc4\x01\x00\x82" + str("_placeholder") + "\xc3" + str("num") + "\x09"), wire.ErrStray},
		"deep":                     {packet("\x92" + str("e") + strings.Repeat("\x91", msgpack.WireDepth+1) + "\xc0"), msgpack.ErrDepth},
		"deep maps":                {packet("\x92" + str("e") + strings.Repeat("\x81\xa0", msgpack.WireDepth+1) + "\xc0"), msgpack.ErrDepth},
		"date for a key":           {packet("\x92" + str("e") + "\x81\xd6\xff\x00\x00\x00\x00\x02"), msgpack.ErrKey},
		"reserved byte":            {packet("\x92" + str("e") + "\xc1"), msgp.InvalidPrefixError(0xc1)},
		"many attachments":         {packet("\xdc\x01\x01" + str("e") + strings.Repeat("\xc4\x00", 256)), msgpack.ErrAttachments},
		"rooms are a number":       {strings.TrimSuffix(packet("\x91"+str("e")), "\x80") + "\x81" + str("rooms") + "\x05", wire.ErrRooms},
		"rooms are another map":    {strings.TrimSuffix(packet("\x91"+str("e")), "\x80") + "\x81" + str("rooms") + "\x81" + str("length") + "\x05", wire.ErrRooms},
		"other namespace":          {strings.Replace(packet("\x91"+str("e")), "/chat", "/chit", 1), wire.ErrNotForUs},
		"namespace in an array":    {strings.Replace(packet("\x91"+str("e")), "\xa5/chat", "\x91\xa5/chat", 1), wire.ErrNotForUs},
		"larger than the limit":    {packet("\x91" + str(strings.Repeat("e", 1<<20))), wire.ErrTooLarge},
		"fine, more elements":      {"\x95" + packet("\x91" + str("e"))[1:] + "\xc0\x80", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeBroadcast(wire.NewCodec(1<<20, 255), []byte(tc.message), "me", "/chat", nil)
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestEncodeLimits(t *testing.T) {
	c := wire.NewCodec(100, 255)
	if _, _, err := EncodeBroadcast(c, "u", "/", socketio.Payload{JSON: []byte(`["` + strings.Repeat("x", 80) + `"]`)}, nil); !errors.Is(err, wire.ErrTooLarge) {
		t.Error(err)
	}
	if _, _, err := EncodeBroadcast(c, "u", "/", socketio.Payload{JSON: []byte(`["x"`)}, nil); !errors.Is(err, jsonscan.ErrEnd) {
		t.Error(err)
	}
}

func FuzzDecodeBroadcast(f *testing.F) {
	for _, r := range recordings(f) {
		b, err := hex.DecodeString(r.Hex)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	c := wire.NewCodec(1<<16, 255)
	first, second, err := EncodeBroadcast(c, "u", "/chat", socketio.Payload{JSON: []byte(`["e",1.0,{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{1}}}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(first)
	f.Add(second)
	f.Fuzz(func(t *testing.T, b []byte) {
		msg, err := DecodeBroadcast(c, b, "me", "/chat", nil)
		if err != nil {
			return
		}
		if !json.Valid(msg.Data.JSON) || !utf8.Valid(msg.Data.JSON) {
			t.Fatalf("not valid: %q", msg.Data.JSON)
		}
		if msg.Opts == nil || msg.Opts.Flags == nil {
			t.Fatal("no options")
		}
		// What was received can be sent on, and arrives the same.
		again, _, err := EncodeBroadcast(c, "you", "/chat", msg.Data, msg.Opts)
		if errors.Is(err, wire.ErrTooLarge) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeBroadcast(c, again, "me", "/chat", nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(back.Data.JSON, msg.Data.JSON) || len(back.Data.Attachments) > len(msg.Data.Attachments) {
			t.Fatalf("%q came back as %q", msg.Data.JSON, back.Data.JSON)
		}
	})
}

func FuzzDecodeRequest(f *testing.F) {
	for _, r := range recordings(f) {
		if strings.Contains(r.Channel, "-re") {
			f.Add(r.bytes(f))
		}
	}
	c := wire.NewCodec(1<<16, 255)
	f.Fuzz(func(t *testing.T, b []byte) {
		var req wire.Request
		if _, err := wire.DecodeRequest(c, b, &req); err == nil {
			if _, err := wire.EncodeJSON(&req); err != nil {
				t.Fatal(err)
			}
			req.Opts.BroadcastOptions()
		}
		var resp wire.Response
		_, _ = wire.DecodeRequest(c, b, &resp)
		var list []wire.RemoteSocket
		if json.Unmarshal(resp.Sockets, &list) == nil {
			for _, s := range list {
				s.Details()
			}
		}
	})
}

// Every truncation of every recording is an error, never a panic or a partial event.
func TestTruncations(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	for _, r := range recordings(t) {
		b := r.bytes(t)
		if r.Expect == nil || r.Nsp != "" {
			continue
		}
		for n := range b {
			if _, err := DecodeBroadcast(c, b[:n], "me", "/chat", nil); err == nil || errors.Is(err, wire.ErrNotForUs) {
				t.Errorf("%s %s: %d of %d bytes: %v", r.From, r.Call, n, len(b), err)
			}
		}
	}
}
