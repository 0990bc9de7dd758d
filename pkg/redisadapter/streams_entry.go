package redisadapter

import "errors"

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

var (
	errEntry     = errors.New("entry is not one of Socket.IO's")
	errEntryData = errors.New("entry's data is neither JSON nor base64")
)

// entryFields are the names and values of e's fields in order. origin and seq are its stamp, without
// origin there is none.
func entryFields(e *entry, origin string, seq uint64) []any {
	to := fieldNsp
	if e.hidden {
		to = fieldFor
	}
	list := []any{fieldUID, e.uid, to, e.nsp, fieldType, e.typ, fieldData, e.data}
	if origin != "" {
		list = append(list, fieldSeq, appendStamp(nil, origin, seq))
	}
	if e.json != "" {
		list = append(list, fieldJSON, e.json, fieldAtts, e.atts)
	}
	return list
}

// readEntry reads the fields of an entry, and its stamp.
func readEntry(fields map[string]any) (e *entry, stamp string, err error) {
	field := func(name string) string {
		text, _ := fields[name].(string)
		return text
	}
	e = &entry{uid: field(fieldUID), nsp: field(fieldNsp), typ: field(fieldType), data: field(fieldData), json: field(fieldJSON), atts: field(fieldAtts)}
	if e.nsp == "" {
		e.nsp, e.hidden = field(fieldFor), true
	}
	if e.nsp == "" || e.typ == "" {
		err = errEntry
	}
	return e, field(fieldSeq), err
}
