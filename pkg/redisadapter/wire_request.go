package redisadapter

import (
	"encoding/json"
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
	legacyClients     adapter.MessageType = 0
	legacyClientRooms adapter.MessageType = 1
	legacyAllRooms    adapter.MessageType = 2
	legacyJoin        adapter.MessageType = 3
	legacyLeave       adapter.MessageType = 4
	legacyCustom      adapter.MessageType = 5
	legacyDisconnect  adapter.MessageType = 6
)

// request is a message on the request channel. Its fields are in the order Node writes them.
type request struct {
	UID       string              `json:"uid,omitempty"`
	LegacyID  string              `json:"requestid,omitempty"` // generation 2
	RequestID string              `json:"requestId,omitempty"` // generation 4
	Type      adapter.MessageType `json:"type"`
	Packet    *requestPacket      `json:"packet,omitempty"` // BROADCAST
	Opts      *requestOptions     `json:"opts,omitempty"`
	Rooms     roomList            `json:"rooms,omitempty"` // SOCKETS, REMOTE_JOIN, REMOTE_LEAVE
	Sid       string              `json:"sid,omitempty"`
	Room      roomName            `json:"room,omitempty"`
	Close     *bool               `json:"close,omitempty"` // REMOTE_DISCONNECT
	Data      json.RawMessage     `json:"data,omitempty"`  // SERVER_SIDE_EMIT

	attachments [][]byte // of Packet and Data, when the message was MessagePack
}

// requestPacket is the packet of a broadcast that wants acknowledgements.
type requestPacket struct {
	Type int             `json:"type"`
	Data json.RawMessage `json:"data"`
	Nsp  string          `json:"nsp"`
}

// requestOptions select sockets.
type requestOptions struct {
	Rooms  roomList      `json:"rooms"`
	Except roomList      `json:"except"`
	Flags  *requestFlags `json:"flags,omitempty"`
}

type requestFlags struct {
	Volatile             bool     `json:"volatile,omitempty"`
	Compress             *bool    `json:"compress,omitempty"`
	Timeout              *float64 `json:"timeout,omitempty"`
	ExpectSingleResponse bool     `json:"expectSingleResponse,omitempty"`
}

// response is a message on a response channel.
type response struct {
	Type        *adapter.MessageType `json:"type,omitempty"`
	LegacyID    string               `json:"requestid,omitempty"`
	RequestID   string               `json:"requestId,omitempty"`
	Clients     *roomList            `json:"clients,omitempty"`     // legacyClients
	Rooms       *roomList            `json:"rooms,omitempty"`       // ALL_ROOMS, legacyAllRooms, legacyClientRooms
	Sockets     json.RawMessage      `json:"sockets,omitempty"`     // SOCKETS: ids; REMOTE_FETCH: objects
	ClientCount *uint64              `json:"clientCount,omitempty"` // BROADCAST_CLIENT_COUNT
	Packet      json.RawMessage      `json:"packet,omitempty"`      // BROADCAST_ACK
	Data        json.RawMessage      `json:"data,omitempty"`        // SERVER_SIDE_EMIT

	attachments [][]byte
}

// roomName is a room; Node applications may use a number.
type roomName string

func (r *roomName) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' {
		f, err := strconv.ParseFloat(string(b), 64)
		if err != nil {
			return errRooms
		}
		*r = roomName(msgpack.AppendNumber(nil, f))
		return nil
	}
	return json.Unmarshal(b, (*string)(r))
}

// roomList is a list of rooms or socket ids. Node writes [] for an empty one, and so do we.
type roomList []roomName

func (l roomList) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]roomName(l))
}

// rooms returns the list in the library's type.
func (l roomList) rooms() []socket.Room {
	rooms := make([]socket.Room, len(l))
	for i, r := range l {
		rooms[i] = socket.Room(r)
	}
	return rooms
}

// set returns the list as a set, nil for an empty list.
func (l roomList) set() *types.Set[socket.Room] {
	if len(l) == 0 {
		return nil
	}
	return types.NewSet(l.rooms()...)
}

// listOf makes a list of anything that is a string; never nil, so that it is always written.
func listOf[S ~string](names []S) roomList {
	l := make(roomList, len(names))
	for i, n := range names {
		l[i] = roomName(n)
	}
	return l
}

func listOfSet(rooms *types.Set[socket.Room]) roomList {
	if rooms == nil {
		return roomList{}
	}
	return listOf(rooms.Keys())
}

// optionsOf describes opts in a request.
func optionsOf(opts *socket.BroadcastOptions) *requestOptions {
	if opts == nil {
		return &requestOptions{}
	}
	return &requestOptions{Rooms: listOfSet(opts.Rooms), Except: listOfSet(opts.Except)}
}

// broadcastOptions is the way back; a nil receiver selects everybody.
func (o *requestOptions) broadcastOptions() *socket.BroadcastOptions {
	opts := &socket.BroadcastOptions{Flags: &socket.BroadcastFlags{}}
	if o == nil {
		return opts
	}
	opts.Rooms, opts.Except = o.Rooms.set(), o.Except.set()
	if o.Flags != nil {
		opts.Flags.Volatile = o.Flags.Volatile
		opts.Flags.ExpectSingleResponse = o.Flags.ExpectSingleResponse
	}
	return opts
}

// typeOf is a shorthand for the optional type of a response.
func typeOf(t adapter.MessageType) *adapter.MessageType { return &t }

// ackRequestOf describes a broadcast that wants acknowledgements.
func ackRequestOf(id, nsp string, data socketio.Payload, opts *socket.BroadcastOptions) *request {
	req := &request{
		RequestID: id, Type: rtypes.BROADCAST, Packet: &requestPacket{Type: typeEvent, Data: data.JSON, Nsp: nsp},
		Opts: optionsOf(opts), attachments: data.Attachments,
	}
	if opts != nil && opts.Flags != nil {
		req.Opts.Flags = &requestFlags{Volatile: opts.Flags.Volatile, ExpectSingleResponse: opts.Flags.ExpectSingleResponse}
	}
	return req
}
