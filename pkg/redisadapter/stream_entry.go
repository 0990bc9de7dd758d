package redisadapter

import (
	"errors"

	"github.com/redis/go-redis/v9"
)

// Fields of an entry of the stream. The first four are those of @socket.io/redis-streams-adapter:
//
//	uid   who sends, an id of one namespace of one instance
//	nsp   the namespace; Node passes over an entry without it
//	type  a number, see wire_cluster.go
//	data  JSON text, which begins with {, or MessagePack in base64 when there is binary in it
//
// The others are ours, which Node does not look at:
//
//	seq   "<instance>:<number>", see origins
//	for   in place of nsp, when the data is nested deeper than Node can bear
//	json  the data as JSON text, when MessagePack is not exactly it
//	atts  its binary values, base64 of a MessagePack array
const (
	fieldUID  = "uid"
	fieldNsp  = "nsp"
	fieldType = "type"
	fieldData = "data"
	fieldSeq  = "seq"
	fieldFor  = "for"
	fieldJSON = "json"
	fieldAtts = "atts"
)

// entryOverhead is what an entry may have beside its data.
const entryOverhead = 4096

// entry is a message on its way through the stream.
type entry struct {
	uid, nsp string
	hidden   bool // from Node
	typ      string
	data     string
	json     string
	atts     string
	seq      uint64 // given by the queue
	unsure   bool   // was sent, and the connection broke before the answer
	err      error  // why it makes no sense
}

func (e *entry) size() int {
	return len(e.uid) + len(e.nsp) + len(e.typ) + len(e.data) + len(e.json) + len(e.atts) + 64
}

var (
	errEntry     = errors.New("entry is not one of Socket.IO's")
	errEntryData = errors.New("entry's data is neither JSON nor base64")
)

// values are the fields in order.
func (e *entry) values(origin string) []any {
	to := fieldNsp
	if e.hidden {
		to = fieldFor
	}
	list := []any{fieldUID, e.uid, to, e.nsp, fieldType, e.typ, fieldData, e.data, fieldSeq, appendStamp(nil, origin, e.seq)}
	if e.json != "" {
		list = append(list, fieldJSON, e.json, fieldAtts, e.atts)
	}
	return list
}

// entryOf reads an entry, and its stamp.
func entryOf(m redis.XMessage) (e *entry, stamp string) {
	field := func(name string) string {
		text, _ := m.Values[name].(string)
		return text
	}
	e = &entry{uid: field(fieldUID), nsp: field(fieldNsp), typ: field(fieldType), data: field(fieldData), json: field(fieldJSON), atts: field(fieldAtts)}
	if e.nsp == "" {
		e.nsp, e.hidden = field(fieldFor), true
	}
	if e.nsp == "" || e.typ == "" {
		e.err = errEntry
	}
	return e, field(fieldSeq)
}
