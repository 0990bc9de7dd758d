package cluster

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// recordedMessage is a line of testdata/sharded.jsonl, written by Node.
type recordedMessage struct {
	Call, Channel, Hex string
	Expect             *struct {
		Text        string
		Attachments []string
	}
	Rooms, Except []string
	Volatile      bool
	Nsp           string
	bytes         []byte
}

func readRecorded(tb testing.TB) (list []recordedMessage) {
	tb.Helper()
	f, err := os.Open("testdata/sharded.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var m recordedMessage
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			tb.Fatal(err)
		}
		if m.bytes, err = hex.DecodeString(m.Hex); err != nil {
			tb.Fatal(err)
		}
		list = append(list, m)
	}
	if len(list) < 30 {
		tb.Fatalf("only %d recorded messages", len(list))
	}
	return list
}

// payloadOf makes a payload of a format.
func payloadOf(format string, args ...any) socketio.Payload {
	return socketio.Payload{JSON: fmt.Appendf(nil, format, args...)}
}

// eventOf reads a BROADCAST: an event, or a request if it wants acknowledgements.
func eventOf(m *Message) (msg wire.Broadcast, withAck *wire.Request, err error) {
	r, err := m.broadcast(nil)
	if r.Broadcast != nil {
		msg = *r.Broadcast
	}
	return msg, r.Request, err
}

// What Node's sharded adapter writes is understood, and written again it is the same to the byte.
func TestNodeShardedMessages(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	for _, rec := range readRecorded(t) {
		m, err := Decode(c, rec.bytes)
		if err != nil {
			t.Errorf("%s: %v", rec.Call, err)
			continue
		}
		var again Message
		switch {
		case rec.Expect != nil:
			msg, withAck, err := eventOf(&m)
			if err != nil || withAck != nil {
				t.Errorf("%s: %v", rec.Call, err)
				continue
			}
			checkRecordedBroadcast(t, rec, msg)
			if rec.Call == "numeric room" || rec.Call == "binary" {
				continue // we spell rooms as strings; a Date has become one
			}
			msg.Opts.Flags.Compress = false
			again = Broadcast(m.UID, m.Nsp, msg.Data, msg.Opts, "")
			rec.bytes = bytes.Replace(rec.bytes, []byte(`,"compress":false`), nil, 1) // what an absent flag means
		case m.Type == clusterBroadcastType:
			_, withAck, err := eventOf(&m)
			if err != nil || withAck == nil || withAck.RequestID == "" || len(withAck.Packet.Data) == 0 {
				t.Errorf("%s: %+v, %v", rec.Call, withAck, err)
			}
			continue
		case isAnswer(m.Type):
			r, err := m.response()
			if err != nil || r.RequestID == "" {
				t.Errorf("%s: %+v, %v", rec.Call, r, err)
			}
			continue
		default:
			req, err := m.request()
			if err != nil || req.UID != m.UID {
				t.Errorf("%s: %+v, %v", rec.Call, req, err)
				continue
			}
			if rec.Call == "serverSideEmit with binary" {
				if want := `["hello",{"type":"Buffer","data":[1]}]`; string(req.Data) != want {
					t.Errorf("%s: %s, want %s", rec.Call, req.Data, want)
				}
				continue
			}
			if again, err = RequestOf(m.UID, m.Nsp, req); err != nil {
				t.Error(err)
			}
		}
		b, deep, err := Encode(c, again, false)
		if err != nil || deep || !bytes.Equal(b, rec.bytes) {
			t.Errorf("%s: %v\n got %q\nwant %q", rec.Call, err, b, rec.bytes)
		}
	}
}

func checkRecordedBroadcast(t *testing.T, rec recordedMessage, msg wire.Broadcast) {
	t.Helper()
	attachments := []string{}
	for _, a := range msg.Data.Attachments {
		attachments = append(attachments, hex.EncodeToString(a))
	}
	if string(msg.Data.JSON) != rec.Expect.Text || !slices.Equal(attachments, rec.Expect.Attachments) {
		t.Errorf("%s: %s %v, want %+v", rec.Call, msg.Data.JSON, attachments, *rec.Expect)
	}
	for _, set := range []struct {
		got  *types.Set[socket.Room]
		want []string
	}{{msg.Opts.Rooms, rec.Rooms}, {msg.Opts.Except, rec.Except}} {
		got := []string{}
		for _, room := range wire.ListOfSet(set.got) {
			got = append(got, string(room))
		}
		if slices.Sort(got); !slices.Equal(got, set.want) {
			t.Errorf("%s: rooms %q, want %q", rec.Call, got, set.want)
		}
	}
	if msg.Opts.Flags.Volatile != rec.Volatile {
		t.Errorf("%s: volatile is %v", rec.Call, msg.Opts.Flags.Volatile)
	}
}

// Between our own instances an event arrives exactly, however it had to travel.
func TestClusterMessageRoundTrip(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	deep := `["e",` + strings.Repeat("[", wire.NodeDepth) + strings.Repeat("]", wire.NodeDepth) + `]`
	for _, tc := range []struct {
		name   string
		data   socketio.Payload
		binary bool // always MessagePack
		deep   bool
	}{
		{name: "plain", data: payloadOf(`["e",1]`)},
		{name: "odd", data: payloadOf(`["e",{"z":1.0,"a":[-0,1e21,"\ud800",18446744073709551616],"__proto__":{"x":1}}]`)},
		{name: "odd as MessagePack", data: payloadOf(`["e",{"z":1.0,"a":[-0,1e21,"\ud800",18446744073709551616],"__proto__":{"x":1}}]`), binary: true},
		{name: "binary", data: socketio.Payload{JSON: []byte(`["e",{"_placeholder":true,"num":0},1.0,{"_placeholder":true,"num":1}]`), Attachments: [][]byte{{1}, {}}}},
		{name: "deep", data: payloadOf("%s", deep), deep: true},
		{name: "deep as MessagePack", data: payloadOf("%s", deep), binary: true, deep: true},
		{name: "deep and binary", data: socketio.Payload{JSON: []byte(strings.Replace(deep, "[]", `[{"_placeholder":true,"num":0}]`, 1)), Attachments: [][]byte{{1}}}, deep: true},
	} {
		opts := &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room](`r"1`), Flags: &socket.BroadcastFlags{}}
		opts.Flags.Volatile, opts.Flags.Broadcast = true, true
		b, isDeep, err := Encode(c, Broadcast("me", "/chat", tc.data, opts, ""), tc.binary)
		if err != nil || isDeep != tc.deep {
			t.Errorf("%s: deep %v, %v", tc.name, isDeep, err)
			continue
		}
		m, err := Decode(c, b)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		msg, _, err := eventOf(&m)
		if err != nil || string(msg.Data.JSON) != string(tc.data.JSON) || !reflect.DeepEqual(msg.Data.Attachments, tc.data.Attachments) {
			t.Errorf("%s: %v, %s", tc.name, err, msg.Data.JSON)
		}
		if !msg.Opts.Rooms.Has(`r"1`) || !msg.Opts.Flags.Volatile || !msg.Opts.Flags.Broadcast || m.UID != "me" || m.Nsp != "/chat" {
			t.Errorf("%s: %+v", tc.name, msg.Opts)
		}
	}
	if _, _, err := Encode(c, Broadcast("me", "/", payloadOf(`["%s"]`, strings.Repeat("x", 1<<20)), nil, ""), false); err == nil {
		t.Error("a message over the limit is written")
	}
}

// hostileMessages are messages that must be rejected, by what is wrong with them.
func hostileMessages(tb testing.TB) (list map[string]string) {
	tb.Helper()
	b, err := os.ReadFile("testdata/hostile.json")
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		tb.Fatal(err)
	}
	for name, text := range list {
		if digits, binary := strings.CutPrefix(text, "hex:"); binary {
			b, err := hex.DecodeString(digits)
			if err != nil {
				tb.Fatal(err)
			}
			list[name] = string(b)
		}
	}
	return list
}

func FuzzClusterMessage(f *testing.F) {
	for _, rec := range readRecorded(f) {
		f.Add(rec.bytes)
	}
	for _, text := range hostileMessages(f) {
		f.Add([]byte(text))
	}
	c := wire.NewCodec(1<<16, 255)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(c, b)
		if err != nil {
			return
		}
		if len(m.Data.JSON) > 0 && !json.Valid(m.Data.JSON) {
			t.Fatalf("data is no JSON: %q", m.Data.JSON)
		}
		_, _ = m.request()
		_, _ = m.response()
		msg, withAck, err := eventOf(&m)
		if err != nil {
			return
		}
		data := msg.Data
		if withAck != nil {
			data = wire.Payload(withAck.Packet.Data, withAck.Attachments)
		}
		if !json.Valid(data.JSON) || wire.CheckEvent(data.JSON) != nil || wire.CheckPlaceholders(data.JSON, len(data.Attachments)) != nil {
			t.Fatalf("an event that clients cannot take: %q", data.JSON)
		}
		if withAck != nil {
			return
		}
		again, _, err := Encode(c, Broadcast(m.UID, m.Nsp, msg.Data, msg.Opts, ""), false)
		if err != nil {
			return // too large now
		}
		if m, err = Decode(c, again); err != nil {
			t.Fatalf("not understood: %v: %q", err, again)
		}
		if twice, _, err := eventOf(&m); err != nil || !bytes.Equal(twice.Data.JSON, msg.Data.JSON) {
			t.Fatalf("%v: %q became %q", err, msg.Data.JSON, twice.Data.JSON)
		}
	})
}
