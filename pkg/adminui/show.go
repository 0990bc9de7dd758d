package adminui

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/zishang520/socket.io/v2/socket"
)

// adminMember is the member of a socket's data that tells of its connection.
const adminMember = "_admin"

// concealed stands in place of what the page is not shown.
const concealed = "(not shown)"

// shown is a socket as the page is told of it.
type shown struct {
	ID        string         `json:"id"`
	ClientID  string         `json:"clientId,omitempty"`
	Transport string         `json:"transport,omitempty"`
	Nsp       string         `json:"nsp"`
	Data      map[string]any `json:"data"`
	Handshake handshake      `json:"handshake"`
	Rooms     []string       `json:"rooms"`
}

type handshake struct {
	Address string         `json:"address"`
	Headers map[string]any `json:"headers"`
	Query   map[string]any `json:"query"`
	Issued  int64          `json:"issued"` // ms
	Secure  bool           `json:"secure"`
	Time    string         `json:"time"`
	URL     string         `json:"url"`
	Xdomain bool           `json:"xdomain"`
}

// Headers and parameters that are shown. Any other may hold a token.
var (
	openHeaders = map[string]bool{
		"host": true, "user-agent": true, "origin": true, "accept": true, "accept-encoding": true, "accept-language": true,
		"connection": true, "upgrade": true, "cache-control": true, "pragma": true, "content-type": true, "content-length": true,
		"sec-websocket-version": true, "sec-websocket-extensions": true, "sec-fetch-site": true, "sec-fetch-mode": true, "sec-fetch-dest": true,
		"x-forwarded-for": true, "x-forwarded-proto": true, "x-forwarded-host": true, "x-real-ip": true, "x-request-id": true,
		"forwarded": true, "cf-connecting-ip": true, "via": true,
	}
	openParameters = map[string]bool{"EIO": true, "transport": true, "t": true, "j": true, "b64": true}
)

// show describes a socket. known, if not zero, is what its data would tell.
func show(s socket.SocketDetails, nsp string, known about) shown {
	out := shown{ID: string(s.Id()), Nsp: nsp, Data: map[string]any{}, Rooms: []string{}}
	if b, err := json.Marshal(s.Data()); err == nil {
		var own struct {
			Admin about `json:"_admin"`
		}
		if json.Unmarshal(b, &out.Data) != nil || out.Data == nil {
			out.Data = map[string]any{}
		}
		if json.Unmarshal(b, &own) == nil && known == (about{}) {
			known = own.Admin
		}
		delete(out.Data, adminMember)
		conceal(out.Data)
	}
	out.ClientID, out.Transport = known.ClientID, known.Transport
	if rooms := s.Rooms(); rooms != nil {
		for _, room := range rooms.Keys() {
			out.Rooms = append(out.Rooms, string(room))
		}
	}
	out.Handshake = handshake{Headers: map[string]any{}, Query: map[string]any{}}
	if h := s.Handshake(); h != nil {
		out.Handshake = showHandshake(h)
	}
	return out
}

func showHandshake(h *socket.Handshake) handshake {
	out := handshake{
		Address: hostOf(h.Address), Headers: map[string]any{}, Query: map[string]any{},
		Issued: h.Issued, Secure: h.Secure, Time: h.Time, URL: h.Url, Xdomain: h.Xdomain,
	}
	for name, values := range h.Headers {
		name = strings.ToLower(name)
		if openHeaders[name] {
			out.Headers[name] = strings.Join(values, ", ")
		} else {
			out.Headers[name] = concealed
		}
	}
	for name, values := range h.Query {
		if openParameters[name] && len(values) > 0 {
			out.Query[name] = values[0]
		} else {
			out.Query[name] = concealed
		}
	}
	if u, err := url.Parse(h.Url); err == nil {
		out.URL = u.EscapedPath()
	} else {
		out.URL, _, _ = strings.Cut(h.Url, "?")
	}
	return out
}

// secretive are parts of names of what the page must not show.
var secretive = []string{"token", "secret", "passw", "authorization", "cookie", "jwt", "credential", "apikey", "api_key", "session"}

// conceal hides members of application data whose name sounds like a secret.
func conceal(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			conceal(e)
		}
	case map[string]any:
		for name, e := range v {
			conceal(e)
			for _, part := range secretive {
				if strings.Contains(strings.ToLower(name), part) {
					v[name] = concealed
				}
			}
		}
	}
}
