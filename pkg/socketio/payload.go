package socketio

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/zishang520/engine.io/v2/types"

	"socketio-chat/pkg/jsonscan"
)

// Payload is one JSON value as it came from the wire. It is never re-encoded on its way to other
// clients: key order, number spelling and escapes stay.
//
// Attachments are the binary parts that placeholders in JSON, {"_placeholder":true,"num":i}, refer
// to by index. Attachments that no placeholder refers to are allowed: the arguments of one packet
// share the packet's list. Without Attachments such an object is nothing special.
//
// The zero Payload is JSON null. A Payload is immutable once it was handed to an emit call or
// received from one.
type Payload struct {
	JSON        []byte
	Attachments [][]byte
	// Packed is the same value as MessagePack, if it came from a client that speaks that: such clients get it
	// as it is. It may be nil; code that changes JSON has to drop it.
	Packed []byte
}

// Encoded is an event ready to be sent: Data holds the whole array ["event",…]. ID asks the
// receivers for an acknowledgement.
type Encoded struct {
	Nsp  string
	Data Payload
	ID   *uint64
}

var null = []byte("null")

func (p Payload) json() []byte {
	if len(p.JSON) == 0 {
		return null
	}
	return p.JSON
}

// IsNull tells whether the value is JSON null or absent.
func (p Payload) IsNull() bool { return string(p.json()) == "null" }

// Decode unmarshals the value into v with encoding/json. An attachment becomes a []byte, in a
// field of that type as well as in an any.
func (p Payload) Decode(v any) error {
	if raw, ok := v.(*Payload); ok {
		*raw = p
		return nil
	}
	if target, ok := v.(*any); ok && len(p.Attachments) > 0 {
		value, err := p.decodeAny(func(b []byte) any { return b })
		if err != nil {
			return err
		}
		*target = value
		return nil
	}
	b, err := p.MarshalJSON()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("decode payload into %T: %w", v, err)
	}
	return nil
}

// Value decodes into what the library hands to its listeners: nil, bool, float64, string, []any,
// map[string]any, and *types.BytesBuffer for an attachment.
func (p Payload) Value() (any, error) {
	return p.decodeAny(func(b []byte) any { return types.NewBytesBuffer(b) })
}

func (p Payload) decodeAny(attachment func([]byte) any) (any, error) {
	var v any
	if err := json.Unmarshal(p.json(), &v); err != nil {
		return nil, fmt.Errorf("decode payload: %w", err)
	}
	if len(p.Attachments) == 0 {
		return v, nil
	}
	return p.restore(v, attachment)
}

// restore puts the attachments where their placeholders are.
func (p Payload) restore(v any, attachment func([]byte) any) (_ any, err error) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			if v[i], err = p.restore(v[i], attachment); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if v["_placeholder"] == true {
			num, ok := v["num"].(float64)
			if i := int(num); ok && i >= 0 && i < len(p.Attachments) && float64(i) == num {
				return attachment(p.Attachments[i]), nil
			}
			return nil, jsonscan.ErrPlaceholder
		}
		for k := range v {
			if v[k], err = p.restore(v[k], attachment); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// MarshalJSON returns the value as it is, with base64 strings for attachments: the form in which
// encoding/json writes a []byte. An emit call sends them as attachments instead.
func (p Payload) MarshalJSON() ([]byte, error) {
	b := p.json()
	if len(p.Attachments) == 0 {
		return b, nil
	}
	if end, err := jsonscan.Value(b, 0); err != nil || jsonscan.End(b, end) != nil {
		return nil, errors.New("encode payload: not valid JSON")
	}
	found, err := jsonscan.Placeholders(nil, b, len(p.Attachments))
	if err != nil {
		return nil, err
	}
	var out []byte
	last := 0
	for _, h := range found {
		out = append(append(out, b[last:h.Start]...), '"')
		out = base64.StdEncoding.AppendEncode(out, p.Attachments[h.Num])
		out = append(out, '"')
		last = h.End
	}
	return append(out, b[last:]...), nil
}

// UnmarshalJSON keeps a copy of data.
func (p *Payload) UnmarshalJSON(data []byte) error {
	*p = Payload{JSON: append([]byte(nil), data...)}
	return nil
}

// Elements splits an array into its elements, each of which shares p's attachments. Any other
// value is an error. The elements alias p.JSON.
func (p Payload) Elements() ([]Payload, error) {
	list, err := splitArray(nil, p.json(), math.MaxInt)
	if err != nil {
		return nil, fmt.Errorf("split payload: %w", err)
	}
	for i := range list {
		list[i].Attachments = p.Attachments
	}
	return list, nil
}

// Values is Value of each.
func values(list []Payload) ([]any, error) {
	out := make([]any, 0, len(list)+1) // one more: an acknowledgement often follows
	for _, p := range list {
		v, err := p.Value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
