package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"socketio-chat/pkg/jsonscan"
	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/socketio"
)

// placeholder is where a binary value was.
func placeholder(n int) string { return fmt.Sprintf(`{"_placeholder":true,"num":%d}`, n) }

// payload is text with binary values.
func payload(text string, attachments ...string) socketio.Payload {
	p := socketio.Payload{JSON: []byte(text)}
	for _, a := range attachments {
		p.Attachments = append(p.Attachments, []byte(a))
	}
	return p
}

// What may be encoded at all, before a byte is copied.
func TestOutline(t *testing.T) {
	for name, tc := range map[string]struct {
		data socketio.Payload
		want error
	}{
		"an event":                           {payload(`["e",1]`), nil},
		"as large as the limit":              {payload(`["` + strings.Repeat("x", 96) + `"]`), nil},
		"larger":                             {payload(`["` + strings.Repeat("x", 97) + `"]`), ErrTooLarge},
		"larger by its binary":               {payload(`["e",`+placeholder(0)+`]`, strings.Repeat("x", 80)), ErrTooLarge},
		"as many binary values as allowed":   {payload(`[`+placeholder(1)+`,`+placeholder(0)+`]`, "a", "b"), nil},
		"more":                               {payload(`["e"]`, "a", "b", "c"), errTooMany},
		"a binary value nobody refers to":    {payload(`["e"]`, "a"), nil},
		"one that is named twice":            {payload(`[`+placeholder(0)+`,`+placeholder(0)+`]`, "a"), ErrNamedTwice},
		"a placeholder without binary":       {payload(`["e",` + placeholder(0) + `]`), nil},
		"no JSON":                            {payload(`["e"`), jsonscan.ErrEnd},
		"nothing":                            {payload(``), jsonscan.ErrEnd},
		"deeper than any codec goes":         {payload(strings.Repeat("[", 40) + strings.Repeat("]", 40)), nil},
		"two values":                         {payload(`[] []`), jsonscan.ErrAt(3)},
		"an object in the place of an event": {payload(`{"e":1}`), nil}, // the outline does not look at what it says
	} {
		c := NewCodec(100, 2)
		e := &Encoder{}
		if err := c.Outline(e, tc.data); !errors.Is(err, tc.want) && (err == nil || tc.want == nil || !strings.Contains(err.Error(), tc.want.Error())) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

// A codec of another limit counts for itself, and says which setting is to be changed.
func TestCountAttachments(t *testing.T) {
	p := payload(`["e"]`, "a", "b", "c")
	if err := NewCodec(100, 3).CountAttachments(p); err != nil {
		t.Error(err)
	}
	err := NewCodec(100, 2).CountAttachments(p)
	if err == nil || !strings.Contains(err.Error(), "3 of at most 2 (MAX_ATTACHMENTS)") {
		t.Errorf("got %v", err)
	}
}

// Clients close the connection over an event that they cannot read.
func TestCheckEvent(t *testing.T) {
	for text, want := range map[string]error{
		`["e"]`:                    nil,
		` [ "e" , {} ]`:            nil,
		`["",null]`:                nil,
		`[1,2]`:                    nil, // socket.io-parser takes numbers
		`[-1]`:                     nil,
		`[]`:                       ErrEvent,
		`[null]`:                   ErrEvent,
		`[true]`:                   ErrEvent,
		`[["e"]]`:                  ErrEvent,
		`[{"e":1}]`:                ErrEvent,
		`{"0":"e"}`:                ErrEvent,
		`"e"`:                      ErrEvent,
		`null`:                     ErrEvent,
		`7`:                        ErrEvent,
		`["connect"]`:              ErrReserved,
		`["connect_error",{}]`:     ErrReserved,
		`["disconnect"]`:           ErrReserved,
		`["disconnecting"]`:        ErrReserved,
		`["newListener"]`:          ErrReserved,
		`["removeListener"]`:       ErrReserved,
		`["\u0064isconnect"]`:      ErrReserved,
		`[ "disconnec\u0074" , 1]`: ErrReserved,
		`["Disconnect"]`:           nil,
		`["disconnect "]`:          nil,
		`["disconnect\u0000"]`:     nil,
		`["error"]`:                nil,
		`["\ud800"]`:               nil,
	} {
		if err := CheckEvent([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", text, err, want)
		}
	}
}

// Without binary values nothing is a placeholder; with some, everything that looks like one must be one.
func TestCheckPlaceholders(t *testing.T) {
	for _, tc := range []struct {
		text        string
		attachments int
		want        error
	}{
		{`["e",` + placeholder(0) + `]`, 0, nil},
		{`["e",` + placeholder(0) + `]`, 1, nil},
		{`["e",` + placeholder(1) + `,` + placeholder(0) + `]`, 2, nil},
		{`["e"]`, 1, nil},
		{`["e",` + placeholder(1) + `]`, 1, ErrStray},
		{`["e",{"a":[` + placeholder(7) + `]}]`, 1, ErrStray},
		{`["e",{"_placeholder":true}]`, 1, ErrStray},
		{`["e",{"_placeholder":true,"num":"0"}]`, 1, ErrStray},
		{`["e",{"_placeholder":true,"num":-1}]`, 1, ErrStray},
		{`["e",{"_placeholder":false,"num":7}]`, 1, nil},
		{`["e",{"_placeholder":1,"num":7}]`, 1, nil},
		{`["e",{"num":7}]`, 1, nil},
		{`["e"`, 1, jsonscan.ErrEnd},
	} {
		if err := CheckPlaceholders([]byte(tc.text), tc.attachments); !errors.Is(err, tc.want) {
			t.Errorf("%s with %d: got %v, want %v", tc.text, tc.attachments, err, tc.want)
		}
	}
}

// attachmentList is an array of binary values as MessagePack.
func attachmentList(list ...string) []byte {
	b := msgp.AppendArrayHeader(nil, uint32(len(list)))
	for _, a := range list {
		b = msgp.AppendBytes(b, []byte(a))
	}
	return b
}

// An array of binary values is read whole, or not at all, and keeps nothing of the message it came in.
func TestReadAttachments(t *testing.T) {
	whole := attachmentList("", "a", strings.Repeat("x", 300))
	b := append([]byte(nil), whole...)
	list, rest, err := ReadAttachments(append(b, "more"...))
	if err != nil || string(rest) != "more" || len(list) != 3 || string(list[1]) != "a" || len(list[2]) != 300 {
		t.Fatalf("%d values, %q left, %v", len(list), rest, err)
	}
	clear(b)
	if string(list[1]) != "a" {
		t.Error("a value shares its bytes with the message")
	}
	for n := range whole {
		if _, _, err := ReadAttachments(whole[:n]); !errors.Is(err, ErrRaw) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	for name, tc := range map[string]struct {
		b    []byte
		want error
	}{
		"a text":             {msgp.AppendString(nil, "a"), ErrRaw},
		"nil":                {msgp.AppendNil(nil), ErrRaw},
		"a text among them":  {msgp.AppendString(msgp.AppendArrayHeader(nil, 1), "a"), ErrRaw},
		"a number":           {msgp.AppendInt(msgp.AppendArrayHeader(nil, 1), 1), ErrRaw},
		"more than there is": {msgp.AppendArrayHeader(nil, 1<<31), msgpack.ErrAttachments},
		"more than may be":   {attachmentList(make([]string, msgpack.MaxAttachments+1)...), msgpack.ErrAttachments},
		"as many as may be":  {attachmentList(make([]string, msgpack.MaxAttachments)...), nil},
	} {
		if _, _, err := ReadAttachments(tc.b); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

// Where a form has no room for binary, it goes as JSON.stringify writes a Buffer.
func TestInlineBinary(t *testing.T) {
	for _, tc := range []struct {
		data socketio.Payload
		want string
	}{
		{payload(`["e", 1.0]`), `["e", 1.0]`},
		{payload(`["e",` + placeholder(0) + `]`), `["e",` + placeholder(0) + `]`},
		{payload(`["e",`+placeholder(0)+`]`, "\x00\x09\xff"), `["e",{"type":"Buffer","data":[0,9,255]}]`},
		{payload(`["e",`+placeholder(0)+` , 1]`, ""), `["e",{"type":"Buffer","data":[]} , 1]`},
		{payload(placeholder(0), "a"), `{"type":"Buffer","data":[97]}`},
		{payload(`[`+placeholder(1)+`,{"a":`+placeholder(0)+`}]`, "a", "b"), `[{"type":"Buffer","data":[98]},{"a":{"type":"Buffer","data":[97]}}]`},
		{payload(`["e"]`, "a"), `["e"]`},
		{payload(`["e",{"_placeholder":true,"num":5}]`, "a"), `["e",{"_placeholder":true,"num":5}]`},
		{payload(`[{"_placeholder":true,"num":0,"x":1}]`, "a"), `[{"type":"Buffer","data":[97]}]`},
		{payload(`["no JSON`, "a"), `["no JSON`}, // the asker has read it, or will
	} {
		got, err := InlineBinary(tc.data, 100)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: got %s, %v, want %s", tc.data.JSON, got, err, tc.want)
		}
	}
	large := payload(`["e",`+placeholder(0)+`]`, strings.Repeat("\xff", 1000))
	if _, err := InlineBinary(large, 900); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a thousand bytes where 900 may be: %v", err)
	}
	if got, err := InlineBinary(large, 1020); err != nil || len(got) > 4*1020 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// plainValue draws a value, and what it is with its binary values as JSON.stringify writes them.
func plainValue(r *rand.Rand, depth int, data *socketio.Payload) (text string, want any) {
	switch n := r.IntN(7); {
	case n == 0:
		b := make([]byte, r.IntN(4))
		list := make([]any, len(b))
		for i := range b {
			b[i] = byte(r.IntN(256))
			list[i] = float64(b[i])
		}
		data.Attachments = append(data.Attachments, b)
		return placeholder(len(data.Attachments) - 1), map[string]any{"type": "Buffer", "data": list}
	case n < 3 && depth < 4:
		list, parts := []any{}, []string{}
		for range r.IntN(4) {
			t, v := plainValue(r, depth+1, data)
			list, parts = append(list, v), append(parts, t)
		}
		return "[" + strings.Join(parts, " , ") + "]", list
	case n < 5 && depth < 4:
		object, parts := map[string]any{}, []string{}
		for i := range r.IntN(4) {
			t, v := plainValue(r, depth+1, data)
			object[fmt.Sprint("k", i)] = v
			parts = append(parts, fmt.Sprintf(`"k%d": %s`, i, t))
		}
		return "{" + strings.Join(parts, ",") + "}", object
	}
	text = []string{`1`, `-0.5`, `"\"[{"`, `true`, `null`, `""`, `1e3`}[r.IntN(7)]
	_ = json.Unmarshal([]byte(text), &want)
	return text, want
}

// Whatever it is in, binary turns into JSON that says the same.
func TestInlineBinaryOfAnything(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		var data socketio.Payload
		text, want := plainValue(r, 0, &data)
		data.JSON = []byte(text)
		b, err := InlineBinary(data, 1<<20)
		var got any
		if err == nil {
			err = json.Unmarshal(b, &got)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %s became %s: %v", seed, text, b, err)
		}
	}
}
