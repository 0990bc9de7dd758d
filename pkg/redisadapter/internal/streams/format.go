package streams

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// Format is the format of @socket.io/redis-streams-adapter 0.3: cluster messages. Broadcasts and
// commands (types 3 to 6) are entries of the stream; what wants an answer is published in MessagePack on
// the namespace's channel, the answer on that of the asker.
type Format struct {
	cluster.Messages
}

func New(c *wire.Codec, key, nsp, uid string) *Format {
	names := cluster.Channels{
		Main:  key + "#" + nsp + "#", // that and "uid#" is the channel of one instance
		Peers: key + "-peers#" + nsp + "#",
	}
	w := &Format{cluster.MessagesOf(c, names, nsp, uid)}
	w.Binary = true
	return w
}

func (w *Format) Broadcast(data socketio.Payload, opts *socket.BroadcastOptions, number uint64, _ wire.Census) ([]wire.Out, error) {
	it, err := EntryOf(w.Codec, cluster.Broadcast(w.UID, w.Nsp, data, opts, "").Numbered(number))
	if err != nil {
		return nil, err
	}
	return []wire.Out{it}, nil
}

// EntryOf makes an entry of m.
func EntryOf(c *wire.Codec, m cluster.Message) (wire.Out, error) {
	e := &wire.Entry{Uid: m.UID, Nsp: m.Nsp, Typ: strconv.Itoa(int(m.Type))}
	if err := EncodeEntry(c, e, m.Data); err != nil {
		return wire.Out{}, err
	}
	return wire.Out{Entry: e}, nil
}

func (w *Format) Request(req *wire.Request) (wire.Out, error) {
	m, err := cluster.RequestOf(w.UID, w.Nsp, req)
	if err != nil {
		return wire.Out{}, err
	}
	switch m.Type {
	case cluster.TypeJoin, cluster.TypeLeave, cluster.TypeDisconnect:
		return EntryOf(w.Codec, m)
	}
	return w.ToAll(m)
}

func (w *Format) Answer(req *wire.Request, r *wire.Response) (wire.Out, error) {
	return w.AnswerOn(w.Names.Specific(req.UID), req, r)
}

func (w *Format) Ack(req *wire.Request, args []socketio.Payload) (wire.Out, error) {
	return w.Answer(req, cluster.AckOf(args))
}

func (w *Format) DecodeEntry(e *wire.Entry, reach wire.Reach) (wire.Received, error) {
	if e.Uid == w.UID {
		return wire.Received{}, wire.ErrNotForUs
	}
	typ, err := strconv.Atoi(leadingDigits(e.Typ))
	if err != nil {
		return wire.Received{}, errEntry
	}
	data, err := decodeEntry(w.Codec, e)
	if err != nil {
		return wire.Received{}, err
	}
	m := &cluster.Message{Type: adapter.MessageType(typ), UID: e.Uid, Nsp: e.Nsp, Data: data}
	return m.Received(w.UID, w.Nsp, reach)
}

// leadingDigits are those that text begins with, which is how Node reads the type of an entry.
func leadingDigits(text string) string {
	text = strings.TrimLeft(text, " \t\r\n")
	if end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		return text[:end]
	}
	return text
}

// plainBase64 turns the alphabet for addresses, which Node takes as well, and lines into the usual form.
var plainBase64 = strings.NewReplacer("-", "+", "_", "/", " ", "", "\t", "")

// EncodeEntry sets what e says: JSON text as it is, or MessagePack for Node if there is binary.
func EncodeEntry(c *wire.Codec, e *wire.Entry, data socketio.Payload) error {
	enc := c.Encoders.Get().(*wire.Encoder)
	defer func() { enc.Reset(); c.Encoders.Put(enc) }()
	if err := c.Outline(enc, data); err != nil {
		return err
	}
	e.Hidden = enc.Depth > wire.NodeDepth
	binary := false
	for _, part := range enc.Containers {
		binary = binary || wire.IsAttachment(part)
	}
	switch {
	case !binary:
		e.Data = string(data.JSON)
	case e.Hidden:
		e.Json = string(data.JSON)
	default:
		enc.Out = enc.Out[:0]
		enc.AppendJSON(data.JSON, data.Attachments)
		e.Data = base64.StdEncoding.EncodeToString(enc.Out)
		if enc.Lossy {
			e.Json = string(data.JSON)
		}
	}
	if e.Json != "" {
		atts := msgp.AppendArrayHeader(nil, uint32(len(data.Attachments)))
		for _, a := range data.Attachments {
			atts = msgp.AppendBytes(atts, a)
		}
		e.Atts = base64.StdEncoding.EncodeToString(atts)
	}
	if e.Size() > c.Limit+EntryOverhead {
		return wire.ErrTooLarge
	}
	return nil
}

// DecodeEntry reads the data of an entry. JSON may still be malformed.
func decodeEntry(c *wire.Codec, e *wire.Entry) (data socketio.Payload, err error) {
	if data, err = entryData(e); err == nil {
		err = c.CountAttachments(data)
	}
	return data, err
}

func entryData(e *wire.Entry) (data socketio.Payload, err error) {
	switch {
	case e.Json != "":
		data = wire.Payload([]byte(e.Json), nil)
		if !json.Valid(data.JSON) {
			return data, wire.ErrRaw
		}
		atts, err := base64.StdEncoding.DecodeString(e.Atts)
		if err != nil {
			return data, wire.ErrRaw
		}
		if data.Attachments, _, err = wire.ReadAttachments(atts); err != nil {
			return data, err
		}
	case e.Data == "":
		return data, nil
	case e.Data[0] == '{':
		return wire.Payload([]byte(e.Data), nil), nil
	default:
		b, err := base64.RawStdEncoding.DecodeString(plainBase64.Replace(strings.TrimRight(e.Data, "= \t\r\n")))
		if err != nil {
			return data, errEntryData
		}
		d := msgpack.Decoder{}
		rest, err := d.Value(b)
		if err != nil {
			return data, err
		}
		if len(rest) > 0 {
			return data, wire.ErrTrailing
		}
		for i, a := range d.Attachments {
			d.Attachments[i] = bytes.Clone(a)
		}
		data = socketio.Payload{JSON: d.Out, Attachments: d.Attachments}
	}
	return data, wire.CheckPlaceholders(data.JSON, len(data.Attachments))
}
