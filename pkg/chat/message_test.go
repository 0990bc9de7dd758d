package chat

import (
	"encoding/json"
	"strings"
	"testing"

	"socketio-chat/pkg/socketio"
)

func payload(text string) socketio.Payload { return socketio.Payload{JSON: []byte(text)} }

func TestStrict(t *testing.T) {
	const name, text = "name must be a string", "text must be a string"
	const both = name + ", " + text
	const long = "name must be shorter than or equal to 5 characters"
	strict := Strict{NameLength: 5, TextLength: 10}
	for _, tt := range []struct{ message, want string }{
		{`{"name":"kim","text":"hello"}`, ""},
		{`{"text":"","more":{"name":5},"name":""}`, ""},
		{` { "name" : "kim" , "text" : "x" } `, ""},
		{`{"n\u0061me":"kim","text":"x"}`, ""},
		{`{"name":"12345","text":"1234567890"}`, ""},
		{`{"name":"안녕하세요","text":"👍👍👍👍👍👍👍👍👍👍"}`, ""},
		{`{"name":"\u0061\u0061\u0061\u0061\u0061","text":"x"}`, ""},
		{`{"name":"\ud83d\udc4d\ud83d\udc4d\ud83d\udc4d\ud83d\udc4d\ud83d\udc4d","text":"x"}`, ""},
		{`{"name":"123456","text":"x"}`, long},
		{`{"name":"안녕하세요1","text":"x"}`, long},
		{`{"name":"123456","text":"12345678901"}`, long + ", text must be shorter than or equal to 10 characters"},
		{`{"name":"kim"}`, text},
		{`{"text":"x"}`, name},
		{`{"name":5,"text":"x"}`, name},
		{`{"name":null,"text":["x"]}`, both},
		{`{"name":"kim","text":"x","name":5}`, name},
		{`{"name":5,"text":"x","name":"kim"}`, name},
		{`{"Name":"kim","TEXT":"x"}`, both},
		{`{"__proto__":{"name":"kim","text":"x"}}`, both},
		{`{}`, both},
		{`[]`, both},
		{`[{"name":"kim","text":"x"}]`, both},
		{`"kim"`, both},
		{`null`, both},
		{`true`, both},
		{`5`, both},
	} {
		if got := strict.problems(payload(tt.message)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.message, got, tt.want)
		}
	}
	if got := (Strict{}).problems(payload(`{"name":"` + strings.Repeat("x", 1e5) + `","text":""}`)); got != "" {
		t.Errorf("without lengths: %q", got)
	}
	binary := socketio.Payload{JSON: []byte(`{"name":"kim","text":{"_placeholder":true,"num":0}}`), Attachments: [][]byte{{1}}}
	if got := strict.problems(binary); got != text {
		t.Errorf("a binary text: %q", got)
	}
}

func TestNamed(t *testing.T) {
	for _, tt := range []struct {
		message, want string
		claimed       bool
	}{
		{`{"name":"Kim","text":"x"}`, `{"name":"Kim","text":"x"}`, false},
		{`{"name":"admin","text":"x"}`, `{"name":"Kim","text":"x"}`, true},
		{`{"text":1.0, "z":[ ] ,"name" : "admin" }`, `{"text":1.0, "z":[ ] ,"name" : "Kim" }`, true},
		{`{"name":"Kim","name":"admin"}`, `{"name":"Kim","name":"Kim"}`, true},
		{`{"n\u0061me":"admin"}`, `{"n\u0061me":"Kim"}`, true},
		{`{"\u006e\u0061\u006d\u0065":{"a":1},"name":null}`, `{"\u006e\u0061\u006d\u0065":"Kim","name":"Kim"}`, true},
		{`{"name":"\u004bim"}`, `{"name":"Kim"}`, true},
		{`{"text":"x"}`, `{"name":"Kim","text":"x"}`, false},
		{" {\n\"text\":\"x\"}", " {\"name\":\"Kim\",\n\"text\":\"x\"}", false},
		{`{}`, `{"name":"Kim"}`, false},
		{` { } `, ` {"name":"Kim" } `, false},
		{`{"user":{"name":"admin"},"Name":"admin"}`, `{"name":"Kim","user":{"name":"admin"},"Name":"admin"}`, false},
		{`{"__proto__":{"name":"admin"}}`, `{"name":"Kim","__proto__":{"name":"admin"}}`, false},
	} {
		got, claimed, ok := named(payload(tt.message), "Kim")
		if string(got.JSON) != tt.want || claimed != tt.claimed || !ok {
			t.Errorf("%s: got %s, %t, %t; want %s, %t", tt.message, got.JSON, claimed, ok, tt.want, tt.claimed)
		}
	}
	for _, message := range []string{`"x"`, `[{"name":"admin"}]`, `null`, `5`, ``} {
		if _, _, ok := named(payload(message), "Kim"); ok {
			t.Errorf("%q can hold a name", message)
		}
	}
	binary := socketio.Payload{JSON: []byte(`{"_placeholder":true,"num":0,"name":"admin"}`), Attachments: [][]byte{{1}}}
	if _, _, ok := named(binary, "Kim"); ok {
		t.Error("an attachment can hold a name")
	}
}

func TestNamesAreQuoted(t *testing.T) {
	for _, name := range []string{`"},"admin":{"`, "</script><b>&", "김\u2028\n\x00", `\`, "\xff"} {
		got, _, _ := named(payload(`{"name":1}`), name)
		var m map[string]string
		if err := json.Unmarshal(got.JSON, &m); err != nil || len(m) != 1 || m["name"] != strings.ToValidUTF8(name, "\ufffd") {
			t.Errorf("%q became %s", name, got.JSON)
		}
	}
}

// Whatever is sent: a reader finds the token's name, and the rest as it was.
func FuzzNamed(f *testing.F) {
	for _, seed := range []string{`{"name":"a","text":"b"}`, `{"n\u0061me":1,"name":[{}]}`, `{"a":{"name":1}}`, `{}`, `[1]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		if !json.Valid([]byte(message)) {
			return
		}
		got, _, ok := named(payload(message), "Kim")
		var before, after map[string]any
		if json.Unmarshal([]byte(message), &before) != nil || before == nil {
			return // no object: refused
		}
		if err := json.Unmarshal(got.JSON, &after); err != nil || !ok || after["name"] != "Kim" {
			t.Fatalf("%q became %s, %t, %v", message, got.JSON, ok, err)
		}
		delete(before, "name")
		delete(after, "name")
		if len(before) != len(after) {
			t.Errorf("%q became %s", message, got.JSON)
		}
	})
}
