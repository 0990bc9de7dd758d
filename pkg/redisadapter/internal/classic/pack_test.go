package classic

import (
	"fmt"
	"math"

	"github.com/tinylib/msgp/msgp"
)

// MessagePack by hand: each function writes one value, and the tests put together what encoders of all languages may write.

type (
	packed   string // a value that is encoded already
	list     []any
	pairs    []any // names and values of a map, in order
	str32    string
	bin      string
	f32      float32
	wide     int64 // in 9 bytes, whatever it is
	unsigned uint64
	undef    struct{}
)

// pack encodes a value.
func pack(v any) packed {
	switch v := v.(type) {
	case packed:
		return v
	case nil:
		return "\xc0"
	case undef: // notepack.io's undefined: fixext 1 of type 0
		return "\xd4\x00\x00"
	case bool:
		return packed(msgp.AppendBool(nil, v))
	case int:
		return packed(msgp.AppendInt(nil, v))
	case wide:
		b := []byte{0xd3, 0, 0, 0, 0, 0, 0, 0, 0} // msgp never writes a small one so
		for i := range 8 {
			b[8-i] = byte(uint64(v) >> (8 * i))
		}
		return packed(b)
	case unsigned:
		return packed(msgp.AppendUint64(nil, uint64(v)))
	case float64:
		return packed(msgp.AppendFloat64(nil, v))
	case f32:
		return packed(msgp.AppendFloat32(nil, float32(v)))
	case string:
		return packed(msgp.AppendString(nil, v))
	case str32:
		return packed(fmt.Sprintf("\xdb%s%s", big32(len(v)), string(v)))
	case bin:
		return packed(msgp.AppendBytes(nil, []byte(v)))
	case list:
		out := packed(msgp.AppendArrayHeader(nil, uint32(len(v))))
		for _, e := range v {
			out += pack(e)
		}
		return out
	case pairs:
		out := packed(msgp.AppendMapHeader(nil, uint32(len(v)/2)))
		for _, e := range v {
			out += pack(e)
		}
		return out
	}
	panic(fmt.Sprintf("no MessagePack of %T", v))
}

func big32(n int) string {
	return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// the numbers that no JSON has
var (
	nan      = math.NaN()
	infinity = math.Inf(1)
)
