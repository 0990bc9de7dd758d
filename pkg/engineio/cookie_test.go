package engineio

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// The values are those that engine.io 3.5.0 and 6.6.13 send, but for the ids.
func TestSessionCookie(t *testing.T) {
	const strict, lax = "io=ID; Path=/; HttpOnly; SameSite=Strict", "io=ID; Path=/; HttpOnly; SameSite=Lax"
	for _, tt := range []struct {
		name   string
		cookie *SessionCookie
		id     string
		query  string
		want   []string
	}{
		{"none is wanted", nil, "", "EIO=3&transport=polling", nil},
		{"protocol 3", &SessionCookie{}, "", "EIO=3&transport=polling", []string{strict}},
		{"protocol 3, JSONP", &SessionCookie{}, "", "EIO=3&transport=polling&j=0", []string{strict}},
		{"no protocol named", &SessionCookie{}, "", "transport=polling", []string{strict}},
		{"protocol 4", &SessionCookie{}, "", "EIO=4&transport=polling", nil},
		{"protocol 4, asked for", &SessionCookie{Protocols: []int{4}}, "", "EIO=4&transport=polling", []string{lax}},
		{"protocol 4, for both", &SessionCookie{Protocols: []int{3, 4}}, "", "EIO=4&transport=polling", []string{lax}},
		{"protocol 3, for both", &SessionCookie{Protocols: []int{3, 4}}, "", "EIO=3&transport=polling", []string{strict}},
		{"protocol 3, for 4 alone", &SessionCookie{Protocols: []int{4}}, "", "EIO=3&transport=polling", nil},
		{"a name", &SessionCookie{Name: "SRV"}, "", "EIO=3&transport=polling", []string{"SRV=ID; Path=/; HttpOnly; SameSite=Strict"}},
		{"attributes", &SessionCookie{Attributes: "Path=/chat; Secure; SameSite=None"}, "", "EIO=3&transport=polling", []string{"io=ID; Path=/chat; Secure; SameSite=None"}},
		{"an id with odd characters", &SessionCookie{}, "a b;c,d=é", "EIO=3&transport=polling", []string{"io=a%20b%3Bc%2Cd%3D%C3%A9; Path=/; HttpOnly; SameSite=Strict"}},
		{"WebSocket", &SessionCookie{Protocols: []int{3, 4}}, "", "EIO=3&transport=websocket", nil},
		{"a handshake that is refused", &SessionCookie{}, "", "EIO=3&transport=pigeon", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := Options{Cookie: tt.cookie}
			if tt.id != "" {
				opts.NewID = func() string { return tt.id }
			}
			srv := serve(t, opts)
			headers := ""
			if strings.Contains(tt.query, WebSocket) {
				headers = webSocketHeaders
			}
			res := srv.send(t, "GET", tt.query, headers)
			id := ""
			for _, c := range srv.snapshot() {
				id = cookieValue(c.ID())
			}
			want := slices.Clone(tt.want)
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "=ID;", "="+id+";")
			}
			if got := res.header.Values("Set-Cookie"); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// The session goes on without the cookie, and with any: it names the session for
// the balancer alone. HAProxy puts a server's name and "~" before the id.
func TestSessionCookieIsNotRead(t *testing.T) {
	srv := serve(t, Options{Cookie: &SessionCookie{}})
	alice := dialPolling(t, srv, 3)
	server := srv.accept(t)
	for i, cookie := range []string{"", "io=" + alice.sid, "io=s1~" + alice.sid, "io=somebodyElses", "io=; io"} {
		req, _ := http.NewRequest("POST", alice.url, strings.NewReader("2:4x"))
		if cookie != "" {
			req.Header.Set("Cookie", cookie)
		}
		if res := roundTrip(alice.http, req); res.status != http.StatusOK || res.header.Get("Set-Cookie") != "" {
			t.Errorf("%d, %q: %v", i, cookie, res)
		}
		server.want(t, "x")
	}
}
