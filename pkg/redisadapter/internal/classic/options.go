package classic

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
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

// everybody are options that select all sockets.
func everybody() *socket.BroadcastOptions {
	both := &struct { // in one piece: each message needs them
		opts  socket.BroadcastOptions
		flags socket.BroadcastFlags
	}{}
	both.opts.Flags = &both.flags
	return &both.opts
}

// readOptions reads the options of a broadcast as either of Node's adapters does: every member may be
// missing; encoders of other languages write an empty list for an empty map, and the older adapter takes
// any value for options without members, but nil. Sets without members are nil.
func readOptions(b []byte) (opts *socket.BroadcastOptions, number uint64, rest []byte, err error) {
	opts = everybody()
	if _, absent := cutAbsent(b); absent {
		return nil, 0, b, errOptions
	}
	if msgp.NextType(b) != msgp.MapType {
		rest, err = msgp.Skip(b)
		return opts, 0, rest, err
	}
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return nil, 0, b, errOptions
	}
	for range size {
		var name []byte
		if name, b, err = readName(b); err != nil {
			return nil, 0, b, err
		}
		switch string(name) {
		case "rooms":
			opts.Rooms, b, err = readRooms(b)
		case "except":
			opts.Except, b, err = readList(b, true)
		case "flags":
			b, err = readFlags(b, opts.Flags)
		case "seq": // ours; whatever else is called so is passed over
			number, _, _ = msgp.ReadUint64Bytes(b)
			b, err = msgp.Skip(b)
		default:
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

// readRooms reads a list of rooms. Elements are what JavaScript makes strings of them: Node applications
// may name a room by a number. In place of an empty list there may be an empty map or what is false to
// JavaScript; the array-like object of appendOptions stands for everybody; of a text, each character is a
// room.
func readRooms(b []byte) (rooms *types.Set[socket.Room], rest []byte, err error) {
	if msgp.NextType(b) == msgp.MapType {
		rest, err := readEverybody(b)
		return nil, rest, err
	}
	return readList(b, false)
}

// readList reads a list of rooms that may not be a map.
func readList(b []byte, except bool) (rooms *types.Set[socket.Room], rest []byte, err error) {
	if rest, ok := cutAbsent(b); ok {
		return nil, rest, nil
	}
	switch msgp.NextType(b) {
	case msgp.ArrayType:
		return readRoomArray(b, except)
	case msgp.StrType:
		text, rest, err := msgp.ReadStringBytes(b)
		return roomsOf(strings.Split(text, "")), rest, err
	case msgp.BinType:
		bytes, rest, err := msgp.ReadBytesZC(b)
		names := make([]string, len(bytes))
		for i, c := range bytes {
			names[i] = strconv.Itoa(int(c))
		}
		return roomsOf(names), rest, err
	}
	text, rest, err := msgpack.AppendText(nil, b)
	if err != nil || string(text) != "false" && string(text) != "0" {
		return nil, b, wire.ErrRooms
	}
	return nil, rest, nil
}

// roomsOf makes a set, nil without members.
func roomsOf(names []string) *types.Set[socket.Room] {
	if len(names) == 0 {
		return nil
	}
	rooms := types.NewSet[socket.Room]()
	for _, name := range names {
		rooms.Add(socket.Room(name))
	}
	return rooms
}

// readRoomArray reads an array. Of what is excepted, only strings and numbers are anybody's name.
func readRoomArray(b []byte, except bool) (rooms *types.Set[socket.Room], rest []byte, err error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil || int(size) > len(b) { // an element has a byte at least
		return nil, b, wire.ErrRooms
	}
	names := make([]string, 0, size)
	for range size {
		var text []byte
		typ := msgp.NextType(b)
		if text, b, err = msgpack.AppendText(nil, b); err != nil {
			return nil, b, fmt.Errorf("%w: %w", wire.ErrRooms, err)
		}
		if except && (typ == msgp.ArrayType || typ == msgp.MapType || typ == msgp.NilType || typ == msgp.BoolType || typ == msgp.BinType) {
			continue
		}
		names = append(names, string(text))
	}
	return roomsOf(names), b, nil
}

// readEverybody reads the object that appendOptions writes, or an empty one. Of any other the older adapter
// makes everybody, the newer one dies: what is meant for some must not go to all.
func readEverybody(b []byte) (rest []byte, err error) {
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil || size != 0 && size != 2 {
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
	if msgp.NextType(b) != msgp.MapType { // an empty list, nil …: no flags
		return msgp.Skip(b)
	}
	size, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return b, errOptions
	}
	for range size {
		var key []byte
		if key, b, err = readName(b); err != nil {
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
	switch msgp.NextType(b) {
	case msgp.IntType, msgp.UintType, msgp.Float32Type, msgp.Float64Type:
	default:
		return nil
	}
	text, _, err := msgpack.AppendText(nil, b)
	if err != nil {
		return nil
	}
	ms, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(ms >= 0) {
		return nil
	}
	d := time.Duration(math.Min(ms, float64(wire.MaxTimeout.Milliseconds()))) * time.Millisecond
	return &d
}
