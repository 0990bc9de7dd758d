package redisadapter

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/classic"
	"socketio-chat/pkg/redisadapter/internal/cluster"
	"socketio-chat/pkg/redisadapter/internal/streams"
	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
	"socketio-chat/pkg/testenv"
)

// Differential tests of the formats against Node's packages, each in one process of Node for all its cases: testdata/node.cjs. What we write must
// say to Node's adapters what it says to us, and the other way round.

const nodePackages = "../e2e/node"

// A nodeAdapter is one of Node's adapters, and what it shares a cluster with.
type nodeAdapter struct {
	name   string
	format wire.Format // of ours
	census wire.Census // one Node node, and us
	second bool        // generation 2
}

func nodeAdapters() []nodeAdapter {
	c := wire.NewCodec(1<<20, 255)
	modern := wire.Census{All: 2, Modern: 2, Ours: 1}
	return []nodeAdapter{
		{"v5", classic.New(c, "socket.io", "/chat", "go", false), wire.Census{All: 2, Modern: 1, Ours: 1}, true},
		{"v8", classic.New(c, "socket.io", "/chat", "go", true), modern, false},
		{"sharded", cluster.New(c, "socket.io", "/chat", "go", false), modern, false},
		{"streams", streams.New(c, "socket.io", "/chat", "go"), modern, false},
	}
}

// nodeMessage is a message in testdata/node.cjs' form.
type nodeMessage struct {
	Channel string            `json:"channel,omitempty"`
	Hex     string            `json:"hex,omitempty"`
	Entry   map[string]string `json:"entry,omitempty"`
}

func nodeMessages(list []wire.Out) (out []nodeMessage) {
	for _, o := range list {
		if o.Entry == nil {
			out = append(out, nodeMessage{Channel: o.Channel, Hex: hex.EncodeToString(o.Payload)})
			continue
		}
		m, fields := nodeMessage{Entry: map[string]string{}}, streams.EntryFields(o.Entry, "hub", 1)
		for i := 0; i < len(fields); i += 2 {
			m.Entry[fields[i].(string)] = fmt.Sprintf("%s", fields[i+1])
		}
		out = append(out, m)
	}
	return out
}

// read reads it with one of our formats.
func (m nodeMessage) read(t *testing.T, f wire.Format) (wire.Received, error) {
	t.Helper()
	if m.Entry != nil {
		fields := map[string]any{}
		for name, value := range m.Entry {
			fields[name] = value
		}
		e, _, err := streams.ReadEntry(fields)
		if err != nil {
			return wire.Received{}, err
		}
		return f.DecodeEntry(e, nil)
	}
	b, err := hex.DecodeString(m.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return f.Decode(m.Channel, b, nil)
}

// nodeCase is a case, and nodeOutcome what comes of it.
type nodeCase struct {
	Mode    string        `json:"mode"`
	Numbers bool          `json:"numbers,omitempty"`
	Hear    []nodeMessage `json:"hear,omitempty"`
	Call    string        `json:"call,omitempty"`
	Args    []any         `json:"args,omitempty"`
}

type nodeOutcome struct {
	Crash   string
	UID     string
	Events  map[string][]nodeEvent
	Rooms   map[string][]string
	Gone    map[string]bool
	Emitted [][]any
	Out     []nodeMessage
}

type nodeEvent struct {
	Type any
	Data any
}

// askNode runs cases in one process of Node.
func askNode(t *testing.T, cases []nodeCase) []nodeOutcome {
	t.Helper()
	testenv.Programs(t, "node")
	testenv.NPM(t, nodePackages)
	modules, err := filepath.Abs(nodePackages + "/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	var in, errs bytes.Buffer
	lines := json.NewEncoder(&in)
	for _, c := range cases {
		if err := lines.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	node := exec.CommandContext(t.Context(), "node", "testdata/node.cjs")
	node.Env = append(os.Environ(), "NODE_PATH="+modules)
	node.Stdin, node.Stderr, node.WaitDelay = &in, &errs, time.Second
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, errs.String())
	}
	var list []nodeOutcome
	scan := bufio.NewScanner(bytes.NewReader(out))
	for scan.Buffer(nil, 1<<26); scan.Scan(); {
		var o nodeOutcome
		if err := json.Unmarshal(scan.Bytes(), &o); err != nil {
			t.Fatalf("%.300s: %v", scan.Bytes(), err)
		}
		list = append(list, o)
	}
	if len(list) != len(cases) {
		t.Fatalf("%d outcomes of %d cases\n%s", len(list), len(cases), errs.String())
	}
	return list
}

// A sample is an event, in all the forms that these tests need.
type sample struct {
	payload socketio.Payload // the array
	marked  any              // the same for node.cjs
	plain   any              // as node.cjs tells it
	binary  bool
	// fromNode: Node writes it, whose codec notepack.io turns whole numbers beyond 64 bits into others.
	fromNode bool
	rooms    []string
	except   []string
}

// drawSample draws an event that Node's codecs keep: no half surrogate pairs, no number beyond a double, no member "__proto__".
func drawSample(seed uint64, fromNode bool) sample {
	r := rand.New(rand.NewPCG(seed, 8))
	s := sample{rooms: []string{}, except: []string{}, fromNode: fromNode}
	parts, marked, plain := []string{`"e"`}, []any{"e"}, []any{"e"}
	for range r.IntN(4) {
		text, m, p := s.value(r, 0)
		parts, marked, plain = append(parts, text), append(marked, m), append(plain, p)
	}
	s.payload.JSON, s.marked, s.plain = []byte("["+strings.Join(parts, ",")+"]"), marked, plain
	s.binary = len(s.payload.Attachments) > 0
	for _, list := range []*[]string{&s.rooms, &s.except} {
		for range max(0, r.IntN(5)-2) {
			if room := []string{"r1", "7", "x", "y", "none", "방 #1"}[r.IntN(6)]; !slices.Contains(*list, room) {
				*list = append(*list, room)
			}
		}
	}
	return s
}

// scalars are values by their JSON text.
var scalars = []string{
	`null`, `true`, `false`, `""`, `"a"`, `"안녕 👋\u0000\"\\/"`, `0`, `-1`, `1.0`, `-0`, `127`, `128`, `-128`, `-129`, `65535`, `65536`, `-32769`, `2147483648`,
	`4294967296`, `-2147483649`, `9007199254740991`, `-9007199254740991`, `1e21`, `0.1`, `5e-324`, `1.7976931348623157e308`, `"2026-11-29T00:00:00.000Z"`,
	`{"type":"Buffer","data":[1]}`, `{"toString":1}`, `{"":[]}`, `{"9":1,"10":2,"a":3}`,
}

// value draws a value.
func (s *sample) value(r *rand.Rand, depth int) (text string, marked, plain any) {
	switch n := r.IntN(10); {
	case n == 0:
		b := make([]byte, []int{0, 1, 3, 40, 255, 256}[r.IntN(6)])
		if r.IntN(40) == 0 {
			b = make([]byte, 66_000) // the longest of MessagePack's forms
		}
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		s.payload.Attachments = append(s.payload.Attachments, b)
		marked = map[string]any{"$bin": hex.EncodeToString(b)}
		return fmt.Sprintf(`{"_placeholder":true,"num":%d}`, len(s.payload.Attachments)-1), marked, marked
	case n < 3 && depth < 5:
		parts, m, p := []string{}, []any{}, []any{}
		for range size(r) {
			text, one, other := s.value(r, depth+2)
			parts, m, p = append(parts, text), append(m, one), append(p, other)
		}
		return "[" + strings.Join(parts, ", ") + "]", m, p
	case n < 5 && depth < 5:
		parts, m, p := []string{}, map[string]any{}, map[string]any{}
		for i := range size(r) {
			text, one, other := s.value(r, depth+2)
			name := fmt.Sprint([]string{"k", "", "긴 이름 ", strings.Repeat("n", 40)}[r.IntN(4)], i)
			parts = append(parts, fmt.Sprintf("%q : %s", name, text))
			m[name], p[name] = one, other
		}
		return "{" + strings.Join(parts, ",") + "}", m, p
	}
	for {
		text = scalars[r.IntN(len(scalars))]
		if s.fromNode && (text == "1e21" || strings.HasSuffix(text, "e308")) {
			continue
		}
		_ = json.Unmarshal([]byte(text), &plain)
		return text, plain, plain
	}
}

// size draws how many elements there are: mostly few, sometimes more than fit in MessagePack's shortest form.
func size(r *rand.Rand) int { return []int{0, 1, 2, 3, 17}[r.IntN(5)] }

// opts are the options for ours.
func (s sample) opts() *socket.BroadcastOptions {
	set := func(names []string) *types.Set[socket.Room] {
		rooms := types.NewSet[socket.Room]()
		for _, name := range names {
			rooms.Add(socket.Room(name))
		}
		return rooms
	}
	return &socket.BroadcastOptions{Rooms: set(s.rooms), Except: set(s.except)}
}

// hears tells whether a client of node.cjs is meant. Generation 2 excepts sockets, not rooms.
func (s sample) hears(id string, second bool) bool {
	member := func(names []string, rooms bool) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			return name == id || rooms && id == "x" && (name == "r1" || name == "7")
		})
	}
	return (len(s.rooms) == 0 || member(s.rooms, true)) && !member(s.except, !second)
}

const nodeSamples = 40 // of each adapter, in each direction

// What we broadcast, clients of a Node node get, those that are meant and once, as the packet that their protocol wants.
func TestNodeHearsWhatWeBroadcast(t *testing.T) {
	var cases []nodeCase
	var samples []sample
	var names []nodeAdapter
	for _, a := range nodeAdapters() {
		for seed := range uint64(nodeSamples) {
			s := drawSample(seed, false)
			list, err := a.format.Broadcast(s.payload, s.opts(), seed, a.census)
			if err != nil {
				t.Fatalf("%s, seed %d: %v", a.name, seed, err)
			}
			cases, samples, names = append(cases, nodeCase{Mode: a.name, Hear: nodeMessages(list)}), append(samples, s), append(names, a)
		}
	}
	for i, o := range askNode(t, cases) {
		a, s := names[i], samples[i]
		what := fmt.Sprintf("%s, seed %d: %.300s to %q but %q", a.name, i%nodeSamples, s.payload.JSON, s.rooms, s.except)
		if o.Crash != "" {
			t.Errorf("%s: %s", what, o.Crash)
			continue
		}
		wantType := wire.TypeEvent
		if a.second && s.binary {
			wantType = wire.TypeBinaryEvent
		}
		for id, events := range o.Events {
			if want := s.hears(id, a.second); want != (len(events) == 1) || len(events) > 1 {
				t.Errorf("%s: %s got %d", what, id, len(events))
			} else if want && (!reflect.DeepEqual(events[0].Data, s.plain) || events[0].Type != float64(wantType)) {
				t.Errorf("%s: %s got type %v, %.300v", what, id, events[0].Type, events[0].Data)
			}
		}
	}
}

// What a Node node broadcasts, we read as what was said.
func TestWeHearWhatNodeBroadcasts(t *testing.T) {
	var cases []nodeCase
	for _, a := range nodeAdapters() {
		for seed := range uint64(nodeSamples) {
			s := drawSample(seed, true)
			packet := map[string]any{"type": wire.TypeEvent, "data": s.marked}
			if a.second && s.binary {
				packet["type"] = wire.TypeBinaryEvent
			}
			opts := map[string]any{"rooms": map[string]any{"$set": s.rooms}, "except": map[string]any{"$set": s.except}, "flags": map[string]any{"volatile": seed%2 == 0}}
			if a.second {
				opts["rooms"], opts["except"] = s.rooms, s.except
			}
			cases = append(cases, nodeCase{Mode: a.name, Call: "broadcast", Args: []any{packet, opts}})
		}
	}
	adapters := nodeAdapters()
	for i, o := range askNode(t, cases) {
		a, seed := adapters[i/nodeSamples], uint64(i%nodeSamples)
		s := drawSample(seed, true)
		what := fmt.Sprintf("%s, seed %d: %.300s", a.name, seed, s.payload.JSON)
		if o.Crash != "" || len(o.Out) != 1 {
			t.Errorf("%s: %d messages, %s", what, len(o.Out), o.Crash)
			continue
		}
		r, err := o.Out[0].read(t, a.format)
		if err != nil || r.Broadcast == nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		got, err := marked(r.Broadcast.Data)
		opts := r.Broadcast.Opts
		if err != nil || !reflect.DeepEqual(got, s.plain) || len(r.Broadcast.Data.Attachments) != len(s.payload.Attachments) {
			t.Errorf("%s: got %.300v, %v", what, got, err)
		}
		if !sameNames(opts.Rooms, s.rooms) || !sameNames(opts.Except, s.except) || opts.Flags.Volatile != (seed%2 == 0) {
			t.Errorf("%s: rooms %v, except %v, %+v", what, wire.ListOfSet(opts.Rooms), wire.ListOfSet(opts.Except), opts.Flags)
		}
	}
}

// marked is an event of ours as node.cjs tells it.
func marked(p socketio.Payload) (v any, err error) {
	if err = json.Unmarshal(p.JSON, &v); err != nil {
		return nil, err
	}
	var mark func(v any) any
	mark = func(v any) any {
		switch v := v.(type) {
		case []any:
			for i := range v {
				v[i] = mark(v[i])
			}
		case map[string]any:
			if n, ok := v["num"].(float64); ok && v["_placeholder"] == true {
				return map[string]any{"$bin": hex.EncodeToString(p.Attachments[int(n)])}
			}
			for name := range v {
				v[name] = mark(v[name])
			}
		}
		return v
	}
	return mark(v), nil
}

func sameNames(set *types.Set[socket.Room], names []string) bool {
	want := wire.ListOf(names)
	slices.Sort(want)
	return slices.Equal(wire.ListOfSet(set), want)
}
