package wire

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/tinylib/msgp/msgp"

	"socketio-chat/pkg/msgpack"
)

// Members of messages as JavaScript reads them: Node's adapters parse a message and use what they find, so
// programs in other languages may write the same thing in many ways. Each type takes what Node makes sense
// of; what Node passes over is a value that nothing compares equal to, and what it would die of is an error.

// Whole is a whole number, however it is written: 3, 3.0 and 30e-1 are one. Anything else is -1.
type Whole int64

func (w *Whole) UnmarshalJSON(b []byte) error {
	*w = -1
	if f, ok := number(b); ok && f >= 0 && f <= 1<<53 && f == math.Trunc(f) {
		*w = Whole(f)
	}
	return nil
}

// Count is w as a number of things; absent, it is none.
func (w *Whole) Count() (*uint64, error) {
	if w == nil {
		return nil, nil
	}
	if *w < 0 {
		return nil, ErrCount
	}
	n := uint64(*w)
	return &n, nil
}

// PacketType is the type of a packet: a whole number, or an EVENT's as text, which Node passes on.
type PacketType int

func (p *PacketType) UnmarshalJSON(b []byte) error {
	var w Whole
	if string(b) == `"2"` {
		w = TypeEvent
	} else if err := w.UnmarshalJSON(b); err != nil {
		return err
	}
	*p = PacketType(w)
	return nil
}

// number is the value of a JSON number.
func number(b []byte) (f float64, ok bool) {
	if len(b) == 0 || b[0] != '-' && (b[0] < '0' || b[0] > '9') {
		return 0, false
	}
	f, _ = strconv.ParseFloat(string(b), 64) // out of range: infinite, as in JavaScript
	return f, true
}

// readMap reads a map into v; what is no map leaves v as it is.
func readMap(b []byte, v any) error {
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	return json.Unmarshal(b, v)
}

// ID names a request or an instance. It is text nearly always; a number goes back as the number it was,
// since that is what its sender looks for.
type ID string

// numberMark begins an ID that is a number; text that begins so is nobody's.
const numberMark = "\x00"

func (id *ID) UnmarshalJSON(b []byte) error {
	*id = ""
	if f, ok := number(b); ok {
		*id = ID(msgpack.AppendNumber([]byte(numberMark), f))
		return nil
	}
	if string(b) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil || strings.HasPrefix(text, numberMark) {
		return ErrID
	}
	*id = ID(text)
	return nil
}

func (id ID) MarshalJSON() ([]byte, error) {
	if n, ok := strings.CutPrefix(string(id), numberMark); ok {
		return []byte(n), nil
	}
	return EncodeJSON(string(id))
}

// Append appends id as MessagePack.
func (id ID) Append(b []byte) []byte {
	if n, ok := strings.CutPrefix(string(id), numberMark); ok {
		if whole, err := strconv.ParseInt(n, 10, 64); err == nil {
			return msgp.AppendInt64(b, whole)
		}
		f, _ := strconv.ParseFloat(n, 64)
		return msgp.AppendFloat64(b, f)
	}
	return msgp.AppendString(b, string(id))
}

// Text is id as a part of a channel's name.
func (id ID) Text() string { return strings.TrimPrefix(string(id), numberMark) }

// Truth is a condition: JavaScript takes any value for one.
type Truth bool

func (t *Truth) UnmarshalJSON(b []byte) error {
	f, isNumber := number(b)
	switch {
	case isNumber:
		*t = f != 0
	default:
		*t = string(b) != "false" && string(b) != "null" && string(b) != `""`
	}
	return nil
}

// text is a string; anything else is none.
type text string

func (s *text) UnmarshalJSON(b []byte) error {
	if *s = ""; len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(s))
	}
	return nil
}

// Flag is a flag of a broadcast: true, or as if it was not there.
type Flag bool

func (f *Flag) UnmarshalJSON(b []byte) error {
	*f = string(b) == "true"
	return nil
}

// Milliseconds is a duration of at least one, else none.
type Milliseconds float64

func (m *Milliseconds) UnmarshalJSON(b []byte) error {
	*m = 0
	if f, ok := number(b); ok && f > 0 && !math.IsInf(f, 0) {
		*m = Milliseconds(f)
	}
	return nil
}

// UnmarshalJSON reads a room, whose name may be a number in Node applications. What is neither is a name too,
// though nobody can be in it.
func (r *RoomName) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(r))
	}
	switch f, ok := number(b); {
	case ok && math.IsInf(f, 0):
		*r = "Infinity"
	case ok:
		*r = RoomName(msgpack.AppendNumber(nil, f))
	default:
		*r = RoomName(b)
	}
	return nil
}

// UnmarshalJSON reads a list that Node makes a set of: of a text, each character is a room, and nothing
// at all is an empty list. Of anything else there is no set.
func (l *RoomList) UnmarshalJSON(b []byte) error {
	*l = nil
	switch {
	case len(b) > 0 && b[0] == '[':
		return json.Unmarshal(b, (*[]RoomName)(l))
	case len(b) > 0 && b[0] == '"':
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		*l = ListOf(strings.Split(text, ""))
		return nil
	case string(b) == "null":
		return nil
	}
	return ErrRooms
}

// Targets are rooms to join or to leave: a list, or one name.
type Targets RoomList

func (t *Targets) UnmarshalJSON(b []byte) error {
	if *t = nil; len(b) == 0 || string(b) == "null" {
		return nil
	}
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]RoomName)(t))
	}
	*t = make(Targets, 1)
	return (*t)[0].UnmarshalJSON(b)
}
