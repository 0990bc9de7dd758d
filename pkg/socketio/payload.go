package socketio

// Payload is one JSON value as it came from the wire. It is never re-encoded on its way to other clients: key order, number spelling and escapes stay.
//
// Attachments are the binary parts that placeholders in JSON, {"_placeholder":true,"num":i}, refer to by index. Attachments that no placeholder
// refers to are allowed: the arguments of one packet share the packet's list.
//
// The zero Payload is JSON null. A Payload is immutable once it was handed to an emit call or received from one.
type Payload struct {
	JSON        []byte
	Attachments [][]byte
}

// Encoded is an event ready to be sent: Data holds the whole array ["event",…]. ID asks the receivers for an acknowledgement.
type Encoded struct {
	Nsp  string
	Data Payload
	ID   *uint64
}

// Decode unmarshals the value into v with encoding/json. Attachments arrive where the target has a []byte, as []byte inside an any.
func (p Payload) Decode(v any) error { return nil }

// MarshalJSON returns the value as it is, attachments as base64 strings (the form encoding/json gives a []byte).
func (p Payload) MarshalJSON() ([]byte, error) { return p.JSON, nil }

// UnmarshalJSON keeps a copy of data.
func (p *Payload) UnmarshalJSON(data []byte) error { return nil }

// Elements splits an array into its elements; each shares p's attachments. Any other value is an error.
func (p Payload) Elements() ([]Payload, error) { return nil, nil }

// Value decodes into what the library hands to listeners: nil, bool, float64, string, []any, map[string]any, and *types.BytesBuffer for an attachment.
func (p Payload) Value() (any, error) { return nil, nil }

// EncodeData turns what the library keeps in parser.Packet.Data, []any{event, args…}, into a Payload that holds the whole JSON array.
// Payload arguments travel raw; []byte, io.Reader and types.BufferInterface become attachments, also inside []any and map[string]any.
func EncodeData(data []any) (Payload, error) { return Payload{}, nil }
