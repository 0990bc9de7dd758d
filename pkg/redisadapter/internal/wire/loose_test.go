package wire

import (
	"encoding/json"
	"fmt"
	"testing"
)

// reads reads text, and writes what was read as %v does.
func reads[T any](text string) string {
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return "error"
	}
	return fmt.Sprintf("%v", v)
}

// Each kind of member takes what JavaScript makes sense of.
func TestLooseMembers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		read  func(string) string
		texts map[string]string
	}{
		{"whole number", reads[Whole], map[string]string{
			`3`: "3", `3.0`: "3", `3e0`: "3", `30E-1`: "3", `0`: "0", `-0`: "0", `3.5`: "-1", `-3`: "-1", `"3"`: "-1", `null`: "-1", `[3]`: "-1", `true`: "-1", `1e999`: "-1", `1e300`: "-1",
		}},
		{"type of a packet", reads[PacketType], map[string]string{`2`: "2", `2.0`: "2", `"2"`: "2", `5`: "5", `"5"`: "-1", `null`: "-1"}},
		{"id", reads[ID], map[string]string{`"q"`: "q", `7`: "\x007", `7.0`: "\x007", `0.5`: "\x000.5", `null`: "", `true`: "error", `[]`: "error", `"\u00007"`: "error"}},
		{"condition", reads[Truth], map[string]string{
			`true`: "true", `1`: "true", `"no"`: "true", `[]`: "true", `{}`: "true", `false`: "false", `0`: "false", `-0.0`: "false", `""`: "false", `null`: "false",
		}},
		{"set of rooms", reads[RoomList], map[string]string{
			`["a",8.0]`: "[a 8]", `"ab"`: "[a b]", `""`: "[]", `null`: "[]", `[null,true]`: "[null true]", `{}`: "error", `7`: "error", `false`: "error",
		}},
		{"rooms to join", reads[Targets], map[string]string{`["a",8.0]`: "[a 8]", `"ab"`: "[ab]", `8.0`: "[8]", `null`: "[]", `[]`: "[]"}},
		{"duration", reads[Milliseconds], map[string]string{`5`: "5", `5e3`: "5000", `0.5`: "0.5", `"5"`: "0", `-1`: "0", `null`: "0"}},
		{"flag", reads[Flag], map[string]string{`true`: "true", `false`: "false", `1`: "false", `"yes"`: "false"}},
	} {
		for text, want := range tc.texts {
			if got := tc.read(text); got != want {
				t.Errorf("%s: %s is read as %q, want %q", tc.name, text, got, want)
			}
		}
	}
}

// An instance that asks with a number for an id is answered with that number, in JSON and in MessagePack.
func TestAnswersKeepTheID(t *testing.T) {
	for text, packed := range map[string]string{`"q"`: "\xa1q", `7`: "\x07", `0.5`: "\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"} {
		var req Request
		if err := json.Unmarshal([]byte(`{"type":5,"requestId":`+text+`}`), &req); err != nil {
			t.Fatal(err)
		}
		b, err := EncodeJSON(&Response{RequestID: ID(req.RequestID)})
		if want := `{"requestId":` + text + `}`; err != nil || string(b) != want {
			t.Errorf("answered with %s (%v), want %s", b, err, want)
		}
		if got := ID(req.RequestID).Append(nil); string(got) != packed {
			t.Errorf("%s in MessagePack: %x", text, got)
		}
	}
}

// A response is read as leniently as a request.
func TestLooseResponse(t *testing.T) {
	var r Response
	if err := json.Unmarshal([]byte(`{"type":8.0,"requestId":7.0,"clientCount":2e0}`), &r); err != nil || *r.Type != 8 || r.RequestID.Text() != "7" || *r.ClientCount != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, count := range []string{`"2"`, `2.5`, `-1`, `[]`} {
		if err := json.Unmarshal([]byte(`{"clientCount":`+count+`}`), &r); err == nil {
			t.Errorf("a count of %s clients is taken", count)
		}
	}
}

// Sockets that programs in other languages describe are there, whatever they know of the handshake.
func TestLooseDescription(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":"s","handshake":{"headers":[],"query":[],"issued":1764410000000.0,"secure":1,"time":5}}`:          `s at 1764410000000, secure true, map[] map[]`,
		`{"id":"s","handshake":{"headers":{"a":7},"query":{"EIO":4.0,"t":["x",1]},"issued":1.5,"xdomain":null}}`: `s at 1, secure false, map[a:[7]] map[EIO:[4] t:[x]]`,
		`{"id":"s","handshake":[]}`:                     `s at 0, secure false, map[] map[]`,
		`{"id":"s","handshake":{"issued":"yesterday"}}`: `s at 0, secure false, map[] map[]`,
		`{"id":"s"}`: `s at 0, secure false, map[] map[]`,
	} {
		var r RemoteSocket
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		h := r.Details().Handshake()
		got := fmt.Sprintf("%s at %d, secure %v, %v %v", r.ID, h.Issued, h.Secure, h.Headers, h.Query)
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
