package redisadapter

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// wireText is the MessagePack of a JSON text.
func wireText(t testing.TB, text string, attachments ...[]byte) (wire []byte, lossy bool) {
	t.Helper()
	e := &encoder{}
	if err := e.scan([]byte(text), len(attachments)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	e.appendJSON([]byte(text), attachments)
	return e.out, e.lossy
}

// Every kind of JSON value: what a Node peer decodes (printed as JSON), and whether one of ours
// needs the text itself.
func TestEncodeValues(t *testing.T) {
	for _, tc := range []struct {
		text, node string // node "": the same
		lossy      bool
	}{
		{text: `null`}, {text: `true`}, {text: `false`}, {text: `""`}, {text: `[]`}, {text: `{}`}, {text: `0`},
		{text: `{"z":1,"a":{"10":2,"9":3}}`},
		{text: `{"a":1,"a":2}`},
		{text: " [ 1 , {\t\"a\" : [ ] } ]\r\n", node: `[1,{"a":[]}]`},
		{text: `"a\/b\u0041"`, node: `"a/bA"`},
		{text: `"\u0000\u001f\b\t\n\f\r\"\\"`},
		{text: `"안녕 👋 \u2028"`, node: "\"안녕 👋 \u2028\""},
		{text: `"\ud83d\udc4b"`, node: `"👋"`},
		// Integers are exact as far as 64 bits reach.
		{text: `9007199254740993`}, {text: `18446744073709551615`}, {text: `-9223372036854775808`},
		{text: `18446744073709551616`, node: `18446744073709552000`, lossy: true},
		{text: `-9223372036854775809`, node: `-9223372036854776000`, lossy: true},
		{text: `1e+21`},
		{text: `1e21`, node: `1e+21`, lossy: true},
		{text: `1000000000000000000000`, node: `1e+21`, lossy: true},
		{text: `100000000000000000000`},
		{text: `0.1`}, {text: `-1.5`}, {text: `1e-7`}, {text: `5e-324`}, {text: `1.7976931348623157e+308`}, {text: `0.000001`},
		{text: `1.0`, node: `1`, lossy: true}, {text: `1E2`, node: `100`, lossy: true}, {text: `-0`, node: `0`, lossy: true},
		{text: `1e400`, node: `null`, lossy: true}, {text: `0.1000`, node: `0.1`, lossy: true},
		// Half a surrogate pair has no UTF-8.
		{text: `"\ud800"`, node: `"�"`, lossy: true},
		{text: `"\udc00\ud800"`, node: `"��"`, lossy: true},
		{text: `"\ud800\u0041"`, node: `"�A"`, lossy: true},
		{text: `{"\ud800":1}`, node: `{"�":1}`, lossy: true},
		// A Node peer would set the prototype of the object.
		{text: `{"a":1,"__proto__":{"b":[1,2]},"c":[3]}`, node: `{"a":1,"c":[3]}`, lossy: true},
		{text: `{"\u005f_proto__":1}`, node: `{}`, lossy: true},
		{text: `["__proto__"]`},
	} {
		wire, lossy := wireText(t, tc.text)
		d := decoder{}
		rest, err := d.value(wire)
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: %v, %d bytes left", tc.text, err, len(rest))
		}
		want := tc.node
		if want == "" {
			want = tc.text
		}
		if string(d.out) != want || lossy != tc.lossy {
			t.Errorf("%s: got %s (lossy %v), want %s (%v)", tc.text, d.out, lossy, want, tc.lossy)
		}
	}
}

func TestSizesOfEachHeader(t *testing.T) {
	for _, n := range []int{0, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		for _, text := range []string{
			`"` + strings.Repeat("x", n) + `"`,
			`[` + strings.TrimSuffix(strings.Repeat("7,", n), ",") + `]`,
			`{` + strings.TrimSuffix(strings.Repeat(`"k":7,`, n), ",") + `}`,
		} {
			wire, lossy := wireText(t, text)
			d := decoder{}
			if _, err := d.value(wire); err != nil || lossy || string(d.out) != text {
				t.Errorf("%d, %.10s: %v", n, text, err)
			}
		}
	}
}

func TestPlaceholders(t *testing.T) {
	one, two := []byte{1}, bytes.Repeat([]byte{2}, 300)
	for _, tc := range []struct{ text, want string }{
		{`["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, ""},
		{`["e",{"num":1,"x":[[{}]],"_placeholder":true},{"_placeholder":true,"num":0}]`, `["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`},
		{`["e",{"\u005fplaceholder":true,"num":1}]`, `["e",{"_placeholder":true,"num":0}]`},
		{`["e",{"_placeholder":true,"num":2}]`, ""},
		{`["e",{"_placeholder":false,"num":1}]`, ""},
		{`["e",{"_placeholder":"true","num":1}]`, ""},
		{`["e",{"_placeholder":true,"num":1.5}]`, ""},
		{`["e",{"_placeholder":true,"num":"1"}]`, ""},
	} {
		wire, _ := wireText(t, tc.text, one, two)
		d := decoder{}
		if _, err := d.value(wire); err != nil {
			t.Fatal(err)
		}
		want := tc.want
		if want == "" {
			want = tc.text
		}
		if string(d.out) != want {
			t.Errorf("%s: got %s", tc.text, d.out)
		}
	}
	wire, _ := wireText(t, `[{"_placeholder":true,"num":0}]`)
	if bytes.Contains(wire, []byte{0xc4}) {
		t.Error("a placeholder without attachments became binary")
	}
}

// Messages between our own instances carry any event exactly, binary or not.
func TestBroadcastRoundTrip(t *testing.T) {
	deep := strings.Repeat("[", nodeDepth) + strings.Repeat("]", nodeDepth)
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
			c := newCodec(1 << 20)
			first, second, err := c.encodeBroadcast("alice", "/chat", socketio.Payload{JSON: []byte(tc.text), Attachments: tc.attachments}, tc.opts)
			if err != nil || (second != nil) != (tc.messages == 2) {
				t.Fatal(err, len(second))
			}
			if second != nil {
				if _, err := c.decodeBroadcast(second, "bob", "/chat"); !errors.Is(err, errNotForUs) {
					t.Errorf("copy for generation 2: %v", err)
				}
			}
			msg, err := c.decodeBroadcast(first, "bob", "/chat")
			if err != nil {
				t.Fatal(err)
			}
			if got := string(msg.data.JSON); got != strings.TrimSpace(tc.text) {
				t.Errorf("got %.100s", got)
			}
			if tc.messages == 2 || tc.opts != nil && len(tc.attachments) > 0 {
				if len(msg.data.Attachments) != len(tc.attachments) {
					t.Fatalf("%d attachments", len(msg.data.Attachments))
				}
				for i, a := range msg.data.Attachments {
					if !bytes.Equal(a, tc.attachments[i]) {
						t.Errorf("attachment %d: %x", i, a)
					}
				}
			}
			checkOptions(t, msg.opts, tc.opts)
			if _, err := c.decodeBroadcast(first, "alice", "/chat"); !errors.Is(err, errNotForUs) {
				t.Errorf("own message: %v", err)
			}
			if tc.name != "deep" && tc.name != "binary, deep" { // these carry no namespace, the channel tells it
				if _, err := c.decodeBroadcast(first, "bob", "/other"); !errors.Is(err, errNotForUs) {
					t.Errorf("other namespace: %v", err)
				}
			}
			nodes, err := c.encodeForNodes("alice", "/chat", socketio.Payload{JSON: []byte(tc.text), Attachments: tc.attachments}, tc.opts)
			if err != nil || len(nodes) != tc.messages {
				t.Fatal(len(nodes), err)
			}
			for _, m := range nodes {
				if rest, err := msgp.Skip(m); err != nil || len(rest) > 0 {
					t.Errorf("for nodes: %v, %d bytes left", err, len(rest))
				}
				if _, err := c.decodeBroadcast(m, "bob", "/chat"); !errors.Is(err, errNotForUs) {
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
		"empty":                     {"", errEnvelope},
		"text":                      {"hello", errEnvelope},
		"JSON":                      {`["a",{"type":2},{}]`, errEnvelope},
		"the Go library's map":      {"\x83" + str("uid") + str("x"), errEnvelope},
		"too short":                 {"\x92\x01\x02", errEnvelope},
		"huge array":                {"\xdd\xff\xff\xff\xff", msgp.ErrShortBytes},
		"no packet, no raw":         {"\x93" + str("them") + "\xc0\x80", errPacket},
		"packet is a number":        {"\x93" + str("them") + "\x01\x80", errPacket},
		"options are a number":      {strings.TrimSuffix(packet("\x91"+str("e")), "\x80") + "\x01", errOptions},
		"trailing bytes":            {packet("\x91"+str("e")) + "\x00", errTrailing},
		"type 0":                    {strings.Replace(packet("\x91"+str("e")), "type\x02", "type\x00", 1), errPacket},
		"type 1":                    {strings.Replace(packet("\x91"+str("e")), "type\x02", "type\x01", 1), errPacket},
		"no data":                   {"\x93" + str("them") + "\x82" + str("type") + "\x02" + str("nsp") + str("/chat") + "\x80", errPacket},
		"data is no array":          {packet(str("e")), errEvent},
		"data is empty":             {packet("\x90"), errEvent},
		"event is an object":        {packet("\x91\x80"), errEvent},
		"reserved":                  {packet("\x91" + str("disconnect")), errReserved},
		"reserved, raw":             {"\x94" + str("them") + "\xc0\x80" + str(`["conn\u0065ct"]`), errReserved},
		"raw is no JSON":            {"\x94" + str("them") + "\xc0\x80" + str(`["a"`), errRaw},
		"raw placeholder":           {"\x95" + str("them") + "\xc0\x80" + str(`["a",{"_placeholder":true,"num":1}]`) + "\x91\xc4\x01\x00", errStray},
		"raw attachments":           {"\x95" + str("them") + "\xc0\x80" + str(`["a"]`) + "\x01", errRaw},
		"placeholder out of range":  {packet("\x93" + str("e") + "\xc4\x01\x00\x82" + str("_placeholder") + "\xc3" + str("num") + "\x09"), errStray},
		"deep":                      {packet("\x92" + str("e") + strings.Repeat("\x91", wireDepth+1) + "\xc0"), errWireDepth},
		"deep maps":                 {packet("\x92" + str("e") + strings.Repeat("\x81\xa0", wireDepth+1) + "\xc0"), errWireDepth},
		"number for a key":          {packet("\x92" + str("e") + "\x81\x01\x02"), errWireKey},
		"unknown extension":         {packet("\x92" + str("e") + "\xd5\x05\x00\x00"), errWireExt},
		"reserved byte":             {packet("\x92" + str("e") + "\xc1"), msgp.InvalidPrefixError(0xc1)},
		"many attachments":          {packet("\xdc\x01\x01" + str("e") + strings.Repeat("\xc4\x00", 256)), errAttachments},
		"rooms are a number":        {strings.TrimSuffix(packet("\x91"+str("e")), "\x80") + "\x81" + str("rooms") + "\x05", errRooms},
		"rooms of something":        {strings.TrimSuffix(packet("\x91"+str("e")), "\x80") + "\x81" + str("rooms") + "\x91\xc0", errRooms},
		"rooms are another map":     {strings.TrimSuffix(packet("\x91"+str("e")), "\x80") + "\x81" + str("rooms") + "\x81" + str("length") + "\x05", errRooms},
		"other namespace":           {strings.Replace(packet("\x91"+str("e")), "/chat", "/chit", 1), errNotForUs},
		"namespace in an array":     {strings.Replace(packet("\x91"+str("e")), "\xa5/chat", "\x91\xa5/chat", 1), errNotForUs},
		"larger than the limit":     {packet("\x91" + str(strings.Repeat("e", 1<<20))), errTooLarge},
		"fine, options are missing": {strings.TrimSuffix(packet("\x91"+str("e")), "\x80") + "\xd4\x00\x00", nil},
		"fine, more elements":       {"\x95" + packet("\x91" + str("e"))[1:] + "\xc0\x80", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newCodec(1<<20).decodeBroadcast([]byte(tc.message), "me", "/chat")
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// Whatever bytes a string holds, clients get valid UTF-8.
func TestStrayBytes(t *testing.T) {
	for in, want := range map[string]string{
		"\xed\xa0\x80":         `"\ud800"`,
		"a\xed\xbf\xbfb":       `"a\udfffb"`,
		"\xed\xa0\xbd\xed\xb1": `"\ud83d` + "\ufffd\ufffd" + `"`,
		"\xff\xfe":             "\"\ufffd\ufffd\"",
		"\xc3":                 "\"\ufffd\"",
		"\xc0\xaf":             "\"\ufffd\ufffd\"",
		"\x7f":                 "\"\x7f\"",
	} {
		if got := string(appendString(nil, []byte(in))); got != want || !utf8.ValidString(got) {
			t.Errorf("%x: got %s, want %s", in, got, want)
		}
	}
}

func TestNumbersAndDatesLikeJavaScript(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", 1: "1", -1.5: "-1.5", 1e21: "1e+21", 1e-7: "1e-7", 1.5e-10: "1.5e-10", 123e100: "1.23e+102",
		999999999999999900000: "999999999999999900000", 1e-6: "0.000001", math.NaN(): "null", math.Inf(-1): "null", 4.35: "4.35",
	} {
		if got := string(appendNumber(nil, f)); got != want {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
	for ms, want := range map[float64]string{
		0: `"1970-01-01T00:00:00.000Z"`, -62198755200000: `"-000001-01-01T00:00:00.000Z"`, 253402300800000: `"+010000-01-01T00:00:00.000Z"`,
		8.64e15: `"+275760-09-13T00:00:00.000Z"`, 8.64e15 + 1: "null", math.NaN(): "null",
	} {
		if got := string(appendDate(nil, ms)); got != want {
			t.Errorf("%v: got %s, want %s", ms, got, want)
		}
	}
}

// A JSON text either fails in the first pass or can be encoded; texts that fail say where.
func TestScanErrors(t *testing.T) {
	for _, text := range []string{
		"", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{1:1}`, `"`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`,
		"\"\x01\"", "01", "-", "1.", ".5", "1e", "1e+", "+1", "nul", "tru", "falsey", "1 2", "[1}", `{"a":1]`, "NaN", "'a'", "[1 2]", "\ufeff1",
		strings.Repeat("[", maxJSONDepth+1) + strings.Repeat("]", maxJSONDepth+1),
	} {
		var o outline
		if err := o.scan([]byte(text), 0); err == nil {
			t.Errorf("%.20q was accepted", text)
		}
		if len(text) < 100 && json.Valid([]byte(text)) {
			t.Errorf("%q is valid", text)
		}
	}
}

func TestEncodeLimits(t *testing.T) {
	c := newCodec(100)
	if _, _, err := c.encodeBroadcast("u", "/", socketio.Payload{JSON: []byte(`["` + strings.Repeat("x", 80) + `"]`)}, nil); !errors.Is(err, errTooLarge) {
		t.Error(err)
	}
	if _, _, err := c.encodeBroadcast("u", "/", socketio.Payload{JSON: []byte(`["x"`)}, nil); !errors.Is(err, errJSONEnd) {
		t.Error(err)
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"\u00e9",null,{"_placeholder":true,"num":0}],"__proto__":{}}`, `"\ud800"`, ` [ ] `, `-0.0`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var o outline
		err := o.scan(src, 1)
		if valid := json.Valid(src); (err == nil) != valid {
			t.Fatalf("scan says %v, encoding/json %v", err, valid)
		}
		if err != nil || o.depth > nodeDepth {
			return
		}
		e := &encoder{outline: o}
		e.appendJSON(src, [][]byte{{1, 2, 3}})
		d := decoder{}
		rest, err := d.value(e.out)
		if errors.Is(err, errAttachments) {
			return
		}
		if err != nil || len(rest) > 0 {
			t.Fatalf("own encoding of %q: %v, %d bytes left", src, err, len(rest))
		}
		if !json.Valid(d.out) || !utf8.Valid(d.out) {
			t.Fatalf("%q became %q", src, d.out)
		}
		if !e.lossy && utf8.Valid(src) && len(d.attachments) == 0 && !sameJSON(t, src, d.out) {
			t.Fatalf("%q became %q without a warning", src, d.out)
		}
	})
}

// sameJSON compares values, numbers as they are spelled.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var values [2]bytes.Buffer
	for i, text := range [][]byte{a, b} {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		e := json.NewEncoder(&values[i])
		for {
			token, err := d.Token()
			if err != nil {
				break
			}
			if err := e.Encode(token); err != nil {
				if delim, ok := token.(json.Delim); ok {
					values[i].WriteString(delim.String())
				} else {
					t.Fatal(err)
				}
			}
		}
	}
	return bytes.Equal(values[0].Bytes(), values[1].Bytes())
}

func FuzzDecodeBroadcast(f *testing.F) {
	for _, r := range recordings(f) {
		b, err := hex.DecodeString(r.Hex)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	c := newCodec(1 << 16)
	first, second, err := c.encodeBroadcast("u", "/chat", socketio.Payload{JSON: []byte(`["e",1.0,{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{1}}}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(first)
	f.Add(second)
	f.Fuzz(func(t *testing.T, b []byte) {
		msg, err := c.decodeBroadcast(b, "me", "/chat")
		if err != nil {
			return
		}
		if !json.Valid(msg.data.JSON) || !utf8.Valid(msg.data.JSON) {
			t.Fatalf("not valid: %q", msg.data.JSON)
		}
		if msg.opts == nil || msg.opts.Flags == nil {
			t.Fatal("no options")
		}
		// What was received can be sent on, and arrives the same.
		again, _, err := c.encodeBroadcast("you", "/chat", msg.data, msg.opts)
		if errors.Is(err, errTooLarge) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := c.decodeBroadcast(again, "me", "/chat")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(back.data.JSON, msg.data.JSON) || len(back.data.Attachments) > len(msg.data.Attachments) {
			t.Fatalf("%q came back as %q", msg.data.JSON, back.data.JSON)
		}
	})
}

func FuzzDecodeRequest(f *testing.F) {
	for _, r := range recordings(f) {
		if strings.Contains(r.Channel, "-re") {
			f.Add(r.bytes(f))
		}
	}
	c := newCodec(1 << 16)
	f.Fuzz(func(t *testing.T, b []byte) {
		var req request
		if _, err := c.decodeRequest(b, &req); err == nil {
			if _, err := encodeJSON(&req); err != nil {
				t.Fatal(err)
			}
			req.Opts.broadcastOptions()
		}
		var resp response
		_, _ = c.decodeRequest(b, &resp)
		var list []remoteSocket
		if json.Unmarshal(resp.Sockets, &list) == nil {
			for _, s := range list {
				s.details()
			}
		}
	})
}

// Every truncation of every recording is an error, never a panic or a partial event.
func TestTruncations(t *testing.T) {
	c := newCodec(1 << 20)
	for _, r := range recordings(t) {
		b := r.bytes(t)
		if r.Expect == nil || r.Nsp != "" {
			continue
		}
		for n := range b {
			if _, err := c.decodeBroadcast(b[:n], "me", "/chat"); err == nil || errors.Is(err, errNotForUs) {
				t.Errorf("%s %s: %d of %d bytes: %v", r.From, r.Call, n, len(b), err)
			}
		}
	}
}

func TestTimestampExtensions(t *testing.T) {
	ts64 := binary.BigEndian.AppendUint64([]byte{0xd7, 0xff}, 123_000_000<<34|1_700_000_000)
	ts96 := append([]byte{0xc7, 12, 0xff, 0, 0, 0, 0}, binary.BigEndian.AppendUint64(nil, uint64(0xffffffffffffffff))...)
	for _, tc := range []struct {
		wire []byte
		want string
	}{
		{ts64, `"2023-11-14T22:13:20.123Z"`}, {ts96, `"1969-12-31T23:59:59.000Z"`}, {[]byte{0xd6, 0xff, 0, 0, 0, 1}, `"1970-01-01T00:00:01.000Z"`},
		{[]byte{0xd7, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, `"1969-12-31T23:59:59.999Z"`}, {[]byte{0xd4, 0, 0}, "null"},
	} {
		d := decoder{}
		if _, err := d.value(tc.wire); err != nil || string(d.out) != tc.want {
			t.Errorf("%x: got %s, %v, want %s", tc.wire, d.out, err, tc.want)
		}
	}
}
