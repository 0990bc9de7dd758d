package wire

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/socketio"
)

// What instances ask each other goes over two channels of the namespace, "<key>-request#/chat#" and
// "<key>-response#/chat#". Both generations use them, with different numbers for the same thing,
// and tell their messages apart by the spelling of one key:
//
//	type  socket.io-redis 5 ("requestid")   @socket.io/redis-adapter 8 ("requestId", "uid")
//	0     clients                           SOCKETS
//	1     clientRooms                       ALL_ROOMS
//	2     allRooms                          REMOTE_JOIN
//	3     remoteJoin                        REMOTE_LEAVE
//	4     remoteLeave                       REMOTE_DISCONNECT
//	5     customRequest                     REMOTE_FETCH
//	6     remoteDisconnect                  SERVER_SIDE_EMIT
//	7-9                                     BROADCAST, BROADCAST_CLIENT_COUNT, BROADCAST_ACK
//
// Neither looks at the spelling, each takes the other's messages for its own. What we send does no
// harm then: a generation 2 node finds no socket id in a generation 4 request, and the other way
// round (customRequest is the exception: it ends a generation 4 node, so we never send one). All of
// ours is JSON, also where a generation 4 node would write MessagePack: socket.io-redis 5 throws on
// anything else.
const (
	LegacyClients     adapter.MessageType = 0
	LegacyClientRooms adapter.MessageType = 1
	LegacyAllRooms    adapter.MessageType = 2
	LegacyJoin        adapter.MessageType = 3
	LegacyLeave       adapter.MessageType = 4
	LegacyCustom      adapter.MessageType = 5
	LegacyDisconnect  adapter.MessageType = 6

	// SessionRequest asks our own instances for a session, see package recovery.
	SessionRequest adapter.MessageType = 120
)

// Request is a message on the request channel. Its fields are in the order Node writes them.
type Request struct {
	UID       string              `json:"uid,omitempty"`
	LegacyID  string              `json:"requestid,omitempty"` // generation 2; both as an ID
	RequestID string              `json:"requestId,omitempty"` // generation 4
	Type      adapter.MessageType `json:"type"`
	Packet    *RequestPacket      `json:"packet,omitempty"` // BROADCAST
	Opts      *RequestOptions     `json:"opts,omitempty"`
	Rooms     RoomList            `json:"rooms,omitempty"` // SOCKETS, REMOTE_JOIN, REMOTE_LEAVE, legacyJoin of several
	Sid       string              `json:"sid,omitempty"`
	Room      RoomName            `json:"room,omitempty"`
	Close     *bool               `json:"close,omitempty"` // REMOTE_DISCONNECT
	Data      json.RawMessage     `json:"data,omitempty"`  // SERVER_SIDE_EMIT

	Attachments [][]byte `json:"-"` // of Packet and Data, when the message was MessagePack
}

// UnmarshalJSON reads a request as Node does.
func (r *Request) UnmarshalJSON(b []byte) error {
	var in struct {
		UID       ID              `json:"uid"`
		LegacyID  ID              `json:"requestid"`
		RequestID ID              `json:"requestId"`
		Type      *Whole          `json:"type"`
		Packet    *RequestPacket  `json:"packet"`
		Opts      *RequestOptions `json:"opts"`
		Rooms     json.RawMessage `json:"rooms"`
		Sid       text            `json:"sid"`
		Room      json.RawMessage `json:"room"`
		Close     *Truth          `json:"close"`
		Data      json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*r = Request{
		UID: in.UID.Text(), LegacyID: string(in.LegacyID), RequestID: string(in.RequestID), Type: -1, Packet: in.Packet, Opts: in.Opts, Sid: string(in.Sid),
		Close: (*bool)(in.Close), Data: in.Data,
	}
	if in.Type != nil {
		r.Type = adapter.MessageType(*in.Type)
	}
	return r.readRooms(in.Rooms, in.Room)
}

// readRooms reads what is a set of rooms in some requests, and names to join or to leave in others.
func (r *Request) readRooms(rooms, room json.RawMessage) error {
	var names Targets
	if err := names.UnmarshalJSON(room); err != nil {
		return err
	}
	if len(names) == 1 {
		r.Room, names = names[0], nil
	}
	switch {
	case names != nil:
		r.Rooms = RoomList(names)
	case r.LegacyID != "":
		if r.Rooms.UnmarshalJSON(rooms) != nil {
			r.Rooms = nil // socket.io-redis: what has no length is no list
		}
	case r.Opts != nil:
		return (*Targets)(&r.Rooms).UnmarshalJSON(rooms)
	case rooms != nil:
		return r.Rooms.UnmarshalJSON(rooms)
	}
	return nil
}

// RequestPacket is the packet of a broadcast that wants acknowledgements.
type RequestPacket struct {
	Type PacketType      `json:"type"`
	Data json.RawMessage `json:"data"`
	Nsp  string          `json:"nsp"`
}

// RequestOptions select sockets.
type RequestOptions struct {
	Rooms  RoomList      `json:"rooms"`
	Except RoomList      `json:"except"`
	Flags  *RequestFlags `json:"flags,omitempty"`
}

// UnmarshalJSON takes an empty list, as PHP writes an empty map, for options without members. Node takes any
// other value for such, too; but what may be meant for some must not go to all.
func (o *RequestOptions) UnmarshalJSON(b []byte) error {
	type plain RequestOptions
	*o = RequestOptions{}
	switch {
	case len(b) > 0 && b[0] == '{':
		return json.Unmarshal(b, (*plain)(o))
	case len(b) > 1 && b[0] == '[' && len(bytes.TrimSpace(b[1:len(b)-1])) == 0:
		return nil
	}
	return ErrOptions
}

// RequestFlags are the flags that mean something here.
type RequestFlags struct {
	Volatile             Flag         `json:"volatile,omitempty"`
	Compress             Flag         `json:"compress,omitempty"`
	Broadcast            Flag         `json:"broadcast,omitempty"`
	Binary               Flag         `json:"binary,omitempty"`
	Timeout              Milliseconds `json:"timeout,omitempty"`
	ExpectSingleResponse Flag         `json:"expectSingleResponse,omitempty"`
}

// UnmarshalJSON takes anything that is no map for no flags.
func (f *RequestFlags) UnmarshalJSON(b []byte) error {
	type plain RequestFlags
	*f = RequestFlags{}
	return readMap(b, (*plain)(f))
}

// Response is a message on a response channel.
type Response struct {
	Type        *adapter.MessageType `json:"type,omitempty"`
	LegacyID    ID                   `json:"requestid,omitempty"`
	RequestID   ID                   `json:"requestId,omitempty"`
	Clients     *RoomList            `json:"clients,omitempty"`     // legacyClients
	Rooms       *RoomList            `json:"rooms,omitempty"`       // ALL_ROOMS, legacyAllRooms, legacyClientRooms
	Sockets     json.RawMessage      `json:"sockets,omitempty"`     // SOCKETS: ids; REMOTE_FETCH: objects
	ClientCount *uint64              `json:"clientCount,omitempty"` // BROADCAST_CLIENT_COUNT
	Packet      json.RawMessage      `json:"packet,omitempty"`      // BROADCAST_ACK
	Data        json.RawMessage      `json:"data,omitempty"`        // SERVER_SIDE_EMIT

	Attachments [][]byte `json:"-"`
}

// UnmarshalJSON reads a response as Node does.
func (r *Response) UnmarshalJSON(b []byte) error {
	type plain Response
	in := struct {
		*plain
		Type        *Whole `json:"type"`
		ClientCount *Whole `json:"clientCount"`
	}{plain: (*plain)(r)}
	*r = Response{}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if in.Type != nil {
		r.Type = TypeOf(adapter.MessageType(*in.Type))
	}
	count, err := in.ClientCount.Count()
	r.ClientCount = count
	return err
}

// RoomName is a room; Node applications may use a number.
type RoomName string

// RoomList is a list of rooms or socket ids. Node writes [] for an empty one, and so do we.
type RoomList []RoomName

func (l RoomList) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]RoomName(l))
}

// Rooms returns the list in the library's type.
func (l RoomList) Rooms() []socket.Room {
	rooms := make([]socket.Room, len(l))
	for i, r := range l {
		rooms[i] = socket.Room(r)
	}
	return rooms
}

// Set returns the list as a set, nil for an empty list.
func (l RoomList) Set() *types.Set[socket.Room] {
	if len(l) == 0 {
		return nil
	}
	return types.NewSet(l.Rooms()...)
}

// ListOf makes a list of anything that is a string; never nil, so that it is always written.
func ListOf[S ~string](names []S) RoomList {
	l := make(RoomList, len(names))
	for i, n := range names {
		l[i] = RoomName(n)
	}
	return l
}

// ListOfSet makes a list of a set, in order: the same message is always written alike.
func ListOfSet(rooms *types.Set[socket.Room]) RoomList {
	if rooms == nil {
		return RoomList{}
	}
	list := ListOf(rooms.Keys())
	slices.Sort(list)
	return list
}

// OptionsOf describes opts in a request.
func OptionsOf(opts *socket.BroadcastOptions) *RequestOptions {
	if opts == nil {
		return &RequestOptions{}
	}
	return &RequestOptions{Rooms: ListOfSet(opts.Rooms), Except: ListOfSet(opts.Except)}
}

// BroadcastOptions is the way back; a nil receiver selects everybody.
func (o *RequestOptions) BroadcastOptions() *socket.BroadcastOptions {
	opts := &socket.BroadcastOptions{Flags: &socket.BroadcastFlags{}}
	if o == nil {
		return opts
	}
	opts.Rooms, opts.Except = o.Rooms.Set(), o.Except.Set()
	f := o.Flags
	if f == nil {
		return opts
	}
	opts.Flags.Volatile, opts.Flags.Compress, opts.Flags.Broadcast = bool(f.Volatile), bool(f.Compress), bool(f.Broadcast)
	opts.Flags.Binary, opts.Flags.ExpectSingleResponse = bool(f.Binary), bool(f.ExpectSingleResponse)
	if f.Timeout > 0 {
		d := time.Duration(min(float64(f.Timeout), float64(MaxTimeout.Milliseconds()))) * time.Millisecond
		opts.Flags.Timeout = &d
	}
	return opts
}

// TypeOf is a shorthand for the optional type of a response.
func TypeOf(t adapter.MessageType) *adapter.MessageType { return &t }

// AckRequestOf describes a broadcast that wants acknowledgements.
func AckRequestOf(id, nsp string, data socketio.Payload, opts *socket.BroadcastOptions) *Request {
	req := &Request{
		RequestID: id, Type: rtypes.BROADCAST, Packet: &RequestPacket{Type: TypeEvent, Data: data.JSON, Nsp: nsp},
		Opts: OptionsOf(opts), Attachments: data.Attachments,
	}
	if opts != nil && opts.Flags != nil {
		req.Opts.Flags = &RequestFlags{Volatile: Flag(opts.Flags.Volatile), ExpectSingleResponse: Flag(opts.Flags.ExpectSingleResponse)}
	}
	return req
}

// NewID returns a random id in Node's form: a server's, a request's.
func NewID() string {
	id, err := adapter.Uid2(9)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return id
}
