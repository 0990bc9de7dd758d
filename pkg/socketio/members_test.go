package socketio

import (
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"socketio-chat/pkg/jsonscan"
)

func TestMembers(t *testing.T) {
	for _, tt := range []struct {
		json        string
		attachments int
		object      bool
		want        []string // names and values
	}{
		{`{}`, 0, true, nil},
		{" { } ", 0, true, nil},
		{`{"a":1}`, 0, true, []string{"a", "1"}},
		{" {\n\"a\" : [1, {\"b\":2}] ,\t\"c\":\"}\\\"\" } ", 0, true, []string{"a", `[1, {"b":2}]`, "c", `"}\""`}},
		{`{"n\u0061me":1,"name":2,"":3,"n\\u0061me":4,"\ud800":5}`, 0, true, []string{"name", "1", "name", "2", "", "3", `n\u0061me`, "4", "\ufffd", "5"}},
		{`{"_placeholder":true,"num":0}`, 0, true, []string{"_placeholder", "true", "num", "0"}},
		{`{"_placeholder":true,"num":0}`, 1, false, nil},
		{`{"name":1,"_pl\u0061ceholder":true,"num":0}`, 1, false, nil},
		{`{"a":{"_placeholder":true,"num":0}}`, 1, true, []string{"a", `{"_placeholder":true,"num":0}`}},
		{`[{"a":1}]`, 0, false, nil},
		{`"{}"`, 0, false, nil},
		{`null`, 0, false, nil},
		{``, 0, false, nil},
		{`5`, 0, false, nil},
	} {
		p := Payload{JSON: []byte(tt.json), Attachments: make([][]byte, tt.attachments)}
		seq, object := p.Members()
		var got []string
		for m := range seq {
			got = append(got, m.Name, string(m.Value))
			if at := string(p.JSON[m.Start : m.Start+len(m.Value)]); at != string(m.Value) {
				t.Errorf("%s: %q stands where %q is said to be", tt.json, at, m.Value)
			}
		}
		if object != tt.object || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, %t", tt.json, got, object)
		}
	}
}

// What encoding/json finds in an object, Members finds.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":{"c":[]},"a":"x"}`, ` {"\u0061" : null } `, `{"a":1`, `{`, `{"a"`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		seq, object := Payload{JSON: text}.Members()
		got := map[string]string{}
		for m := range seq {
			got[m.Name] = string(m.Value)
		}
		end, err := jsonscan.Value(text, 0)
		if err != nil || jsonscan.End(text, end) != nil || !utf8.Valid(text) {
			return // it only has to end
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil || want == nil {
			if object && err == nil {
				t.Errorf("%q is no object", text)
			}
			return
		}
		if len(got) != len(want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		for name, value := range want {
			if got[name] != string(value) {
				t.Errorf("%q: %s is %q, want %q", text, name, got[name], value)
			}
		}
	})
}
