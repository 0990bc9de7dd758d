package classic

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
)

// Options as encoders of other languages write them: PHP has one empty array for lists and maps, Ruby and Python write nil for what is not
// set, Java numbers that were parsed as floats, Rust members in any order. What Node's adapters would die of is refused.
func TestReadOptions(t *testing.T) {
	for _, tc := range []struct {
		name          string
		opts          any
		rooms, except []string
		err           error
	}{
		{"as Node writes them", pairs{"rooms", list{"a", "b"}, "except", list{"c"}, "flags", pairs{}}, []string{"a", "b"}, []string{"c"}, nil},
		{"PHP: empty lists for all", pairs{"rooms", list{}, "except", list{}, "flags", list{}}, nil, nil, nil},
		{"PHP: an empty list for the whole", list{}, nil, nil, nil},
		{"Python: nothing is set", pairs{"rooms", nil, "except", nil, "flags", nil}, nil, nil, nil},
		{"Ruby: an empty map", pairs{}, nil, nil, nil},
		{"Rust: in another order", pairs{"flags", pairs{}, "except", list{"c"}, "rooms", list{"a"}}, []string{"a"}, []string{"c"}, nil},
		{"long forms", pairs{str32("rooms"), list{str32("a")}}, []string{"a"}, nil, nil},
		{"undefined, as notepack writes it", pairs{"rooms", undef{}, "except", undef{}}, nil, nil, nil},
		{"rooms by numbers", pairs{"rooms", list{7, -7, wide(7), unsigned(8), 1.5, f32(0.25), 9.0}}, []string{"-7", "0.25", "1.5", "7", "8", "9"}, nil, nil},
		{"rooms of all kinds", pairs{"rooms", list{true, nil, bin("ab")}}, []string{"ab", "null", "true"}, nil, nil},
		{"excepted of all kinds", pairs{"except", list{true, nil, bin("ab"), list{"c"}, pairs{}, "c", 7}}, nil, []string{"7", "c"}, nil},
		{"a text is its characters", pairs{"rooms", "aña"}, []string{"a", "ñ"}, nil, nil},
		{"bytes are numbers", pairs{"rooms", bin("\x07\xff")}, []string{"255", "7"}, nil, nil},
		{"an empty text", pairs{"rooms", ""}, nil, nil, nil},
		{"false", pairs{"rooms", false, "except", 0}, nil, nil, nil},
		{"a room twice", pairs{"rooms", list{"a", "a"}}, []string{"a"}, nil, nil},
		{"everybody, as we write it", pairs{"rooms", pairs{"__proto__", list{}, "length", -1}}, nil, nil, nil},
		{"everybody, the other way round", pairs{"rooms", pairs{"length", -1, "__proto__", list{}}}, nil, nil, nil},
		{"names that are none", pairs{7, 1, nil, 2, list{}, 3, "rooms", list{"a"}}, []string{"a"}, nil, nil},
		{"members of the future", pairs{"rooms", list{"a"}, "except", list{}, "more", pairs{"a", list{nil}}}, []string{"a"}, nil, nil},
		{"a number that is none of ours", pairs{"seq", "seven", "rooms", list{"a"}}, []string{"a"}, nil, nil},
		{"a text for the whole", "opts", nil, nil, nil},
		{"a number for the whole", 7, nil, nil, nil},

		{"nil for the whole", nil, nil, nil, errOptions},
		{"undefined for the whole", undef{}, nil, nil, errOptions},
		{"rooms are a number", pairs{"rooms", 7}, nil, nil, wire.ErrRooms},
		{"rooms are true", pairs{"rooms", true}, nil, nil, wire.ErrRooms},
		{"an object of one member", pairs{"rooms", pairs{"0", "a"}}, nil, nil, wire.ErrRooms},
		{"an object that is like an array", pairs{"rooms", pairs{"0", "a", "length", 1}}, nil, nil, wire.ErrRooms},
		{"everybody with a length", pairs{"rooms", pairs{"__proto__", list{}, "length", 1}}, nil, nil, wire.ErrRooms},
		{"everybody with members", pairs{"rooms", pairs{"__proto__", list{"a"}, "length", -1}}, nil, nil, wire.ErrRooms},
		{"except is an object", pairs{"except", pairs{"0", "a"}}, nil, nil, wire.ErrRooms},
		{"except is a number", pairs{"except", 1.5}, nil, nil, wire.ErrRooms},
		{"more rooms than bytes", pairs{"rooms", packed("\xdd\x7f\xff\xff\xff")}, nil, nil, wire.ErrRooms},
		{"more members than bytes", packed("\xdf\xff\xff\xff\xff"), nil, nil, nil},
	} {
		b := []byte(pack(tc.opts))
		opts, _, rest, err := readOptions(b)
		if tc.name == "more members than bytes" {
			if err == nil {
				t.Errorf("%s: %+v", tc.name, opts)
			}
			continue
		}
		if !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.err)
		}
		if err != nil {
			continue
		}
		if len(rest) > 0 || !slices.Equal(names(opts.Rooms), tc.rooms) || !slices.Equal(names(opts.Except), tc.except) {
			t.Errorf("%s: rooms %q, except %q, %d bytes left", tc.name, names(opts.Rooms), names(opts.Except), len(rest))
		}
		for n := range b {
			if opts, _, rest, err := readOptions(b[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are read as %+v, %q", tc.name, n, len(b), opts, rest)
			}
		}
	}
}

// Flags are true or they are not set: JavaScript's other true values are nothing that Node writes.
func TestReadFlags(t *testing.T) {
	for _, tc := range []struct {
		name  string
		flags any
		on    []string
	}{
		{"none", pairs{}, nil},
		{"all", pairs{"volatile", true, "compress", true, "broadcast", true, "binary", true, "expectSingleResponse", true},
			[]string{"volatile", "compress", "broadcast", "binary", "expectSingleResponse"}},
		{"all off", pairs{"volatile", false, "compress", false, "broadcast", false, "binary", false, "expectSingleResponse", false}, nil},
		{"of other kinds", pairs{"volatile", 1, "compress", "yes", "broadcast", list{true}, "binary", nil}, nil},
		{"local is nobody else's", pairs{"local", true}, nil},
		{"names that are none", pairs{1, true, true, true, "broadcast", true}, []string{"broadcast"}},
		{"a list of names", list{"volatile"}, nil},
		{"a text", "volatile", nil},
		{"nil", nil, nil},
	} {
		opts := everybody()
		b := []byte(pack(tc.flags))
		rest, err := readFlags(b, opts.Flags)
		var on []string
		for _, f := range wire.FlagsOf(opts.Flags) {
			if f.On {
				on = append(on, f.Name)
			}
		}
		if err != nil || len(rest) > 0 || !slices.Equal(on, tc.on) || opts.Flags.Local {
			t.Errorf("%s: %q, %v", tc.name, on, err)
		}
		for n := range b {
			if _, err := readFlags(b[:n], everybody().Flags); err == nil {
				t.Errorf("%s: %d of %d bytes are read", tc.name, n, len(b))
			}
		}
	}
}

// A timeout is a number of milliseconds, whatever form it has.
func TestReadTimeout(t *testing.T) {
	for _, tc := range []struct {
		value any
		want  time.Duration // -1: none
	}{
		{1500, 1500 * time.Millisecond}, {wide(1500), 1500 * time.Millisecond}, {unsigned(1 << 63), wire.MaxTimeout}, {1500.9, 1500 * time.Millisecond},
		{f32(0.5), 0}, {0, 0}, {1e300, wire.MaxTimeout}, {infinity, wire.MaxTimeout}, {-1, -1}, {nan, -1}, {"1500", -1}, {nil, -1}, {true, -1},
		{bin("1"), -1}, {list{1}, -1}, {packed(""), -1}, {packed("\xcb\x00"), -1},
	} {
		d := readTimeout([]byte(pack(tc.value)))
		if tc.want < 0 && d != nil || tc.want >= 0 && (d == nil || *d != tc.want) {
			t.Errorf("%v: %v, want %v", tc.value, d, tc.want)
		}
	}
}

// randomOptions draws options.
func randomOptions(r *rand.Rand) *socket.BroadcastOptions {
	set := func() *types.Set[socket.Room] {
		if r.IntN(3) == 0 {
			return nil
		}
		s := types.NewSet[socket.Room]()
		for range r.IntN(20) {
			s.Add([]socket.Room{"", "a", "방", "a#b#", "__proto__", "length", "7", socket.Room(make([]byte, r.IntN(300)))}[r.IntN(8)])
		}
		return s
	}
	opts := &socket.BroadcastOptions{Rooms: set(), Except: set()}
	if r.IntN(4) > 0 {
		f := &socket.BroadcastFlags{}
		f.Volatile, f.Compress, f.Broadcast, f.Binary, f.ExpectSingleResponse = r.IntN(2) > 0, r.IntN(2) > 0, r.IntN(2) > 0, r.IntN(2) > 0, r.IntN(2) > 0
		if r.IntN(2) > 0 {
			d := time.Duration(r.IntN(100_000)) * time.Millisecond
			f.Timeout = &d
		}
		opts.Flags = f
	}
	return opts
}

// What is written is read, and takes what it took.
func TestOptionsRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		opts := randomOptions(r)
		b := appendOptions(nil, opts, false)
		got, number, rest, err := readOptions(append(slices.Clone(b), 0xc0))
		if err != nil || number != 0 || len(rest) != 1 {
			t.Fatalf("seed %d: %v, number %d, %d bytes left", seed, err, number, len(rest))
		}
		want := opts.Flags
		if want == nil {
			want = &socket.BroadcastFlags{}
		}
		if (got.Flags.Timeout == nil) != (want.Timeout == nil) || want.Timeout != nil && *got.Flags.Timeout != *want.Timeout {
			t.Fatalf("seed %d: timeout %v, want %v", seed, got.Flags.Timeout, want.Timeout)
		}
		if wire.FlagsOf(got.Flags) != wire.FlagsOf(want) || !slices.Equal(names(got.Rooms), names(opts.Rooms)) || !slices.Equal(names(got.Except), names(opts.Except)) {
			t.Fatalf("seed %d: got %+v, want %+v", seed, got, opts)
		}
		if everybody, _, _, err := readOptions(appendOptions(nil, opts, true)); err != nil || everybody.Rooms != nil {
			t.Fatalf("seed %d: everybody is %v, %v", seed, names(everybody.Rooms), err)
		}
		if again := appendOptions(nil, got, false); !slices.Equal(again, b) && opts.Flags != nil {
			t.Fatalf("seed %d: written again\n%q, before\n%q", seed, again, b)
		}
	}
}
