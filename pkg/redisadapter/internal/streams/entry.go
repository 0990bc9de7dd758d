package streams

import (
	"errors"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Fields of an entry of the stream. The first four are those of @socket.io/redis-streams-adapter:
//
//	uid   the sender, an id of one namespace of one instance
//	nsp   the namespace; Node passes over an entry without it
//	type  a number, see package cluster
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
	FieldSeq  = "seq"
	fieldFor  = "for"
	fieldJSON = "json"
	fieldAtts = "atts"
)

// EntryOverhead is what an entry may have beside its data.
const EntryOverhead = 4096

var (
	errEntry     = errors.New("entry is not one of Socket.IO's")
	errEntryData = errors.New("entry's data is neither JSON nor base64")
)

// EntryFields are the names and values of e's fields in order. origin and seq are its stamp, without
// origin there is none.
func EntryFields(e *wire.Entry, origin string, seq uint64) []any {
	to := fieldNsp
	if e.Hidden {
		to = fieldFor
	}
	list := []any{fieldUID, e.Uid, to, e.Nsp, fieldType, e.Typ, fieldData, e.Data}
	if origin != "" {
		list = append(list, FieldSeq, appendStamp(nil, origin, seq))
	}
	if e.Json != "" {
		list = append(list, fieldJSON, e.Json, fieldAtts, e.Atts)
	}
	return list
}

// ReadEntry reads the fields of an entry, and its stamp.
func ReadEntry(fields map[string]any) (e *wire.Entry, stamp string, err error) {
	field := func(name string) string {
		text, _ := fields[name].(string)
		return text
	}
	e = &wire.Entry{Uid: field(fieldUID), Nsp: field(fieldNsp), Typ: field(fieldType), Data: field(fieldData), Json: field(fieldJSON), Atts: field(fieldAtts)}
	if e.Nsp == "" {
		e.Nsp, e.Hidden = field(fieldFor), true
	}
	if e.Nsp == "" || e.Typ == "" {
		err = errEntry
	}
	return e, field(FieldSeq), err
}
