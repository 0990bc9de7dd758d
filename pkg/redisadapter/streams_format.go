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

// streamsFormat is the format of @socket.io/redis-streams-adapter 0.3: cluster messages. Broadcasts and
// commands (types 3 to 6) are entries of the stream; what wants an answer is published in MessagePack on
// the namespace's channel, the answer on that of the asker.
type streamsFormat struct {
	*codec
	uid, nsp string
	main     string // "socket.io#/chat#"; that and "uid#" is the channel of one instance
	own      string
	private  string // "socket.io-peers#/chat#": our own instances only
}

func newStreamsFormat(c *codec, key, nsp, uid string) *streamsFormat {
	main := key + "#" + nsp + "#"
	return &streamsFormat{codec: c, uid: uid, nsp: nsp, main: main, own: main + uid + "#", private: key + "-peers#" + nsp + "#"}
}

func (w *streamsFormat) legacy() bool { return false }

func (w *streamsFormat) subscription() subscription {
	return subscription{
		nsp: w.nsp, channels: []string{w.main, w.own, w.private}, listeners: listeners{all: w.main, ours: w.private},
	}
}

func (w *streamsFormat) broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64, _ census) ([]out, error) {
	it, err := w.entry(clusterBroadcast(w.uid, w.nsp, data, opts, "").numbered(number))
	if err != nil {
		return nil, err
	}
	return []out{it}, nil
}

// entry makes an entry of m.
func (w *streamsFormat) entry(m clusterMessage) (out, error) {
	e := &entry{uid: m.UID, nsp: m.Nsp, typ: strconv.Itoa(int(m.Type))}
	if err := encodeEntry(w.codec, e, m.Data); err != nil {
		return out{}, err
	}
	return out{entry: e}, nil
}

// publish makes a message for one of the channels, or for our own instances if Node could not bear
// it.
func (w *streamsFormat) publish(m clusterMessage, channel string) (out, error) {
	b, deep, err := encodeCluster(w.codec, m, true)
	if deep {
		channel = w.private
	}
	return out{channel: channel, payload: b}, err
}

func (w *streamsFormat) request(req *request) (out, error) {
	m, err := clusterRequest(w.uid, w.nsp, req)
	switch {
	case err != nil:
		return out{}, err
	case m.Type == clusterPeerRequest:
		return w.publish(m, w.private)
	case m.Type == clusterJoin || m.Type == clusterLeave || m.Type == clusterDisconnect:
		return w.entry(m)
	}
	return w.publish(m, w.main)
}

func (w *streamsFormat) peers(req *request) (out, error) {
	b, err := encodeJSON(req)
	if err != nil {
		return out{}, err
	}
	data := socketio.Payload{JSON: b, Attachments: req.attachments}
	return w.publish(clusterMessage{Type: clusterPeerRequest, UID: w.uid, Nsp: w.nsp, Data: data}, w.private)
}

func (w *streamsFormat) ackRequest(id string, data socketio.Payload, opts *socket.BroadcastOptions, c census) (list []out, unasked int, err error) {
	it, err := w.publish(clusterBroadcast(w.uid, w.nsp, data, opts, id), w.main)
	if err != nil {
		return nil, 0, err
	}
	if it.channel == w.private {
		unasked = c.node4()
	}
	return []out{it}, unasked, nil
}

func (w *streamsFormat) answer(req *request, r *response) (out, error) {
	m, err := clusterResponse(w.uid, w.nsp, req, r)
	if err != nil {
		return out{}, err
	}
	return w.publish(m, w.main+req.UID+"#")
}

// ack passes on the first argument, there is no room for more in the protocol.
func (w *streamsFormat) ack(req *request, args []socketio.Payload) (out, error) {
	r := &response{Type: typeOf(rtypes.BROADCAST_ACK)}
	if len(args) > 0 {
		r.Packet, r.attachments = args[0].JSON, args[0].Attachments
	}
	return w.answer(req, r)
}

func (w *streamsFormat) needsCensus(socketio.Payload, *socket.BroadcastOptions) bool { return false }

func (w *streamsFormat) decode(_ string, b []byte, wanted func(*socket.BroadcastOptions) bool) (received, error) {
	m, err := decodeCluster(w.codec, b)
	if err != nil {
		return received{}, err
	}
	return m.received(w.uid, w.nsp, wanted)
}

func (w *streamsFormat) decodeEntry(e *entry, wanted func(*socket.BroadcastOptions) bool) (received, error) {
	if e.uid == w.uid {
		return received{}, errNotForUs
	}
	typ, err := strconv.Atoi(e.typ)
	if err != nil {
		return received{}, errEntry
	}
	data, err := decodeEntry(w.codec, e)
	if err != nil {
		return received{}, err
	}
	m := &clusterMessage{Type: adapter.MessageType(typ), UID: e.uid, Nsp: e.nsp, Data: data}
	return m.received(w.uid, w.nsp, wanted)
}

// encodeEntry sets what e says: JSON text as it is, or MessagePack for Node if there is binary.
func encodeEntry(c *codec, e *entry, data socketio.Payload) error {
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
func decodeEntry(c *codec, e *entry) (data socketio.Payload, err error) {
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
