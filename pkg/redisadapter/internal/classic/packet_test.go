package classic

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// The type of a packet in all forms that numbers have. Node hands on a "2" as it is; a "5" it counts attachments for.
func TestReadType(t *testing.T) {
	for _, tc := range []struct {
		value any
		want  int
	}{
		{2, 2}, {5, 5}, {wide(2), 2}, {unsigned(5), 5}, {packed("\xcc\x02"), 2}, {packed("\xd0\x05"), 5}, {2.0, 2}, {5.0, 5}, {f32(2), 2}, {"2", 2}, {bin("2"), 2},
		{"5", 0}, {bin("5"), 0}, {2.5, 0}, {nan, 0}, {"", 0}, {"two", 0}, {nil, 0}, {true, 0}, {list{2}, 0}, {pairs{}, 0}, {undef{}, 0}, {packed(""), 0},
		{packed("\xcb\x40"), 0}, {-1, -1}, {127, 127}, {" 2", 0},
	} {
		if got := readType([]byte(pack(tc.value))); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.value, got, tc.want)
		}
	}
}

// The namespace of a packet; undefined is the default one.
func TestReadNamespace(t *testing.T) {
	for _, tc := range []struct {
		value any
		want  string
		ok    bool
	}{
		{"/chat", "/chat", true}, {str32("/chat"), "/chat", true}, {bin("/chat"), "/chat", true}, {"", "", true}, {undef{}, "/", true},
		{nil, "", false}, {7, "", false}, {list{"/chat"}, "", false}, {true, "", false}, {packed("\xa5/cha"), "", false}, {packed("\xc4\x05/cha"), "", false},
	} {
		if got, ok := readNamespace([]byte(pack(tc.value))); ok != tc.ok || ok && string(got) != tc.want {
			t.Errorf("%v: %q, %v", tc.value, got, ok)
		}
	}
}

// Packets with members in any order, too many or too few of them.
func TestReadPacket(t *testing.T) {
	data := list{"e"}
	for _, tc := range []struct {
		name   string
		packet any
		nsp    string
		err    error
	}{
		{"as Node writes it", pairs{"type", 2, "data", data, "nsp", "/chat"}, "/chat", nil},
		{"in another order", pairs{"nsp", "/chat", "data", data, "type", 5}, "/chat", nil},
		{"an id that is not set", pairs{"type", 2, "data", data, "id", nil, "nsp", "/chat"}, "/chat", nil},
		{"options of the emitter's", pairs{"type", 2, "options", pairs{"compress", true}, "data", data, "nsp", "/chat"}, "/chat", nil},
		{"names of other kinds", pairs{0, 1, nil, 2, "type", 2, "data", data, "nsp", "/chat"}, "/chat", nil},
		{"without namespace", pairs{"type", 2, "data", data}, "/", nil},
		{"the later one of two counts", pairs{"type", 0, "type", 2, "data", data, "nsp", "/x", "nsp", "/chat"}, "/chat", nil},
		{"without namespace, elsewhere", pairs{"type", 2, "data", data}, "/chat", wire.ErrNotForUs},
		{"for another", pairs{"type", 2, "data", data, "nsp", "/chat2"}, "/chat", wire.ErrNotForUs},
		{"for one in capitals", pairs{"type", 2, "data", data, "nsp", "/Chat"}, "/chat", wire.ErrNotForUs},
		{"without type", pairs{"data", data, "nsp", "/chat"}, "/chat", wire.ErrPacket},
		{"an acknowledgement", pairs{"type", 3, "data", data, "nsp", "/chat"}, "/chat", wire.ErrPacket},
		{"a binary one", pairs{"type", 6, "data", data, "nsp", "/chat"}, "/chat", wire.ErrPacket},
		{"without data", pairs{"type", 2, "nsp", "/chat"}, "/chat", wire.ErrPacket},
		{"empty", pairs{}, "/", wire.ErrPacket},
		{"a list", list{2, data}, "/", wire.ErrPacket},
		{"a text", "packet", "/", wire.ErrPacket},
	} {
		b := []byte(pack(tc.packet))
		got, rest, err := readPacket(b, tc.nsp)
		if !errors.Is(err, tc.err) || err == nil && (string(got) != string(pack(data)) || len(rest) > 0) {
			t.Errorf("%s: %q, %v, want %v", tc.name, got, err, tc.err)
		}
		for n := range b {
			if _, _, err := readPacket(b[:n], tc.nsp); err == nil {
				t.Errorf("%s: %d of %d bytes are read", tc.name, n, len(b))
			}
		}
	}
	for _, absent := range []any{nil, undef{}} {
		if data, rest, err := readPacket([]byte(pack(absent)+"x"), "/"); data != nil || string(rest) != "x" || err != nil {
			t.Errorf("%v: %q, %q, %v", absent, data, rest, err)
		}
	}
}

// The text that ours carry beside what Node reads, and its binary values.
func TestReadRaw(t *testing.T) {
	one := `["e",{"_placeholder":true,"num":0}]`
	for _, tc := range []struct {
		name        string
		text, atts  any
		attachments int
		err         error
	}{
		{"text", ` ["e", 1.0] `, nil, 0, nil},
		{"half a pair", `["e","\ud800"]`, nil, 0, nil},
		{"binary", one, list{bin("a")}, 1, nil},
		{"binary that nobody refers to", `["e"]`, list{bin("a"), bin("")}, 2, nil},
		{"without binary nothing is a placeholder", one, nil, 0, nil},
		{"no text", 7, nil, 0, msgp.TypeError{}},
		{"not all of the text", `["e"`, nil, 0, wire.ErrRaw},
		{"nothing", ``, nil, 0, wire.ErrRaw},
		{"two values", `["e"]["f"]`, nil, 0, wire.ErrRaw},
		{"deeper than anybody goes", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), nil, 0, wire.ErrRaw},
		{"binary is no list", one, bin("a"), 0, wire.ErrRaw},
		{"a text among the binary", one, list{"a"}, 0, wire.ErrRaw},
		{"too many", `["e"]`, packed("\xdc\x01\x00"), 0, msgpack.ErrAttachments},
		{"a placeholder too many", `["e",{"_placeholder":true,"num":1}]`, list{bin("a")}, 0, wire.ErrStray},
	} {
		b := pack(tc.text)
		if tc.atts != nil {
			b += pack(tc.atts)
		}
		data, rest, err := readRaw([]byte(b), tc.atts != nil)
		if _, badType := tc.err.(msgp.TypeError); badType {
			if err == nil {
				t.Errorf("%s: %q", tc.name, data.JSON)
			}
			continue
		}
		if !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.err)
		}
		if err == nil && (len(rest) > 0 || string(data.JSON) != strings.TrimSpace(tc.text.(string)) || len(data.Attachments) != tc.attachments) {
			t.Errorf("%s: %s, %q", tc.name, data.JSON, data.Attachments)
		}
	}
}

// Each kind of message that we write, cut off anywhere, is refused as a whole.
func TestTruncatedMessagesOfOurs(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	deep := strings.Repeat("[", wire.NodeDepth+1) + strings.Repeat("]", wire.NodeDepth+1)
	for name, data := range map[string]socketio.Payload{
		"text": {JSON: []byte(`["e",{"a":[1,null]}]`)}, "lossy": {JSON: []byte(`["e",1.0]`)}, "deep": {JSON: []byte(`["e",` + deep + `]`)},
		"binary":       {JSON: []byte(`["e",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{[]byte("bytes")}},
		"lossy binary": {JSON: []byte(`["e",1.0,{"_placeholder":true,"num":0}]`), Attachments: [][]byte{[]byte("bytes")}},
	} {
		b, _, err := EncodeBroadcast(c, "you", "/chat", data, nil)
		if err != nil {
			t.Fatal(err)
		}
		b = Numbered(b, 300)
		for n := range b {
			if n > 200 && n < len(b)-200 {
				continue // the middle of the deep one
			}
			if msg, err := DecodeBroadcast(c, b[:n], "me", "/chat", nil); err == nil || errors.Is(err, wire.ErrNotForUs) {
				t.Errorf("%s: %d of %d bytes are %s, %v", name, n, len(b), msg.Data.JSON, err)
			}
		}
	}
}

// A number goes along with a broadcast without anything else in it changing.
func TestNumbered(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		data := socketio.Payload{JSON: fmt.Appendf(nil, `["e",%d,%q]`, r.IntN(1000), strings.Repeat("x", r.IntN(100)))}
		if r.IntN(2) == 0 {
			data.JSON = append(data.JSON[:len(data.JSON)-1], `,1.0]`...)
		}
		m, _, err := EncodeBroadcast(c, "you", "/chat", data, randomOptions(r))
		if err != nil {
			t.Fatal(err)
		}
		before := bytes.Clone(m)
		number := r.Uint64() >> r.IntN(64)
		got := Numbered(m, number)
		plain, err := DecodeBroadcast(c, m, "me", "/chat", nil)
		if err != nil || plain.Number != 0 || !bytes.Equal(m, before) {
			t.Fatalf("seed %d: number %d without one, %v", seed, plain.Number, err)
		}
		msg, err := DecodeBroadcast(c, got, "me", "/chat", nil)
		if err != nil || msg.Number != number || msg.From != "you" || string(msg.Data.JSON) != string(data.JSON) {
			t.Fatalf("seed %d: number %d of %q is %d, %s, %v", seed, number, msg.From, msg.Number, msg.Data.JSON, err)
		}
		if fmt.Sprint(names(msg.Opts.Rooms), names(msg.Opts.Except)) != fmt.Sprint(names(plain.Opts.Rooms), names(plain.Opts.Except)) {
			t.Fatalf("seed %d: other options", seed)
		}
	}
}

// A message of another shape than ours gets no number, and is not damaged.
func TestNumberedLeavesOthersAlone(t *testing.T) {
	packet := pairs{"type", 2, "data", list{"e"}, "nsp", "/"}
	for _, m := range []packed{
		pack(list{"you", packet, pairs{"rooms", list{}}}),
		pack(list{"you", packet, list{}}),
		pack(list{"you", packet, nil}),
		pack(list{"you", packet, pairs{"a", 1, "b", 2, "c", 3, "d", 4}}),
	} {
		if got := Numbered(wire.Message(m), 7); string(got) != string(m) {
			t.Errorf("%q became %q", m, got)
		}
	}
	if m := pack(list{"you", packet, pairs{"a", 1, "b", 2, "c", 3}}); string(Numbered(wire.Message(m), 0)) != string(m) {
		t.Error("no number changes the message")
	}
}

// What the library's parser is told of a message before it is read.
func TestEnvelopeOf(t *testing.T) {
	for _, tc := range []struct {
		message  any
		uid, nsp string
		fails    bool
	}{
		{list{"u", pairs{"type", 2, "nsp", "/chat"}, pairs{}}, "u", "/chat", false},
		{list{"u", pairs{"type", 2}, pairs{}}, "u", "/", false},
		{list{"u", pairs{"data", list{pairs{"nsp", "/x"}}, "nsp", "/chat", "id", nil}, pairs{}, "raw"}, "u", "/chat", false},
		{list{"u", pairs{}}, "", "", true},
		{list{7, pairs{}, pairs{}}, "", "", true},
		{list{"u", list{}, pairs{}}, "", "", true},
		{list{"u", nil, pairs{}}, "", "", true},
		{list{"u", pairs{7, 7}, pairs{}}, "", "", true},
		{list{"u", pairs{"nsp", 7}, pairs{}}, "", "", true},
		{list{"u", pairs{"type", packed("\xc1")}, pairs{}}, "", "", true},
		{pairs{}, "", "", true},
		{"text", "", "", true},
	} {
		uid, nsp, err := EnvelopeOf([]byte(pack(tc.message)))
		if (err != nil) != tc.fails || err == nil && (uid != tc.uid || nsp != tc.nsp) {
			t.Errorf("%v: %q, %q, %v", tc.message, uid, nsp, err)
		}
	}
}

// The sender may be anything to Node; only a string can be one of us.
func TestSendersOfAllKinds(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	for _, uid := range []any{"you", "", nil, 7, bin("me"), list{"me"}, undef{}} {
		m := pack(list{uid, pairs{"type", 2, "data", list{"e"}, "nsp", "/"}, pairs{}})
		msg, err := DecodeBroadcast(c, []byte(m), "me", "/", nil)
		if from, _ := uid.(string); err != nil || msg.From != from || string(msg.Data.JSON) != `["e"]` {
			t.Errorf("from %v: %q, %s, %v", uid, msg.From, msg.Data.JSON, err)
		}
	}
	m := pack(list{"you", pairs{"type", 2, "data", list{"e"}, "nsp", "/"}}) // without options, as Node 5.4 takes it
	if msg, err := DecodeBroadcast(c, []byte(m), "me", "/", nil); err != nil || wire.HasRooms(msg.Opts) {
		t.Errorf("without options: %+v, %v", msg.Opts, err)
	}
	if _, err := DecodeBroadcast(c, []byte(pack(list{packed("\xc1"), nil, nil})), "me", "/", nil); err == nil {
		t.Error("a sender that is no value")
	}
}
