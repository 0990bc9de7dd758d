package wire

import (
	"encoding/json"
	"strings"

	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
)

// RemoteSocket describes a socket to another instance, in Node's form.
type RemoteSocket struct {
	ID        text             `json:"id"`
	Handshake *remoteHandshake `json:"handshake"`
	Rooms     RoomList         `json:"rooms"`
	Data      json.RawMessage  `json:"data"`
}

// remoteHandshake is a handshake as Node has it: a header or query parameter with one value is a
// string there.
type remoteHandshake struct {
	Headers parameters      `json:"headers"`
	Time    text            `json:"time"`
	Address text            `json:"address"`
	Xdomain Truth           `json:"xdomain"`
	Secure  Truth           `json:"secure"`
	Issued  moment          `json:"issued"`
	URL     text            `json:"url"`
	Query   parameters      `json:"query"`
	Auth    json.RawMessage `json:"auth,omitempty"`
}

// UnmarshalJSON takes what is no map for a handshake of which nothing is known.
func (h *remoteHandshake) UnmarshalJSON(b []byte) error {
	type plain remoteHandshake
	*h = remoteHandshake{}
	return readMap(b, (*plain)(h))
}

// parameters are headers, or parameters of a query.
type parameters map[string]stringOrList

// UnmarshalJSON takes what is no map, such as the empty list of PHP, for none.
func (p *parameters) UnmarshalJSON(b []byte) error {
	*p = nil
	return readMap(b, (*map[string]stringOrList)(p))
}

// moment is a number of milliseconds since 1970; programs that count seconds in floats write fractions.
type moment int64

func (m *moment) UnmarshalJSON(b []byte) error {
	f, _ := number(b)
	*m = moment(max(-maxMoment, min(f, maxMoment)))
	return nil
}

// maxMoment is how far a Date of JavaScript reaches.
const maxMoment = 8.64e15

type stringOrList []string

func (s stringOrList) MarshalJSON() ([]byte, error) {
	if len(s) == 1 {
		return json.Marshal(s[0])
	}
	return json.Marshal([]string(s))
}

func (s *stringOrList) UnmarshalJSON(b []byte) error {
	var v any
	*s = nil
	if f, ok := number(b); ok {
		*s = stringOrList{string(msgpack.AppendNumber(nil, f))}
		return nil
	}
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
	d := RemoteSocket{ID: text(s.Id()), Rooms: ListOfSet(s.Rooms()), Data: json.RawMessage("{}")}
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
		Headers: parameters{}, Time: text(h.Time), Address: text(h.Address), Xdomain: Truth(h.Xdomain), Secure: Truth(h.Secure), Issued: moment(h.Issued),
		URL: text(h.Url), Query: parameters{},
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
			Headers: map[string][]string{}, Time: string(h.Time), Address: string(h.Address), Xdomain: bool(h.Xdomain), Secure: bool(h.Secure),
			Issued: int64(h.Issued), Url: string(h.URL), Query: map[string][]string{},
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
