package wire

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"
)

// describe makes a description, and its JSON.
func describe(t *testing.T, s *adapter.SocketResponse) (RemoteSocket, string) {
	t.Helper()
	r := Describe(adapter.NewRemoteSocket(s))
	b, err := EncodeJSON(r)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(b)
}

// A socket is described to other instances as Node does it, and what it was admitted by stays here.
func TestDescribe(t *testing.T) {
	_, text := describe(t, &adapter.SocketResponse{
		Id: "sid", Rooms: []socket.Room{"sid", "b", "a"}, Data: map[string]any{"name": "<Bob>"},
		Handshake: &socket.Handshake{
			Headers: map[string][]string{"X-Forwarded-For": {"1.1.1.1", "2.2.2.2"}, "Host": {"chat"}},
			Query:   map[string][]string{"EIO": {"4"}, "tag": {"a", "b"}}, Auth: map[string]any{"token": "secret"},
			Time: "Sun Nov 29 2026", Address: "::1", Issued: 1_700_000_000_000, Url: "/socket.io/?EIO=4", Secure: true,
		},
	})
	want := `{"id":"sid","handshake":{"headers":{"host":"chat","x-forwarded-for":"1.1.1.1, 2.2.2.2"},"time":"Sun Nov 29 2026","address":"::1",` +
		`"xdomain":false,"secure":true,"issued":1700000000000,"url":"/socket.io/?EIO=4","query":{"EIO":"4","tag":["a","b"]},"auth":{}},` +
		`"rooms":["a","b","sid"],"data":{"name":"<Bob>"}}`
	if text != want {
		t.Errorf("described as\n%s, want\n%s", text, want)
	}
	if strings.Contains(text, "secret") {
		t.Error("what a client has authenticated itself with goes to other instances")
	}
}

// Data that JSON has no form for is left out, and the rest is told.
func TestDescribeOddData(t *testing.T) {
	for name, data := range map[string]any{"none": nil, "a function": func() {}, "a channel in a map": map[string]any{"c": make(chan int)}} {
		if _, text := describe(t, &adapter.SocketResponse{Id: "sid", Data: data}); !strings.HasSuffix(text, `"rooms":[],"data":{}}`) {
			t.Errorf("%s: %s", name, text)
		}
	}
	if r, _ := describe(t, &adapter.SocketResponse{Id: "sid", Data: []int{1}}); string(r.Data) != `[1]` {
		t.Errorf("a list became %s", r.Data)
	}
}

// What is described is there again on the other side.
func TestDetails(t *testing.T) {
	r, text := describe(t, &adapter.SocketResponse{
		Id: "sid", Rooms: []socket.Room{"r"}, Data: "x",
		Handshake: &socket.Handshake{Headers: map[string][]string{"Host": {"chat"}}, Query: map[string][]string{"tag": {"a", "b"}}, Address: "::1", Xdomain: true},
	})
	var again RemoteSocket
	if err := json.Unmarshal([]byte(text), &again); err != nil {
		t.Fatal(err)
	}
	for _, from := range []RemoteSocket{r, again} {
		s := from.Details()
		h := s.Handshake()
		if s.Id() != "sid" || !s.Rooms().Has("r") || s.Rooms().Len() != 1 || s.Data() != "x" || h.Address != "::1" || !h.Xdomain || h.Secure {
			t.Errorf("%+v, %+v", s, h)
		}
		if !slices.Equal(h.Headers["host"], []string{"chat"}) || !slices.Equal(h.Query["tag"], []string{"a", "b"}) {
			t.Errorf("headers %v, query %v", h.Headers, h.Query)
		}
	}
}

// Descriptions of nodes that are not ours: what is missing or odd costs no more than itself.
func TestDetailsOfOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		text  string
		rooms []socket.Room
		data  any
		names []string // of headers
	}{
		"only an id":                {`{"id":"sid"}`, nil, nil, nil},
		"nothing in it":             {`{"id":"sid","handshake":null,"rooms":[],"data":null}`, nil, nil, nil},
		"a room by a number":        {`{"id":"sid","rooms":["sid",7]}`, []socket.Room{"7", "sid"}, nil, nil},
		"a header as Node has it":   {`{"id":"sid","handshake":{"headers":{"host":"chat"}}}`, nil, nil, []string{"host"}},
		"headers of all kinds":      {`{"id":"sid","handshake":{"headers":{"a":["x","y"],"b":null,"c":7,"d":[1,"z"]}}}`, nil, nil, []string{"a", "b", "c", "d"}},
		"a handshake without parts": {`{"id":"sid","handshake":{}}`, nil, nil, nil},
		"members of the future":     {`{"id":"sid","data":{"a":1},"pid":"x","handshake":{"more":[]}}`, nil, map[string]any{"a": 1.0}, nil},
	} {
		var r RemoteSocket
		if err := json.Unmarshal([]byte(tc.text), &r); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := r.Details()
		if s.Id() != "sid" || s.Handshake() == nil {
			t.Errorf("%s: %+v", name, s)
		}
		if got := slices.Sorted(slices.Values(s.Rooms().Keys())); !slices.Equal(got, tc.rooms) {
			t.Errorf("%s: rooms %v", name, got)
		}
		if got := slices.Sorted(maps.Keys(s.Handshake().Headers)); !slices.Equal(got, tc.names) {
			t.Errorf("%s: headers %v", name, got)
		}
		if m, ok := tc.data.(map[string]any); ok && s.Data().(map[string]any)["a"] != m["a"] || !ok && s.Data() != tc.data {
			t.Errorf("%s: data %v", name, s.Data())
		}
	}
}
