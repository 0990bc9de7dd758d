package classic

import (
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/tinylib/msgp/msgp"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
	"socketio-chat/pkg/redisadapter/internal/wire"
)

var (
	errOptions = errors.New("options are no map")
)

// appendOptions appends the third element of a broadcast as Node writes it:
//
//	{rooms: […], except: […], flags: {…}}     flags holds only what differs from the default
//
// With everybody set, rooms is an array-like object of length -1 instead. Node 4 nodes make a Set
// of it, which is empty: everybody; node 2 nodes take it for a list with no room in it: nobody. See
// appendBroadcast.
func appendOptions(b []byte, opts *socket.BroadcastOptions, everybody bool) []byte {
	if opts == nil {
		opts = &socket.BroadcastOptions{}
	}
	b = msgp.AppendMapHeader(b, 3)
	b = msgp.AppendString(b, "rooms")
	if everybody {
		b = msgp.AppendMapHeader(b, 2)
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "__proto__"), 0)
		b = msgp.AppendInt64(msgp.AppendString(b, "length"), -1)
	} else {
		b = appendRooms(b, opts.Rooms)
	}
	b = appendRooms(msgp.AppendString(b, "except"), opts.Except)
	return appendFlags(msgp.AppendString(b, "flags"), opts.Flags)
}

func appendRooms(b []byte, rooms *types.Set[socket.Room]) []byte {
	list := wire.ListOfSet(rooms)
	b = msgp.AppendArrayHeader(b, uint32(len(list)))
	for _, room := range list {
		b = msgp.AppendString(b, string(room))
	}
	return b
}

func appendFlags(b []byte, flags *socket.BroadcastFlags) []byte {
	if flags == nil {
		return msgp.AppendMapHeader(b, 0)
	}
	set := wire.FlagsOf(flags)
	size := uint32(0)
	for _, f := range set {
		if f.On {
			size++
		}
	}
	if flags.Timeout != nil {
		size++
	}
	b = msgp.AppendMapHeader(b, size)
	for _, f := range set {
		if f.On {
			b = msgp.AppendBool(msgp.AppendString(b, f.Name), true)
		}
	}
	if flags.Timeout != nil {
		b = msgp.AppendInt64(msgp.AppendString(b, "timeout"), flags.Timeout.Milliseconds())
	}
	return b
}

// readOptions reads the options of a broadcast from any generation: every key may be missing, nil
// or undefined, the options themselves too. Sets without members are nil.
func readOptions(b []byte) (opts *socket.BroadcastOptions, number uint64, rest []byte, err error) {
	opts = &socket.BroadcastOptions{Flags: &socket.BroadcastFlags{}}
	if rest, ok := cutAbsent(b); ok {
		return opts, 0, rest, nil
	}
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return nil, 0, b, errOptions
	}
	for range size {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return nil, 0, b, err
		}
		switch string(key) {
		case "rooms":
			opts.Rooms, b, err = readRooms(b)
		case "except":
			opts.Except, b, err = readRooms(b)
		case "flags":
			b, err = readFlags(b, opts.Flags)
		default:
			if string(key) == "seq" { // ours; whatever else is called so is passed over
				number, _, _ = msgp.ReadUint64Bytes(b)
			}
			b, err = msgp.Skip(b)
		}
		if err != nil {
			return nil, 0, b, err
		}
	}
	return opts, number, b, nil
}

// cutAbsent takes nil or undefined off b.
func cutAbsent(b []byte) (rest []byte, ok bool) {
	if len(b) > 0 && b[0] == 0xc0 {
		return b[1:], true
	}
	return msgpack.CutUndefined(b)
}

// readRooms reads a list of rooms. Node applications may name a room by a number, which is another
// spelling of the same string. The array-like object of appendOptions stands for everybody.
func readRooms(b []byte) (rooms *types.Set[socket.Room], rest []byte, err error) {
	if rest, ok := cutAbsent(b); ok {
		return nil, rest, nil
	}
	if msgp.NextType(b) == msgp.MapType {
		rest, err := readEverybody(b)
		return nil, rest, err
	}
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, b, wire.ErrRooms
	}
	if size == 0 {
		return nil, b, nil
	}
	rooms = types.NewSet[socket.Room]()
	for range size {
		var room socket.Room
		if room, b, err = readRoom(b); err != nil {
			return nil, b, err
		}
		rooms.Add(room)
	}
	return rooms, b, nil
}

func readRoom(b []byte) (socket.Room, []byte, error) {
	switch msgp.NextType(b) {
	case msgp.StrType:
		text, rest, err := msgp.ReadStringBytes(b)
		return socket.Room(text), rest, err
	case msgp.IntType:
		n, rest, err := msgp.ReadInt64Bytes(b)
		return socket.Room(strconv.FormatInt(n, 10)), rest, err
	case msgp.UintType:
		n, rest, err := msgp.ReadUint64Bytes(b)
		return socket.Room(strconv.FormatUint(n, 10)), rest, err
	case msgp.Float64Type:
		f, rest, err := msgp.ReadFloat64Bytes(b)
		return socket.Room(msgpack.AppendNumber(nil, f)), rest, err
	case msgp.InvalidType:
		return "", b, msgp.ErrShortBytes
	}
	return "", b, wire.ErrRooms
}

// readEverybody reads the object appendOptions writes: any other would be somebody else's idea of a
// list.
func readEverybody(b []byte) (rest []byte, err error) {
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil || size != 2 {
		return b, wire.ErrRooms
	}
	for range size {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return b, err
		}
		switch string(key) {
		case "__proto__":
			var n uint32
			if n, b, err = msgp.ReadArrayHeaderBytes(b); err != nil || n != 0 {
				return b, wire.ErrRooms
			}
		case "length":
			var n int64
			if n, b, err = msgp.ReadInt64Bytes(b); err != nil || n != -1 {
				return b, wire.ErrRooms
			}
		default:
			return b, wire.ErrRooms
		}
	}
	return b, nil
}

// readFlags reads the flags that mean something here; others, and values of another type, are
// passed over.
func readFlags(b []byte, flags *socket.BroadcastFlags) (rest []byte, err error) {
	if rest, ok := cutAbsent(b); ok {
		return rest, nil
	}
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return b, errOptions
	}
	for range size {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return b, err
		}
		on := len(b) > 0 && b[0] == 0xc3
		switch string(key) {
		case "volatile":
			flags.Volatile = on
		case "compress":
			flags.Compress = on
		case "broadcast":
			flags.Broadcast = on
		case "binary":
			flags.Binary = on
		case "expectSingleResponse":
			flags.ExpectSingleResponse = on
		case "timeout":
			flags.Timeout = readTimeout(b)
		}
		if b, err = msgp.Skip(b); err != nil {
			return b, err
		}
	}
	return b, nil
}

// readTimeout reads a number of milliseconds, nil if b begins with anything else or less than none.
func readTimeout(b []byte) *time.Duration {
	room, _, err := readRoom(b)
	if err != nil {
		return nil
	}
	ms, err := strconv.ParseFloat(string(room), 64)
	if err != nil || !(ms >= 0) {
		return nil
	}
	d := time.Duration(math.Min(ms, float64(wire.MaxTimeout.Milliseconds()))) * time.Millisecond
	return &d
}
