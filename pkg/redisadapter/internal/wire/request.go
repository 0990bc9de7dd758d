package wire

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/zishang520/engine.io/v2/types"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
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
	LegacyID  string              `json:"requestid,omitempty"` // generation 2
	RequestID string              `json:"requestId,omitempty"` // generation 4
	Type      adapter.MessageType `json:"type"`
	Packet    *RequestPacket      `json:"packet,omitempty"` // BROADCAST
	Opts      *RequestOptions     `json:"opts,omitempty"`
	Rooms     RoomList            `json:"rooms,omitempty"` // SOCKETS, REMOTE_JOIN, REMOTE_LEAVE
	Sid       string              `json:"sid,omitempty"`
	Room      RoomName            `json:"room,omitempty"`
	Close     *bool               `json:"close,omitempty"` // REMOTE_DISCONNECT
	Data      json.RawMessage     `json:"data,omitempty"`  // SERVER_SIDE_EMIT

	Attachments [][]byte `json:"-"` // of Packet and Data, when the message was MessagePack
}

// RequestPacket is the packet of a broadcast that wants acknowledgements.
type RequestPacket struct {
	Type int             `json:"type"`
	Data json.RawMessage `json:"data"`
	Nsp  string          `json:"nsp"`
}

// RequestOptions select sockets.
type RequestOptions struct {
	Rooms  RoomList      `json:"rooms"`
	Except RoomList      `json:"except"`
	Flags  *RequestFlags `json:"flags,omitempty"`
}

type RequestFlags struct {
	Volatile             bool     `json:"volatile,omitempty"`
	Compress             *bool    `json:"compress,omitempty"`
	Timeout              *float64 `json:"timeout,omitempty"`
	ExpectSingleResponse bool     `json:"expectSingleResponse,omitempty"`
}

// Response is a message on a response channel.
type Response struct {
	Type        *adapter.MessageType `json:"type,omitempty"`
	LegacyID    string               `json:"requestid,omitempty"`
	RequestID   string               `json:"requestId,omitempty"`
	Clients     *RoomList            `json:"clients,omitempty"`     // legacyClients
	Rooms       *RoomList            `json:"rooms,omitempty"`       // ALL_ROOMS, legacyAllRooms, legacyClientRooms
	Sockets     json.RawMessage      `json:"sockets,omitempty"`     // SOCKETS: ids; REMOTE_FETCH: objects
	ClientCount *uint64              `json:"clientCount,omitempty"` // BROADCAST_CLIENT_COUNT
	Packet      json.RawMessage      `json:"packet,omitempty"`      // BROADCAST_ACK
	Data        json.RawMessage      `json:"data,omitempty"`        // SERVER_SIDE_EMIT

	Attachments [][]byte `json:"-"`
}

// RoomName is a room; Node applications may use a number.
type RoomName string

func (r *RoomName) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' {
		f, err := strconv.ParseFloat(string(b), 64)
		if err != nil {
			return ErrRooms
		}
		*r = RoomName(msgpack.AppendNumber(nil, f))
		return nil
	}
	return json.Unmarshal(b, (*string)(r))
}

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
	if o.Flags != nil {
		opts.Flags.Volatile = o.Flags.Volatile
		opts.Flags.ExpectSingleResponse = o.Flags.ExpectSingleResponse
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
		req.Opts.Flags = &RequestFlags{Volatile: opts.Flags.Volatile, ExpectSingleResponse: opts.Flags.ExpectSingleResponse}
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
