package cluster

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// The data of cluster messages, read strictly: what is missing or of the wrong kind makes the
// message one to reject. Flags alone are read as JavaScript would, since applications may set them
// to anything.

// clusterFields are the members of all types' data.
type clusterFields struct {
	RequestID *string         `json:"requestId"`
	Packet    json.RawMessage `json:"packet"`
	Opts      *clusterOpts    `json:"opts"`
	Rooms     *wire.RoomList  `json:"rooms"`
	Close     *bool           `json:"close"`
	Sockets   json.RawMessage `json:"sockets"`
	Count     *uint64         `json:"clientCount"`
	Number    json.Number     `json:"seq"` // of ours
}

// clusterOpts select sockets.
type clusterOpts struct {
	Rooms  wire.RoomList `json:"rooms"`
	Except wire.RoomList `json:"except"`
	Flags  clusterFlags  `json:"flags"`
}

// clusterFlags are the flags that mean something here.
type clusterFlags struct {
	Volatile             loose `json:"volatile"`
	Compress             loose `json:"compress"`
	Broadcast            loose `json:"broadcast"`
	Binary               loose `json:"binary"`
	ExpectSingleResponse loose `json:"expectSingleResponse"`
	Timeout              loose `json:"timeout"`
}

// UnmarshalJSON takes an empty list, or anything else that is no map, for no flags.
func (f *clusterFlags) UnmarshalJSON(b []byte) error {
	type plain clusterFlags
	if json.Unmarshal(b, (*plain)(f)) != nil {
		*f = clusterFlags{}
	}
	return nil
}

// loose is a flag: a boolean or a number, anything else is as if it was not there.
type loose struct {
	on     bool
	number float64 // -1: none
}

func (l *loose) UnmarshalJSON(b []byte) error {
	l.number = -1
	if l.on = string(b) == "true"; !l.on && json.Unmarshal(b, &l.number) != nil {
		l.number = -1
	}
	return nil
}

func (o *clusterOpts) broadcastOptions() *socket.BroadcastOptions {
	f := o.Flags
	opts := &socket.BroadcastOptions{Rooms: o.Rooms.Set(), Except: o.Except.Set(), Flags: &socket.BroadcastFlags{}}
	opts.Flags.Volatile, opts.Flags.Compress, opts.Flags.Broadcast = f.Volatile.on, f.Compress.on, f.Broadcast.on
	opts.Flags.Binary, opts.Flags.ExpectSingleResponse = f.Binary.on, f.ExpectSingleResponse.on
	if f.Timeout.number > 0 {
		d := time.Duration(math.Min(f.Timeout.number, float64(wire.MaxTimeout.Milliseconds()))) * time.Millisecond
		opts.Flags.Timeout = &d
	}
	return opts
}

// RequestOptions are the same for the handlers of requests.
func (o *clusterOpts) requestOptions() *wire.RequestOptions {
	flags := &wire.RequestFlags{Volatile: o.Flags.Volatile.on, ExpectSingleResponse: o.Flags.ExpectSingleResponse.on}
	return &wire.RequestOptions{Rooms: o.Rooms, Except: o.Except, Flags: flags}
}

// fields reads the data.
func (m *Message) fields() (f clusterFields, err error) {
	if len(m.Data.JSON) == 0 {
		return f, errClusterData
	}
	if err := json.Unmarshal(m.Data.JSON, &f); err != nil {
		return f, fmt.Errorf("%w: %w", errClusterData, err)
	}
	return f, nil
}

// event reads the packet of a broadcast.
func (m *Message) event(f clusterFields) (socketio.Payload, error) {
	var packet struct {
		Type int             `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	if f.Opts == nil || json.Unmarshal(f.Packet, &packet) != nil || packet.Data == nil ||
		packet.Type != wire.TypeEvent && packet.Type != wire.TypeBinaryEvent {
		return socketio.Payload{}, wire.ErrPacket
	}
	return wire.Payload(packet.Data, m.Data.Attachments), wire.CheckEvent(packet.Data)
}

// Broadcast reads a BROADCAST. One that wants acknowledgements is a request.
func (m *Message) broadcast(reach wire.Reach) (wire.Received, error) {
	f, err := m.fields()
	if err != nil {
		return wire.Received{}, err
	}
	if f.RequestID == nil && f.Opts != nil && !reach.Any(f.Opts.broadcastOptions()) {
		return wire.Received{}, wire.ErrNobodyHere
	}
	data, err := m.event(f)
	if err != nil {
		return wire.Received{}, err
	}
	if f.RequestID != nil {
		return wire.Received{Request: &wire.Request{
			UID: m.UID, RequestID: *f.RequestID, Type: rtypes.BROADCAST, Opts: f.Opts.requestOptions(),
			Packet: &wire.RequestPacket{Type: wire.TypeEvent, Data: data.JSON, Nsp: m.Nsp}, Attachments: data.Attachments,
		}}, nil
	}
	msg := &wire.Broadcast{Data: data, Opts: f.Opts.broadcastOptions()}
	if n, err := strconv.ParseUint(string(f.Number), 10, 64); err == nil {
		msg.From, msg.Number = m.UID, n
	}
	return wire.Received{Broadcast: msg}, nil
}

// Request reads a request other than a BROADCAST.
func (m *Message) request() (*wire.Request, error) {
	if m.Type == TypePeerRequest {
		req := &wire.Request{}
		if err := json.Unmarshal(m.Data.JSON, req); err != nil {
			return nil, fmt.Errorf("%w: %w", errClusterData, err)
		}
		req.UID, req.LegacyID, req.Attachments = m.UID, "", m.Data.Attachments
		return req, nil
	}
	f, err := m.fields()
	if err != nil {
		return nil, err
	}
	req := &wire.Request{UID: m.UID}
	if f.RequestID != nil {
		req.RequestID = *f.RequestID
	}
	if f.Opts != nil {
		req.Opts = f.Opts.requestOptions()
	}
	ok := f.Opts != nil
	switch m.Type {
	case TypeJoin, TypeLeave:
		req.Type = rtypes.REMOTE_JOIN
		if m.Type == TypeLeave {
			req.Type = rtypes.REMOTE_LEAVE
		}
		if ok = ok && f.Rooms != nil; ok {
			req.Rooms = *f.Rooms
		}
	case TypeDisconnect:
		req.Type, req.Close = rtypes.REMOTE_DISCONNECT, f.Close
	case clusterFetch:
		req.Type = rtypes.REMOTE_FETCH
		ok = ok && f.RequestID != nil
	case clusterServerSide:
		req.Type = rtypes.SERVER_SIDE_EMIT
		ok = f.Packet != nil
		if req.Data, err = m.inlined(f.Packet); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%w: type %d", wire.ErrRequestType, m.Type)
	}
	if !ok {
		return nil, errClusterData
	}
	return req, nil
}

// Response reads an answer.
func (m *Message) response() (*wire.Response, error) {
	if m.Type == clusterPeerAnswer {
		r := &wire.Response{}
		if err := json.Unmarshal(m.Data.JSON, r); err != nil {
			return nil, fmt.Errorf("%w: %w", errClusterData, err)
		}
		r.LegacyID, r.Attachments = "", m.Data.Attachments
		return r, nil
	}
	f, err := m.fields()
	if err != nil {
		return nil, err
	}
	if f.RequestID == nil {
		return nil, errClusterData
	}
	r := &wire.Response{RequestID: *f.RequestID, Attachments: m.Data.Attachments}
	switch m.Type {
	case clusterFetched:
		r.Sockets, err = m.inlined(f.Sockets)
	case clusterServerSideDone:
		r.Type = wire.TypeOf(rtypes.SERVER_SIDE_EMIT)
		r.Data, err = m.inlined(f.Packet)
	case clusterClientCount:
		if f.Count == nil {
			return nil, errClusterData
		}
		r.Type, r.ClientCount = wire.TypeOf(rtypes.BROADCAST_CLIENT_COUNT), f.Count
	case clusterAck:
		r.Type, r.Packet = wire.TypeOf(rtypes.BROADCAST_ACK), f.Packet
	}
	return r, err
}

// inlined is a part of the data with its binary values as JSON; nil if it is absent.
func (m *Message) inlined(part json.RawMessage) (json.RawMessage, error) {
	if len(part) == 0 {
		return nil, nil
	}
	return wire.InlineBinary(socketio.Payload{JSON: part, Attachments: m.Data.Attachments}, inlinedMessage)
}

// inlinedMessage bounds the binary values that a part of a message becomes JSON with, in bytes.
const inlinedMessage = 16 << 20
