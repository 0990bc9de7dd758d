package engineio

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// What would be kept for the life of a session is refused before there is one.
func TestHeadIsBounded(t *testing.T) {
	parameters := func(n int) string { return strings.Repeat("&a=b", n-2) } // EIO and transport count
	cookie := func(n int) string { return "Cookie: " + strings.Repeat("x", n) + "\n" }
	for _, front := range []bool{true, false} {
		srv := serve(t, Options{HeadBytes: 2000, Parameters: 20})
		for _, tt := range []struct {
			name, query, headers string
			status               int
			text                 string
		}{
			{"small", parameters(20), cookie(1700), http.StatusOK, `"sid"`},
			{"many parameters", parameters(21), "", http.StatusBadRequest, "more than 20 parameters"},
			{"a long query", "&a=" + strings.Repeat("b", 2000), "", http.StatusRequestHeaderFieldsTooLarge, "more than 2000 bytes"},
			{"a long field", "", cookie(2000), http.StatusRequestHeaderFieldsTooLarge, "more than 2000 bytes"},
			{"many fields", "", strings.Repeat("X: y\n", 400), http.StatusRequestHeaderFieldsTooLarge, "more than 2000 bytes"},
			{"a fragment is no parameter", "&x=y#" + parameters(30), "", http.StatusOK, `"sid"`},
		} {
			headers := tt.headers
			if !front {
				headers += "Expect: nothing\n" // which the front leaves to net/http
				headers = strings.Replace(headers, "Expect: nothing", "Trailer: X-None", 1)
			}
			if res := srv.send(t, "GET", "EIO=4&transport=polling"+tt.query, headers); res.status != tt.status || !strings.Contains(res.body, tt.text) {
				t.Errorf("%s, front %v: %d %q", tt.name, front, res.status, res.body)
			}
			want := http.StatusSwitchingProtocols
			if tt.status != http.StatusOK {
				want = tt.status
			}
			if res := srv.send(t, "GET", "EIO=4&transport=websocket"+tt.query, webSocketHeaders+headers); res.status != want {
				t.Errorf("%s, WebSocket, front %v: %d", tt.name, front, res.status)
			}
		}
		srv.each((*Conn).Discard)
	}
}

// A query of many parameters costs its bytes and no more until somebody asks for it.
func TestQueryIsParsedWhenAsked(t *testing.T) {
	const sessions, size = 200, 12_000
	query := "EIO=4&transport=polling" + strings.Repeat("&a=b", size/4)
	srv := serve(t, Options{Parameters: size})
	before := liveHeap()
	for range sessions {
		if res := srv.send(t, "GET", query, ""); res.status != http.StatusOK {
			t.Fatalf("%d %q", res.status, res.body)
		}
	}
	each := (liveHeap() - before) / sessions
	t.Logf("%d bytes a session", each)
	if each > 4*size { // 3,000 parsed parameters take more than ten times that
		t.Errorf("a session with a query of %d bytes holds %d", len(query), each)
	}
	for _, c := range srv.snapshot() {
		if n := len(c.Handshake().Query()["a"]); n != size/4 {
			t.Fatalf("%d values", n)
		}
	}
	srv.each((*Conn).Discard)
}

// The parameters of the protocol as Node 4.8.4 reads them.
func TestParameters(t *testing.T) {
	for _, tt := range []struct {
		target string
		want   query
	}{
		{"/?EIO=4&transport=polling&t=x&sid=a&j=1&b64=1", query{eio: "4", transport: "polling", t: "x", sid: "a", b64: "1", callback: new("1")}},
		{"/?user=me&EIO=3&EIO=4", query{eio: "4"}},
		{"/?sid=a&sid=&j", query{callback: new("")}},
		{"/?s%69d=%61+b", query{sid: "a b"}},
		{"/?sid=%zz&%zz=1", query{sid: "%zz"}},
		{"/?sid=a#&sid=b", query{sid: "a"}},
		{"/#?sid=a", query{}},
		{"/?a;sid=b", query{}},
		{"/", query{}},
	} {
		r, err := http.NewRequest("GET", "http://x"+strings.ReplaceAll(tt.target, "#", "%23"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RequestURI = tt.target
		_, r.URL.RawQuery, _ = strings.Cut(tt.target, "?")
		if got := parameters(r); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.target, got, tt.want)
		}
	}
}
