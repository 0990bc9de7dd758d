package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// What the nodes of the modes sharded and streams tell each other are the messages of the class
// ClusterAdapter of socket.io-adapter 2.5:
//
//	{"type": 3, "data": {…}, "uid": "…", "nsp": "/chat"}
//
//	type                          data
//	1, 2, 13  heartbeats, close   absent (adapters that count by heartbeats)
//	3   BROADCAST                 {packet: {type: 2, data: ["event", …]}, opts}, with requestId it wants acknowledgements
//	4   SOCKETS_JOIN              {opts, rooms}
//	5   SOCKETS_LEAVE             {opts, rooms}
//	6   DISCONNECT_SOCKETS        {opts, close}
//	7   FETCH_SOCKETS             {opts, requestId}
//	8   FETCH_SOCKETS_RESPONSE    {requestId, sockets}
//	9   SERVER_SIDE_EMIT          {requestId, packet: ["event", …]}
//	10  SERVER_SIDE_EMIT_RESPONSE {requestId, packet}
//	11  BROADCAST_CLIENT_COUNT    {requestId, clientCount}
//	12  BROADCAST_ACK             {requestId, packet}
//	101 a request among our own instances, data is that of request.go
//	102 the answer to one
//
// It is JSON, or MessagePack when there is binary data in it. Node looks only at the four members
// above. Where MessagePack, or Node's reader of it, cannot carry the data exactly, ours adds two:
// "raw", the data as JSON text, and "atts", its binary values.
const (
	clusterHeartbeat1     adapter.MessageType = 1
	clusterHeartbeat2     adapter.MessageType = 2
	clusterBroadcastType  adapter.MessageType = 3
	TypeJoin              adapter.MessageType = 4
	TypeLeave             adapter.MessageType = 5
	TypeDisconnect        adapter.MessageType = 6
	clusterFetch          adapter.MessageType = 7
	clusterFetched        adapter.MessageType = 8
	clusterServerSide     adapter.MessageType = 9
	clusterServerSideDone adapter.MessageType = 10
	clusterClientCount    adapter.MessageType = 11
	clusterAck            adapter.MessageType = 12
	clusterClose          adapter.MessageType = 13
	TypePeerRequest       adapter.MessageType = 101
	clusterPeerAnswer     adapter.MessageType = 102
)

// Message is one such message.
type Message struct {
	Type     adapter.MessageType
	UID, Nsp string
	Data     socketio.Payload // the member data; without JSON: absent
}

var (
	errClusterMessage = errors.New("neither JSON nor MessagePack of a message {type, data, uid, nsp}")
	errClusterData    = errors.New("data of the message lacks what its type needs")
)

// Broadcast describes an event; with a request id its receivers are asked to acknowledge it.
func Broadcast(uid, nsp string, data socketio.Payload, opts *socket.BroadcastOptions, requestID string) Message {
	b := make([]byte, 0, len(data.JSON)+96)
	b = append(append(append(b, `{"packet":{"type":2,"data":`...), data.JSON...), '}')
	if requestID != "" {
		b = msgpack.AppendString(append(b, `,"requestId":`...), []byte(requestID))
	}
	b = append(appendClusterOptions(append(b, `,"opts":`...), opts), '}')
	return Message{Type: clusterBroadcastType, UID: uid, Nsp: nsp, Data: socketio.Payload{JSON: b, Attachments: data.Attachments}}
}

// appendClusterOptions appends {rooms, except, flags}.
func appendClusterOptions(b []byte, opts *socket.BroadcastOptions) []byte {
	if opts == nil || opts.Flags == nil && !wire.HasRooms(opts) && (opts.Except == nil || opts.Except.Len() == 0) {
		return append(b, `{"rooms":[],"except":[],"flags":{}}`...)
	}
	b = appendRoomList(append(b, `{"rooms":`...), wire.ListOfSet(opts.Rooms))
	b = appendRoomList(append(b, `,"except":`...), wire.ListOfSet(opts.Except))
	b = append(b, `,"flags":{`...)
	if f := opts.Flags; f != nil {
		comma := false
		for _, flag := range wire.FlagsOf(f) {
			if !flag.On {
				continue
			}
			if comma {
				b = append(b, ',')
			}
			b, comma = append(append(append(b, '"'), flag.Name...), `":true`...), true
		}
		if f.Timeout != nil {
			if comma {
				b = append(b, ',')
			}
			b = strconv.AppendInt(append(b, `"timeout":`...), f.Timeout.Milliseconds(), 10)
		}
	}
	return append(b, `}}`...)
}

func appendRoomList(b []byte, rooms wire.RoomList) []byte {
	b = append(b, '[')
	for i, room := range rooms {
		if i > 0 {
			b = append(b, ',')
		}
		b = msgpack.AppendString(b, []byte(room))
	}
	return append(b, ']')
}

// RequestOf describes a request. One that Node's nodes do not know is for our own instances.
func RequestOf(uid, nsp string, req *wire.Request) (Message, error) {
	m := Message{UID: uid, Nsp: nsp}
	var data any
	flagged := wire.RequestOptions{}
	if req.Opts != nil {
		flagged = *req.Opts
	}
	if flagged.Flags == nil {
		flagged.Flags = &wire.RequestFlags{}
	}
	switch req.Type {
	case rtypes.REMOTE_JOIN, rtypes.REMOTE_LEAVE:
		m.Type = TypeJoin
		if req.Type == rtypes.REMOTE_LEAVE {
			m.Type = TypeLeave
		}
		data = struct {
			Opts  wire.RequestOptions `json:"opts"`
			Rooms wire.RoomList       `json:"rooms"`
		}{flagged, req.Rooms}
	case rtypes.REMOTE_DISCONNECT:
		m.Type = TypeDisconnect
		data = struct {
			Opts  wire.RequestOptions `json:"opts"`
			Close *bool               `json:"close,omitempty"`
		}{flagged, req.Close}
	case rtypes.REMOTE_FETCH:
		m.Type = clusterFetch
		data = struct {
			Opts      wire.RequestOptions `json:"opts"`
			RequestID wire.ID             `json:"requestId"`
		}{flagged, wire.ID(req.RequestID)}
	case rtypes.SERVER_SIDE_EMIT:
		m.Type = clusterServerSide
		data = struct {
			RequestID wire.ID         `json:"requestId,omitempty"`
			Packet    json.RawMessage `json:"packet"`
		}{wire.ID(req.RequestID), req.Data}
	default:
		m.Type, data = TypePeerRequest, req
	}
	b, err := wire.EncodeJSON(data)
	m.Data = socketio.Payload{JSON: b, Attachments: req.Attachments}
	return m, err
}

// ResponseOf describes the answer to req.
func ResponseOf(uid, nsp string, req *wire.Request, r *wire.Response) (Message, error) {
	m := Message{UID: uid, Nsp: nsp}
	var data any
	switch {
	case req.Type == rtypes.REMOTE_FETCH:
		m.Type = clusterFetched
		data = struct {
			RequestID wire.ID         `json:"requestId"`
			Sockets   json.RawMessage `json:"sockets"`
		}{wire.ID(req.RequestID), r.Sockets}
	case req.Type == rtypes.SERVER_SIDE_EMIT:
		m.Type = clusterServerSideDone
		data = packetAnswer{wire.ID(req.RequestID), r.Data}
	case req.Type == rtypes.BROADCAST && r.ClientCount != nil:
		m.Type = clusterClientCount
		data = struct {
			RequestID   wire.ID `json:"requestId"`
			ClientCount uint64  `json:"clientCount"`
		}{wire.ID(req.RequestID), *r.ClientCount}
	case req.Type == rtypes.BROADCAST:
		m.Type = clusterAck
		data = packetAnswer{wire.ID(req.RequestID), r.Packet}
	default:
		r.RequestID = wire.ID(req.RequestID)
		m.Type, data = clusterPeerAnswer, r
	}
	b, err := wire.EncodeJSON(data)
	m.Data = socketio.Payload{JSON: b, Attachments: r.Attachments}
	return m, err
}

// packetAnswer is an answer with one value, which may be absent.
type packetAnswer struct {
	RequestID wire.ID         `json:"requestId"`
	Packet    json.RawMessage `json:"packet,omitempty"`
}

// Numbered adds a number to a cluster message's data, which is an object.
func (m Message) Numbered(number uint64) Message {
	if number != 0 {
		m.Data.JSON = fmt.Appendf(m.Data.JSON[:len(m.Data.JSON)-1], `,"seq":%d}`, number)
	}
	return m
}
