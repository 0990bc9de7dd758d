package classic

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// foreign is a line of testdata/foreign.jsonl: a message as encoders of other languages may write it, and
// what Node's two adapters make of it. See testdata/record/foreign.js.
type foreign struct {
	Hex     string
	Channel string
	V5, V8  nodeOutcome
}

// nodeOutcome is what each of two clients gets, packet by packet, from an adapter that has not crashed.
type nodeOutcome struct {
	crash bool
	x, y  [][]string
}

func (o *nodeOutcome) UnmarshalJSON(b []byte) error {
	if o.crash = string(b) == `"crash"`; o.crash {
		return nil
	}
	var clients struct{ X, Y [][]string }
	err := json.Unmarshal(b, &clients)
	o.x, o.y = clients.X, clients.Y
	return err
}

// members are the rooms of the two clients.
var members = map[string][]socket.Room{"x": {"x", "r1", "7"}, "y": {"y"}}

// event is what a client's parser makes of a packet's messages; nil if it closes the connection over it.
func event(messages []string) any {
	text, count := messages[0][1:], 0
	switch messages[0][:1] {
	case "2":
	case "5":
		digits, rest, ok := strings.Cut(text, "-")
		n, err := strconv.Atoi(digits)
		if !ok || err != nil || n != len(messages)-1 {
			return nil
		}
		text, count = rest, n
	default:
		return nil
	}
	text, ok := strings.CutPrefix(text, "/chat,")
	if !ok || !json.Valid([]byte(text)) || wire.CheckEvent([]byte(text)) != nil || wire.CheckPlaceholders([]byte(text), count) != nil {
		return nil
	}
	var bins [][]byte
	for _, m := range messages[1:] {
		b, _ := hex.DecodeString(strings.TrimPrefix(m, "b:"))
		bins = append(bins, b)
	}
	return value(text, bins)
}

// value is an event's data, with binary values as JSON.stringify writes a Buffer: the adapters differ in
// how bytes get to clients.
func value(text string, bins [][]byte) (v any) {
	b, err := wire.InlineBinary(socketio.Payload{JSON: []byte(text), Attachments: bins}, 1<<20)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		return err
	}
	return v
}

// outcome is what each client gets.
type outcome struct{ X, Y any }

func (o nodeOutcome) outcome() outcome {
	first := func(packets [][]string) any {
		if len(packets) == 0 {
			return nil
		}
		return event(packets[0])
	}
	return outcome{first(o.x), first(o.y)}
}

// ourOutcome is what our clients get of a message.
func ourOutcome(f *Format, channel string, message []byte) (o outcome, err error) {
	in := func(id string, rooms []socket.Room) bool {
		for _, room := range rooms {
			for _, member := range members[id] {
				if room == member {
					return true
				}
			}
		}
		return false
	}
	r, err := f.Decode(channel, message, func(room socket.Room) bool {
		return in("x", []socket.Room{room}) || in("y", []socket.Room{room})
	})
	if err != nil {
		return o, err
	}
	get := func(id string) any {
		opts := r.Broadcast.Opts
		if wire.HasRooms(opts) && !in(id, opts.Rooms.Keys()) || opts.Except != nil && in(id, opts.Except.Keys()) {
			return nil
		}
		return value(string(r.Broadcast.Data.JSON), r.Broadcast.Data.Attachments)
	}
	return outcome{get("x"), get("y")}, nil
}

// What either of Node's adapters delivers, and clients take, is delivered alike, whatever encoder wrote
// it; what both would crash on, or pass over, is not.
func TestForeignEncoders(t *testing.T) {
	file, err := os.Open("testdata/foreign.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	format := New(wire.NewCodec(1<<20, 255), "socket.io", "/chat", "me", false)
	lines, delivered, wrong := 0, 0, 0
	for scan := bufio.NewScanner(file); scan.Scan(); lines++ {
		var f foreign
		if err := json.Unmarshal(scan.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		message, err := hex.DecodeString(f.Hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ourOutcome(format, f.Channel, message)
		v5, v8 := f.V5.outcome(), f.V8.outcome()
		if !isNothing(got) {
			delivered++
		}
		if reflect.DeepEqual(got, v8) || reflect.DeepEqual(got, v5) || isNothing(v8) && sameClients(got, v5) {
			if isNothing(got) && !isNothing(v8) {
				t.Errorf("%s on %s: not delivered (%v), as Node 5.4 does, but 8.3 delivers %v", f.Hex, f.Channel, err, v8)
			}
			continue
		}
		if wrong++; wrong < 40 {
			t.Errorf("%s on %s:\n got %v (%v)\n v8  %v %v\n v5  %v %v", f.Hex, f.Channel, got, err, v8, f.V8.crash, v5, f.V5.crash)
		}
	}
	if lines < 1000 || delivered < lines/10 {
		t.Errorf("%d lines, %d delivered", lines, delivered)
	}
	t.Logf("%d messages, %d delivered, %d wrong", lines, delivered, wrong)
}

// sameClients tells whether the same clients get something: the codecs of the two adapters read dates and
// damaged text differently, ours as the newer one does.
func sameClients(a, b outcome) bool {
	return (a.X == nil) == (b.X == nil) && (a.Y == nil) == (b.Y == nil)
}

func isNothing(o outcome) bool { return o.X == nil && o.Y == nil }
