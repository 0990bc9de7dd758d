package socketio

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
)

func raw(json string, attachments ...string) Payload {
	p := Payload{JSON: []byte(json)}
	for _, a := range attachments {
		p.Attachments = append(p.Attachments, []byte(a))
	}
	return p
}

const ph0, ph1, ph2 = `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":2}`

func TestEncodeData(t *testing.T) {
	type user struct {
		Name string `json:"name"`
		Data []byte `json:"data,omitempty"`
	}
	reader := types.NewBytesBuffer([]byte("R"))
	for _, tt := range []struct {
		name        string
		in          []any
		want        string
		attachments string // joined by "|"
	}{
		{"nothing", nil, `[]`, ""},
		{"scalars", []any{"a", nil, true, 1, int64(-2), 1.5, "é<&>\u2028\n\""}, `["a",null,true,1,-2,1.5,"é<&>\u2028\n\""]`, ""},
		{"struct", []any{"a", user{Name: "<b>"}}, `["a",{"name":"<b>"}]`, ""},
		{"bytes in a struct are base64", []any{user{"x", []byte("A")}}, `[{"name":"x","data":"QQ=="}]`, ""},
		{"raw stays", []any{"a", raw(`{"z":1.0,"a":1e400}`)}, `["a",{"z":1.0,"a":1e400}]`, ""},
		{"zero payload", []any{"a", Payload{}}, `["a",null]`, ""},
		{"payload in a map", []any{map[string]any{"b": raw(`[1 ]`), "a": &Payload{}}}, `[{"a":null,"b":[1 ]}]`, ""},
		{"payload in a struct", []any{struct{ P Payload }{raw(`{"x": 1}`)}}, `[{"P":{"x":1}}]`, ""},
		{"bytes", []any{"a", []byte("A"), []byte("B")}, `["a",` + ph0 + `,` + ph1 + `]`, "A|B"},
		{"bytes deep", []any{map[string]any{"x": []any{[]byte("A")}}}, `[{"x":[` + ph0 + `]}]`, "A"},
		{"buffer", []any{reader, reader}, `[` + ph0 + `,` + ph1 + `]`, "R|R"},
		{"reader", []any{bytes.NewReader([]byte("A"))}, `[` + ph0 + `]`, "A"},
		{"text readers", []any{types.NewStringBufferString("a\"b"), strings.NewReader("c")}, `["a\"b","c"]`, ""},
		{"payloads are merged", []any{raw(`[`+ph1+`,`+ph0+`]`, "A", "B"), []byte("C"), raw(`{"x":`+ph0+`}`, "D")},
			`[[` + ph0 + `,` + ph1 + `],` + `{"_placeholder":true,"num":2},{"x":{"_placeholder":true,"num":3}}]`, "B|A|C|D"},
		{"unused attachments stay behind", []any{raw(ph1, "A", "B")}, `[` + ph0 + `]`, "B"},
		{"no attachments, no placeholder", []any{raw(ph2)}, `[` + ph2 + `]`, ""},
		{"placeholder in a text", []any{raw(`["{\"_placeholder\":true,\"num\":9}",`+ph0+`]`, "A")},
			`[["{\"_placeholder\":true,\"num\":9}",` + ph0 + `]]`, "A"},
		{"nil map", []any{map[string]any(nil)}, `[null]`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := EncodeData(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.JSON) != tt.want {
				t.Errorf("got  %s\nwant %s", got.JSON, tt.want)
			}
			if list := string(bytes.Join(got.Attachments, []byte("|"))); list != tt.attachments {
				t.Errorf("attachments %q, want %q", list, tt.attachments)
			}
		})
	}
}

func TestEncodeDataErrors(t *testing.T) {
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	for name, v := range map[string]any{
		"channel":                  make(chan int),
		"NaN":                      math.NaN(),
		"cycle":                    cyclic,
		"placeholder out of range": raw(ph1, "A"),
		"broken raw":               raw(`{"a"`, "A"),
	} {
		if got, err := EncodeData([]any{"x", v}); err == nil {
			t.Errorf("%s: encoded as %s", name, got.JSON)
		}
	}
}

// TestEncodePacket pins the text of packets that the library asks for.
func TestEncodePacket(t *testing.T) {
	id := uint64(7)
	type connect struct {
		Sid string `json:"sid"`
		Pid string `json:"pid,omitempty"`
	}
	for _, tt := range []struct {
		packet parser.Packet
		want   string
	}{
		{parser.Packet{Type: parser.CONNECT, Nsp: "/"}, `0`},
		{parser.Packet{Type: parser.CONNECT, Nsp: "/chat"}, `0/chat,`},
		{parser.Packet{Type: parser.CONNECT, Nsp: "/chat", Data: &connect{Sid: "x"}}, `0/chat,{"sid":"x"}`},
		{parser.Packet{Type: parser.DISCONNECT, Nsp: "/chat"}, `1/chat,`},
		{parser.Packet{Type: parser.DISCONNECT, Nsp: "/"}, `1`},
		{parser.Packet{Type: parser.EVENT, Nsp: "/", Data: []any{"x"}, Id: &id}, `27["x"]`},
		{parser.Packet{Type: parser.EVENT, Nsp: "/chat", Data: []any{"x", 1}, Id: &id}, `2/chat,7["x",1]`},
		{parser.Packet{Type: parser.EVENT, Nsp: "/chat", Data: []any{"x", []byte("A")}}, `51-/chat,["x",` + ph0 + `]`},
		{parser.Packet{Type: parser.BINARY_EVENT, Nsp: "/chat", Data: []any{"x"}}, `2/chat,["x"]`},
		{parser.Packet{Type: parser.BINARY_ACK, Nsp: "/chat", Data: []any{"x"}, Id: &id}, `3/chat,7["x"]`},
		{parser.Packet{Type: parser.ACK, Nsp: "/chat", Data: []any(nil), Id: &id}, `3/chat,7[]`},
		{parser.Packet{Type: parser.ACK, Nsp: "/chat", Id: &id}, `3/chat,7[]`},
		{parser.Packet{Type: parser.ACK, Nsp: "/chat", Data: []any{[]byte("A")}, Id: &id}, `61-/chat,7[` + ph0 + `]`},
		{parser.Packet{Type: parser.CONNECT_ERROR, Nsp: "/x", Data: "no"}, `4/x,"no"`},
		{parser.Packet{Type: parser.CONNECT_ERROR, Nsp: "/x", Data: map[string]any{"message": "no"}}, `4/x,{"message":"no"}`},
		{parser.Packet{Type: parser.CONNECT_ERROR, Nsp: "/x", Data: map[string]any{"message": "no", "data": nil}}, `4/x,{"message":"no"}`},
		{parser.Packet{Type: parser.CONNECT_ERROR, Nsp: "/x", Data: map[string]any{"message": "no", "data": 1}}, `4/x,{"message":"no","data":1}`},
	} {
		e, err := encodePacket(&tt.packet)
		if err != nil {
			t.Fatal(err)
		}
		if e.String() != tt.want {
			t.Errorf("got %q, want %q", e.String(), tt.want)
		}
	}
}

func TestPayload(t *testing.T) {
	p := raw(`{"file":`+ph1+`,"list":[`+ph0+`,1],"name":"x"}`, "A", "B")
	var v struct {
		File []byte
		List []any
		Name string
	}
	if err := p.Decode(&v); err != nil || string(v.File) != "B" || v.Name != "x" {
		t.Errorf("decoded into a struct: %+v, %v", v, err)
	}
	var anything any
	if err := p.Decode(&anything); err != nil || string(anything.(map[string]any)["file"].([]byte)) != "B" {
		t.Errorf("decoded into any: %v, %v", anything, err)
	}
	value, err := p.Value()
	if b, ok := value.(map[string]any)["file"].(*types.BytesBuffer); err != nil || !ok || string(b.Bytes()) != "B" {
		t.Errorf("value: %v, %v", value, err)
	}
	if b, err := json.Marshal(p); err != nil || string(b) != `{"file":"Qg==","list":["QQ==",1],"name":"x"}` {
		t.Errorf("marshalled: %s, %v", b, err)
	}
	var again Payload
	if err := json.Unmarshal([]byte(`{"z":1,"a":2}`), &again); err != nil || string(again.JSON) != `{"z":1,"a":2}` {
		t.Errorf("unmarshalled: %s, %v", again.JSON, err)
	}
	var same Payload
	if err := p.Decode(&same); err != nil || !bytes.Equal(same.JSON, p.JSON) || len(same.Attachments) != 2 {
		t.Errorf("decoded into a Payload: %v, %v", same, err)
	}
	if list, err := raw(` [1, {"a":[]} ,"x"] `).Elements(); err != nil || len(list) != 3 || string(list[1].JSON) != `{"a":[]}` {
		t.Errorf("elements: %q, %v", list, err)
	}
	for _, bad := range []string{"", `{}`, `[1`, `[1,]`, `[1]x`, `[1 2]`} {
		if list, err := raw(bad).Elements(); err == nil {
			t.Errorf("elements of %q: %q", bad, list)
		}
	}
	if !(Payload{}).IsNull() || raw(`0`).IsNull() {
		t.Error("IsNull")
	}
}

// FuzzMerge merges two payloads and takes them apart again.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"a":`+ph0+`}`), []byte(`[`+ph1+`,`+ph0+`]`))
	f.Add([]byte(`{"_placeholder":true,"num":1,"x":`+ph0+`}`), []byte(`"x"`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		in := []Payload{raw(string(a), "A0", "A1"), raw(string(b), "B0", "B1", "B2")}
		merged, err := EncodeData([]any{in[0], in[1]})
		if err != nil {
			return
		}
		out, err := merged.Elements()
		if err != nil {
			t.Fatalf("%q and %q make %q: %v", a, b, merged.JSON, err)
		}
		for i := range in {
			want, err1 := json.Marshal(in[i])
			got, err2 := json.Marshal(out[i])
			if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
				t.Fatalf("%q and %q: element %d is %s (%v), want %s (%v)", a, b, i, got, err2, want, err1)
			}
		}
	})
}
