package cluster

import (
	"encoding/json"
	"fmt"
	"strconv"

	rtypes "github.com/zishang520/socket.io-go-redis/types"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// The data of cluster messages, read strictly: what is missing, or what Node would die of, makes the message
// one to reject. Each value is read as JavaScript would, see package wire.

// clusterFields are the members of all types' data.
type clusterFields struct {
	RequestID *wire.ID             `json:"requestId"`
	Packet    json.RawMessage      `json:"packet"`
	Opts      *wire.RequestOptions `json:"opts"`
	Rooms     *wire.Targets        `json:"rooms"`
	Close     *wire.Truth          `json:"close"`
	Sockets   json.RawMessage      `json:"sockets"`
	Count     *wire.Whole          `json:"clientCount"`
	Number    json.Number          `json:"seq"` // of ours
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
		Type wire.PacketType `json:"type"`
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
	if f.RequestID == nil && f.Opts != nil && !reach.Any(f.Opts.BroadcastOptions()) {
		return wire.Received{}, wire.ErrNobodyHere
	}
	data, err := m.event(f)
	if err != nil {
		return wire.Received{}, err
	}
	if f.RequestID != nil {
		return wire.Received{Request: &wire.Request{
			UID: m.UID, RequestID: string(*f.RequestID), Type: rtypes.BROADCAST, Opts: f.Opts,
			Packet: &wire.RequestPacket{Type: wire.TypeEvent, Data: data.JSON, Nsp: m.Nsp}, Attachments: data.Attachments,
		}}, nil
	}
	msg := &wire.Broadcast{Data: data, Opts: f.Opts.BroadcastOptions()}
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
	req := &wire.Request{UID: m.UID, Opts: f.Opts}
	if f.RequestID != nil {
		req.RequestID = string(*f.RequestID)
	}
	ok := f.Opts != nil
	switch m.Type {
	case TypeJoin, TypeLeave:
		req.Type = rtypes.REMOTE_JOIN
		if m.Type == TypeLeave {
			req.Type = rtypes.REMOTE_LEAVE
		}
		if ok = ok && f.Rooms != nil; ok {
			req.Rooms = wire.RoomList(*f.Rooms)
		}
	case TypeDisconnect:
		req.Type, req.Close = rtypes.REMOTE_DISCONNECT, (*bool)(f.Close)
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
		r.Type = wire.TypeOf(rtypes.BROADCAST_CLIENT_COUNT)
		if r.ClientCount, err = f.Count.Count(); err == nil && r.ClientCount == nil {
			err = errClusterData
		}
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
