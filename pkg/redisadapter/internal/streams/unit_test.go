package streams

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"testing"
	"unicode/utf8"

	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

func TestStreamID(t *testing.T) {
	for _, text := range []string{"0-0", "1700000000000-7", "18446744073709551615-18446744073709551615"} {
		if id, err := ParseID(text); err != nil || id.String() != text {
			t.Errorf("%s: %v, %v", text, id, err)
		}
	}
	for _, text := range []string{"", "1", "-", "1-", "-1", "a-1", "1-b", "1-1-1", "18446744073709551616-0"} {
		if id, err := ParseID(text); err == nil {
			t.Errorf("%q: %v", text, id)
		}
	}
	if next := (ID{1, math.MaxUint64}).Next(); next != (ID{2, 0}) {
		t.Error(next)
	}
	if (ID{2, 0}).Compare(ID{1, 9}) <= 0 || (ID{1, 1}).Compare(ID{1, 2}) >= 0 {
		t.Error("order")
	}
}

func TestPosition(t *testing.T) {
	id := func(ms uint64) ID { return ID{Ms: ms} }
	stream := func(first, last uint64, length, added int64) Info {
		return Info{Exists: true, First: id(first), Last: id(last), Length: length, Added: added}
	}
	for _, tc := range []struct {
		name string
		at   Position
		info Info
		gap  error
		lost int64
		to   Position
	}{
		{"nothing there, nothing read", Position{}, Info{}, nil, 0, Position{}},
		{"nothing new", Position{Id: id(9), Index: 9}, stream(1, 9, 9, 9), nil, 0, Position{Id: id(9), Index: 9}},
		{"something new", Position{Id: id(9), Index: 9}, stream(1, 12, 12, 12), nil, 0, Position{Id: id(9), Index: 9}},
		{"all that is left is new, nothing lost", Position{Id: id(9), Index: 9}, stream(10, 12, 3, 12), nil, 0, Position{Id: id(9), Index: 9}},
		{"trimmed beyond", Position{Id: id(9), Index: 9}, stream(13, 15, 3, 15), errStreamTrimmed, 3, Position{Id: id(9), Index: 12}},
		{"trimmed to nothing", Position{Id: id(9), Index: 9}, stream(0, 15, 0, 15), errStreamTrimmed, 6, Position{Id: id(9), Index: 15}},
		{"gone", Position{Id: id(9), Index: 9}, Info{}, errStreamGone, 0, Position{}},
		{"made anew, later ids", Position{Id: id(9), Index: 9}, stream(20, 21, 2, 2), errStreamNew, 0, Position{Id: id(9), Index: -1}},
		{"made anew, later ids, as many entries", Position{Id: id(9), Index: 9}, stream(20, 28, 9, 9), errStreamNew, 0, Position{Id: id(9), Index: -1}},
		{"made anew, later ids, more entries, some trimmed", Position{Id: id(9), Index: 9}, stream(20, 28, 9, 17), errStreamNew, 0, Position{Id: id(9), Index: -1}},
		{"the entry read last was deleted", Position{Id: id(9), Index: 9}, stream(1, 12, 11, 12), nil, 0, Position{Id: id(9), Index: 9}},
		{"made anew, earlier ids", Position{Id: id(9), Index: 9}, stream(3, 4, 2, 2), errStreamBack, 0, Position{Index: -1}},
		{"older data", Position{Id: id(9), Index: 9, recent: []ID{id(7), id(8), id(9)}}, stream(1, 8, 8, 8), errStreamBack, 0, Position{Id: id(8), Index: 8}},
		{"goes on behind what was read last", Position{Id: id(9), Index: 9, recent: []ID{id(8), id(9)}}, stream(1, 12, 11, 11), errStreamForked, 0, Position{Id: id(9), Index: -1}},
		{"the end when it began, which is not there", Position{Id: id(9), Index: 9}, stream(1, 12, 11, 11), nil, 0, Position{Id: id(9), Index: 9}},
		{"no counts, still there", Position{Id: id(9), Index: -1}, stream(1, 12, 12, -1), nil, 0, Position{Id: id(9), Index: -1}},
		{"no counts, no longer there", Position{Id: id(9), Index: -1}, stream(10, 12, 3, -1), errStreamTrimmed, 0, Position{Id: id(9), Index: -1}},
		{"from a time before the first", Position{Id: id(9), Index: -1}, stream(10, 12, 3, 3), nil, 0, Position{Id: id(9), Index: -1}},
	} {
		p := tc.at
		lost, gap := p.Check(tc.info)
		if p.recent = nil; lost != tc.lost || !errors.Is(gap, tc.gap) || fmt.Sprint(p) != fmt.Sprint(tc.to) {
			t.Errorf("%s: %+v, lost %d, %v", tc.name, p, lost, gap)
		}
	}
	p := Position{Id: id(9), Index: 9, recent: []ID{id(9)}}
	if _, gap := p.Check(stream(1, 12, 11, 11)); gap == nil {
		t.Error("not noticed")
	}
	if _, gap := p.Check(stream(1, 12, 11, 11)); gap != nil {
		t.Errorf("told twice: %v", gap)
	}
	p = Position{}
	for i := range uint64(3 * recentIDs) {
		p.Advance(id(i))
	}
	if p.Index != 3*recentIDs || p.wasRead(id(2*recentIDs-1)) || !p.wasRead(id(2*recentIDs)) || !p.wasRead(p.Id) {
		t.Errorf("%d, %v", p.Index, p.Id)
	}
	p = Position{Id: id(12), Index: -1}
	if p.CaughtUp(stream(10, 12, 3, 300)); p.Index != 300 {
		t.Error(p.Index)
	}
}

// Whatever an entry says, it is read into valid data or refused.
func FuzzDecodeEntry(f *testing.F) {
	ok := `{"packet":{"type":2,"data":["msg",1],"nsp":"/chat"},"opts":{"rooms":[],"except":[],"flags":{}}}`
	f.Add("3", ok, "", "")
	f.Add("4", `{"opts":{"rooms":["a"],"except":[]},"rooms":["b"]}`, "", "")
	f.Add("3", "gqZwYWNrZXSC", "", "")
	f.Add("3", "", ok, "kA==")
	f.Fuzz(func(t *testing.T, typ, data, text, atts string) {
		payload, err := decodeEntry(wire.NewCodec(1<<20, 255), &wire.Entry{Typ: typ, Data: data, Json: text, Atts: atts})
		if err != nil {
			return
		}
		if !utf8.Valid(payload.JSON) {
			t.Errorf("%q", payload.JSON)
		}
		m := cluster.Message{Type: 3, UID: "you", Nsp: "/chat", Data: payload}
		if r, err := m.Received("me", "/chat", nil); err == nil && r.Broadcast != nil {
			if _, err := r.Broadcast.Data.Elements(); err != nil {
				t.Errorf("%q: %v", r.Broadcast.Data.JSON, err)
			}
		}
	})
}

// What is encoded comes back as it was.
func TestEntryRoundTrip(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	for _, p := range []socketio.Payload{
		{JSON: []byte(`{"a":1.0}`)},
		{JSON: []byte(`{"a":[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0},-0]}`), Attachments: [][]byte{{1}, {2, 3}}},
		{JSON: []byte(`{"a":{"_placeholder":true,"num":0}}`), Attachments: [][]byte{{}}},
		{JSON: []byte(`{"_placeholder":true,"num":0,"x":1}`)},
	} {
		var e wire.Entry
		if err := EncodeEntry(c, &e, p); err != nil {
			t.Fatal(err)
		}
		got, err := decodeEntry(wire.NewCodec(1<<20, 255), &e)
		if err != nil || string(got.JSON) != string(p.JSON) || fmt.Sprint(got.Attachments) != fmt.Sprint(p.Attachments) {
			t.Errorf("%s, %v came back as %s, %v, %v", p.JSON, p.Attachments, got.JSON, got.Attachments, err)
		}
	}
	var e wire.Entry
	if err := EncodeEntry(c, &e, socketio.Payload{JSON: make([]byte, 2<<20)}); !errors.Is(err, wire.ErrTooLarge) {
		t.Error(err)
	}
}

// Redis has forgotten an entry if nothing else explains that it is not there.
func TestForgot(t *testing.T) {
	id := func(ms uint64) ID { return ID{Ms: ms} }
	for _, tc := range []struct {
		name string
		info Info
		want bool
	}{
		{"there", Info{Exists: true, First: id(1), Last: id(9), Length: 9, Added: 9, Holds: true}, false},
		{"no stream", Info{}, true},
		{"the stream ends before it", Info{Exists: true, First: id(1), Last: id(4), Length: 4, Added: 4}, true},
		{"the stream goes on behind it", Info{Exists: true, First: id(1), Last: id(9), Length: 8, Added: 8}, true},
		{"trimmed", Info{Exists: true, First: id(7), Last: id(9), Length: 3, Added: 9}, false},
		{"the stream was made anew", Info{Exists: true, First: id(7), Last: id(9), Length: 3, Added: 3}, true},
		{"deleted, or this Redis does not count", Info{Exists: true, First: id(1), Last: id(9), Length: 8, Added: -1}, false},
	} {
		if got := tc.info.Forgot(id(5)); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	if (Info{}).Forgot(ID{}) {
		t.Error("nothing was written, and forgotten")
	}
}

func TestForgottenRoundTrip(t *testing.T) {
	latest := ID{17, 3}
	if got, ok := ReadForgotten(Forgotten("me", latest)); !ok || got != latest {
		t.Error(got, ok)
	}
	for _, e := range []*wire.Entry{
		{Nsp: forgottenNsp, Typ: forgottenType, Data: "17-3"}, // Node could have seen it
		{Nsp: forgottenNsp, Hidden: true, Typ: "3", Data: "17-3"},
		{Nsp: forgottenNsp, Hidden: true, Typ: forgottenType, Data: "x"},
		{Nsp: "/chat", Hidden: true, Typ: forgottenType, Data: "17-3"},
	} {
		if _, ok := ReadForgotten(e); ok {
			t.Errorf("%+v", e)
		}
	}
}

// The type of an entry, and binary data, are read as Node reads them.
func TestEntriesOfOthers(t *testing.T) {
	for text, want := range map[string]string{"3": "3", "3.0": "3", " 3": "3", "3e0": "3", "": "", "x": "", "-3": ""} {
		if got := leadingDigits(text); got != want {
			t.Errorf("type %q is read as %q, want %q", text, got, want)
		}
	}
	packed := []byte{0x81, 0xa1, 'a', 0xc4, 0x03, 0xfb, 0xff, 0xfe}
	for _, text := range []string{
		base64.StdEncoding.EncodeToString(packed), base64.RawStdEncoding.EncodeToString(packed), base64.URLEncoding.EncodeToString(packed),
		base64.RawURLEncoding.EncodeToString(packed), base64.StdEncoding.EncodeToString(packed)[:4] + "\r\n" + base64.StdEncoding.EncodeToString(packed)[4:] + "\n",
	} {
		data, err := entryData(&wire.Entry{Data: text})
		if err != nil || string(data.Attachments[0]) != "\xfb\xff\xfe" {
			t.Errorf("%q: %s, %v", text, data.JSON, err)
		}
	}
}
