package redisadapter

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/tinylib/msgp/msgp"
	rtypes "github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/socketio"
)

// streamWire is the wire of @socket.io/redis-streams-adapter 0.3: cluster messages, see
// wire_cluster_message.go. Broadcasts and commands (types 3 to 6) are entries of the stream, see
// stream_entry.go; what wants an answer is published in MessagePack on the namespace's channel, the
// answer on that of the asker.
type streamWire struct {
	a       *Adapter
	main    string // "socket.io#/chat#"; that and "uid#" is the channel of one instance
	own     string
	private string // "socket.io-peers#/chat#": our own instances only
}

func newStreamWire(a *Adapter) *streamWire {
	main := a.hub.cfg.key + "#" + a.nsp + "#"
	return &streamWire{a: a, main: main, own: main + string(a.uid) + "#", private: channelsOf(a.hub.cfg.key, a.nsp).peers}
}

func (w *streamWire) legacy() bool { return false }

func (w *streamWire) subscription() subscription {
	return subscription{
		nsp: w.a.nsp, channels: []string{w.main, w.own, w.private}, listeners: listeners{all: w.main, ours: w.private},
	}
}

func (w *streamWire) broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64) ([]item, error) {
	it, err := w.entry(clusterBroadcast(string(w.a.uid), w.a.nsp, data, opts, "").numbered(number))
	if err != nil {
		return nil, err
	}
	return []item{it}, nil
}

// entry makes an entry of m.
func (w *streamWire) entry(m clusterMessage) (item, error) {
	e := &entry{uid: m.UID, nsp: m.Nsp, typ: strconv.Itoa(int(m.Type))}
	if err := w.a.hub.codec.encodeEntry(e, m.Data); err != nil {
		return item{}, err
	}
	return item{entry: e}, nil
}

// publish makes a message for one of the channels, or for our own instances if Node could not bear
// it.
func (w *streamWire) publish(m clusterMessage, channel string) (item, error) {
	b, deep, err := w.a.hub.codec.encodeCluster(m, true)
	if deep {
		channel = w.private
	}
	return item{channel: channel, payload: b}, err
}

func (w *streamWire) request(req *request) (item, error) {
	m, err := clusterRequest(string(w.a.uid), w.a.nsp, req)
	switch {
	case err != nil:
		return item{}, err
	case m.Type == clusterPeerRequest:
		return w.publish(m, w.private)
	case m.Type == clusterJoin || m.Type == clusterLeave || m.Type == clusterDisconnect:
		return w.entry(m)
	}
	return w.publish(m, w.main)
}

func (w *streamWire) peers(req *request) (item, error) {
	b, err := encodeJSON(req)
	if err != nil {
		return item{}, err
	}
	data := socketio.Payload{JSON: b, Attachments: req.attachments}
	return w.publish(clusterMessage{Type: clusterPeerRequest, UID: string(w.a.uid), Nsp: w.a.nsp, Data: data}, w.private)
}

func (w *streamWire) ackRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c census) (list []item, unasked int, err error) {
	it, err := w.publish(clusterBroadcast(string(w.a.uid), w.a.nsp, data, opts, id), w.main)
	if err != nil {
		return nil, 0, err
	}
	if it.channel == w.private {
		unasked = c.node4()
	}
	return []item{it}, unasked, nil
}

func (w *streamWire) answer(req *request, r *response) (item, error) {
	m, err := clusterResponse(string(w.a.uid), w.a.nsp, req, r)
	if err != nil {
		return item{}, err
	}
	return w.publish(m, w.main+req.UID+"#")
}

// ack passes on the first argument, there is no room for more in the protocol.
func (w *streamWire) ack(req *request, args []socketio.Payload) (item, error) {
	r := &response{Type: typeOf(rtypes.BROADCAST_ACK)}
	if len(args) > 0 {
		r.Packet, r.attachments = args[0].JSON, args[0].Attachments
	}
	return w.answer(req, r)
}

func (w *streamWire) receive(_ string, b []byte) error {
	m, err := w.a.hub.codec.decodeCluster(b)
	if err != nil {
		return err
	}
	return w.a.receiveCluster(&m)
}

// receiveEntry does what an entry says.
func (w *streamWire) receiveEntry(e *entry) error {
	if e.uid == string(w.a.uid) {
		return errNotForUs
	}
	typ, err := strconv.Atoi(e.typ)
	if err != nil {
		return errEntry
	}
	data, err := w.a.hub.codec.decodeEntry(e)
	if err != nil {
		return err
	}
	return w.a.receiveCluster(&clusterMessage{Type: adapter.MessageType(typ), UID: e.uid, Nsp: e.nsp, Data: data})
}

// encodeEntry sets what e says: JSON text as it is, or MessagePack for Node if there is binary.
func (c *codec) encodeEntry(e *entry, data socketio.Payload) error {
	enc := c.encoders.Get().(*encoder)
	defer func() { enc.Reset(); c.encoders.Put(enc) }()
	if err := c.outline(enc, data); err != nil {
		return err
	}
	e.hidden = enc.Depth > nodeDepth
	binary := false
	for _, part := range enc.Containers {
		binary = binary || isAttachment(part)
	}
	switch {
	case !binary:
		e.data = string(data.JSON)
	case e.hidden:
		e.json = string(data.JSON)
	default:
		enc.Out = enc.Out[:0]
		enc.AppendJSON(data.JSON, data.Attachments)
		e.data = base64.StdEncoding.EncodeToString(enc.Out)
		if enc.Lossy {
			e.json = string(data.JSON)
		}
	}
	if e.json != "" {
		atts := msgp.AppendArrayHeader(nil, uint32(len(data.Attachments)))
		for _, a := range data.Attachments {
			atts = msgp.AppendBytes(atts, a)
		}
		e.atts = base64.StdEncoding.EncodeToString(atts)
	}
	if e.size() > c.limit+entryOverhead {
		return errTooLarge
	}
	return nil
}

// decodeEntry reads the data of an entry. JSON may still be malformed.
func (c *codec) decodeEntry(e *entry) (data socketio.Payload, err error) {
	if data, err = entryData(e); err == nil {
		err = c.countAttachments(data)
	}
	return data, err
}

func entryData(e *entry) (data socketio.Payload, err error) {
	switch {
	case e.json != "":
		data = payload([]byte(e.json), nil)
		if !json.Valid(data.JSON) {
			return data, errRaw
		}
		atts, err := base64.StdEncoding.DecodeString(e.atts)
		if err != nil {
			return data, errRaw
		}
		if data.Attachments, _, err = readAttachments(atts); err != nil {
			return data, err
		}
	case e.data == "":
		return data, nil
	case e.data[0] == '{':
		return payload([]byte(e.data), nil), nil
	default:
		b, err := base64.StdEncoding.DecodeString(e.data)
		if err != nil {
			return data, errEntryData
		}
		d := msgpack.Decoder{}
		rest, err := d.Value(b)
		if err != nil {
			return data, err
		}
		if len(rest) > 0 {
			return data, errTrailing
		}
		for i, a := range d.Attachments {
			d.Attachments[i] = bytes.Clone(a)
		}
		data = socketio.Payload{JSON: d.Out, Attachments: d.Attachments}
	}
	return data, checkPlaceholders(data.JSON, len(data.Attachments))
}
