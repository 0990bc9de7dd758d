package wire

import (
	"encoding/json"
	"strings"

	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"
)

// RemoteSocket describes a socket to another instance, in Node's form.
type RemoteSocket struct {
	ID        string           `json:"id"`
	Handshake *remoteHandshake `json:"handshake"`
	Rooms     RoomList         `json:"rooms"`
	Data      json.RawMessage  `json:"data"`
}

// remoteHandshake is a handshake as Node has it: a header or query parameter with one value is a
// string there.
type remoteHandshake struct {
	Headers map[string]stringOrList `json:"headers"`
	Time    string                  `json:"time"`
	Address string                  `json:"address"`
	Xdomain bool                    `json:"xdomain"`
	Secure  bool                    `json:"secure"`
	Issued  int64                   `json:"issued"`
	URL     string                  `json:"url"`
	Query   map[string]stringOrList `json:"query"`
	Auth    json.RawMessage         `json:"auth,omitempty"`
}

type stringOrList []string

func (s stringOrList) MarshalJSON() ([]byte, error) {
	if len(s) == 1 {
		return json.Marshal(s[0])
	}
	return json.Marshal([]string(s))
}

func (s *stringOrList) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		*s = stringOrList{v}
	case []any:
		for _, e := range v {
			if text, ok := e.(string); ok {
				*s = append(*s, text)
			}
		}
	}
	return nil
}

// Describe makes the description of one of our sockets. Application data that is no JSON is left
// out.
func Describe(s socket.SocketDetails) RemoteSocket {
	d := RemoteSocket{ID: string(s.Id()), Rooms: ListOfSet(s.Rooms()), Data: json.RawMessage("{}")}
	if v := s.Data(); v != nil {
		if b, err := EncodeJSON(v); err == nil {
			d.Data = json.RawMessage(b)
		}
	}
	h := s.Handshake()
	if h == nil {
		return d
	}
	d.Handshake = &remoteHandshake{
		Headers: map[string]stringOrList{}, Time: h.Time, Address: h.Address, Xdomain: h.Xdomain, Secure: h.Secure, Issued: h.Issued, URL: h.Url,
		Query: map[string]stringOrList{},
	}
	for name, values := range h.Headers {
		// Node joins repeated headers; their names are in lower case.
		d.Handshake.Headers[strings.ToLower(name)] = stringOrList{strings.Join(values, ", ")}
	}
	for name, values := range h.Query {
		d.Handshake.Query[name] = values
	}
	// What a client's CONNECT carried is forgotten once it is connected: it may be a secret.
	d.Handshake.Auth = json.RawMessage("{}")
	return d
}

// Details is the way back.
func (r RemoteSocket) Details() socket.SocketDetails {
	s := &adapter.SocketResponse{Id: socket.SocketId(r.ID), Rooms: r.Rooms.Rooms(), Handshake: &socket.Handshake{}}
	_ = json.Unmarshal(r.Data, &s.Data) // absent: nil
	if h := r.Handshake; h != nil {
		s.Handshake = &socket.Handshake{
			Headers: map[string][]string{}, Time: h.Time, Address: h.Address, Xdomain: h.Xdomain, Secure: h.Secure, Issued: h.Issued, Url: h.URL,
			Query: map[string][]string{},
		}
		for name, values := range h.Headers {
			s.Handshake.Headers[name] = values
		}
		for name, values := range h.Query {
			s.Handshake.Query[name] = values
		}
		_ = json.Unmarshal(h.Auth, &s.Handshake.Auth)
	}
	return adapter.NewRemoteSocket(s)
}
