package streams

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Entries as others may write them.
func TestReadEntry(t *testing.T) {
	fine := map[string]any{"uid": "u", "nsp": "/", "type": "3", "data": "{}"}
	with := func(name string, value any) map[string]any {
		m := maps.Clone(fine)
		m[name] = value
		return m
	}
	without := func(name string) map[string]any {
		m := maps.Clone(fine)
		delete(m, name)
		return m
	}
	for _, tc := range []struct {
		name   string
		fields map[string]any
		want   wire.Entry
		stamp  string
		err    error
	}{
		{"Node's", fine, wire.Entry{Uid: "u", Nsp: "/", Typ: "3", Data: "{}"}, "", nil},
		{"stamped", with("seq", "hub:7"), wire.Entry{Uid: "u", Nsp: "/", Typ: "3", Data: "{}"}, "hub:7", nil},
		{"hidden", map[string]any{"uid": "u", "for": "/", "type": "3"}, wire.Entry{Uid: "u", Nsp: "/", Typ: "3", Hidden: true}, "", nil},
		{"with both names", with("for", "/x"), wire.Entry{Uid: "u", Nsp: "/", Typ: "3", Data: "{}"}, "", nil},
		{"fields of the future", with("more", "x"), wire.Entry{Uid: "u", Nsp: "/", Typ: "3", Data: "{}"}, "", nil},
		{"without sender", without("uid"), wire.Entry{Nsp: "/", Typ: "3", Data: "{}"}, "", nil},
		{"without namespace", without("nsp"), wire.Entry{}, "", errEntry},
		{"without type", without("type"), wire.Entry{}, "", errEntry},
		{"a namespace that is no text", with("nsp", 7), wire.Entry{}, "", errEntry},
		{"somebody else's", map[string]any{"temperature": "7"}, wire.Entry{}, "", errEntry},
		{"nothing", nil, wire.Entry{}, "", errEntry},
	} {
		e, stamp, err := ReadEntry(tc.fields)
		if !errors.Is(err, tc.err) || err == nil && (*e != tc.want || stamp != tc.stamp) {
			t.Errorf("%s: %+v, %q, %v", tc.name, e, stamp, err)
		}
		if e == nil {
			t.Errorf("%s: nothing to tell the size of", tc.name)
		}
	}
}

// What may stand in the fields of an entry, and what of it is refused.
func TestDecodeEntry(t *testing.T) {
	_, you := instances()
	b64 := func(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
	event := `{"packet":{"type":2,"data":["e"]},"opts":{"rooms":[],"except":[],"flags":{}}}`
	packed := msgp.AppendMapHeader(nil, 2)
	packed = msgp.AppendMapHeader(msgp.AppendString(packed, "packet"), 2)
	packed = msgp.AppendInt(msgp.AppendString(packed, "type"), 2)
	packed = msgp.AppendBytes(msgp.AppendString(msgp.AppendArrayHeader(msgp.AppendString(packed, "data"), 2), "e"), []byte("b"))
	packed = msgp.AppendMapHeader(msgp.AppendString(packed, "opts"), 0)
	one := b64(msgp.AppendBytes(msgp.AppendArrayHeader(nil, 1), []byte("a")))
	placeholder := `{"packet":{"type":2,"data":["e",{"_placeholder":true,"num":%d}]},"opts":{}}`
	for _, tc := range []struct {
		name string
		e    wire.Entry
		want string // the event
		err  error
	}{
		{"JSON", wire.Entry{Typ: "3", Data: event}, `["e"]`, nil},
		{"MessagePack", wire.Entry{Typ: "3", Data: b64(packed)}, `["e",{"_placeholder":true,"num":0}]`, nil},
		{"JSON beside MessagePack counts", wire.Entry{Typ: "3", Data: b64(packed), Json: fmt.Sprintf(placeholder, 0), Atts: one}, `["e",{"_placeholder":true,"num":0}]`, nil},
		{"no type", wire.Entry{Typ: "three", Data: event}, "", errEntry},
		{"a type with a fraction", wire.Entry{Typ: "3.0", Data: event}, `["e"]`, nil},
		{"no data", wire.Entry{Typ: "3"}, "", errAny},
		{"damaged JSON", wire.Entry{Typ: "3", Data: event[:20]}, "", errAny},
		{"JSON that is no object", wire.Entry{Typ: "3", Data: `["e"]`}, "", errEntryData},
		{"no base64", wire.Entry{Typ: "3", Data: "%%%"}, "", errEntryData},
		{"base64 without its end", wire.Entry{Typ: "3", Data: b64(packed)[:17]}, "", errEntryData},
		{"base64 of something else", wire.Entry{Typ: "3", Data: b64([]byte("\xc1"))}, "", errAny},
		{"base64 of half a message", wire.Entry{Typ: "3", Data: b64(packed[:20])}, "", errAny},
		{"base64 of more than a message", wire.Entry{Typ: "3", Data: b64(append(slices.Clone(packed), 0xc0))}, "", wire.ErrTrailing},
		{"deeper than may be", wire.Entry{Typ: "3", Data: b64([]byte(strings.Repeat("\x91", msgpack.WireDepth+2)))}, "", msgpack.ErrDepth},
		{"damaged JSON beside", wire.Entry{Typ: "3", Json: event[:20], Atts: one}, "", wire.ErrRaw},
		{"JSON without its binary", wire.Entry{Typ: "3", Json: event}, "", wire.ErrRaw},
		{"binary that is no base64", wire.Entry{Typ: "3", Json: event, Atts: "%%%"}, "", wire.ErrRaw},
		{"binary that is none", wire.Entry{Typ: "3", Json: event, Atts: b64([]byte("\x91\xa1a"))}, "", wire.ErrRaw},
		{"a placeholder too many", wire.Entry{Typ: "3", Json: fmt.Sprintf(placeholder, 1), Atts: one}, "", wire.ErrStray},
		{"more binary than taken", wire.Entry{Typ: "3", Json: event, Atts: b64(append([]byte{0x9b}, []byte(strings.Repeat("\xc4\x00", 11))...))}, "", errAny},
	} {
		tc.e.Uid, tc.e.Nsp = "me", "/chat"
		r, err := you.DecodeEntry(&tc.e, nil)
		if tc.err == errAny && err == nil || tc.err != errAny && !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.err)
		}
		if err == nil && string(r.Broadcast.Data.JSON) != tc.want {
			t.Errorf("%s: %s", tc.name, r.Broadcast.Data.JSON)
		}
	}
}

// errAny stands for an error of another package.
var errAny = errors.New("any error")
