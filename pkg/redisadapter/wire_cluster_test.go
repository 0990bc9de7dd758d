package redisadapter

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/msgpack"
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

// eventOf reads a BROADCAST: an event, or a request if it wants acknowledgements.
func eventOf(m *clusterMessage) (msg broadcast, withAck *request, err error) {
	r, err := m.broadcast(nil)
	if r.broadcast != nil {
		msg = *r.broadcast
	}
	return msg, r.request, err
}

// What Node's sharded adapter writes is understood, and written again it is the same to the byte.
func TestNodeShardedMessages(t *testing.T) {
	c := newCodec(1<<20, 255)
	for _, rec := range readRecorded(t) {
		m, err := decodeCluster(c, rec.bytes)
		if err != nil {
			t.Errorf("%s: %v", rec.Call, err)
			continue
		}
		var again clusterMessage
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
			msg.opts.Flags.Compress = false
			again = clusterBroadcast(m.UID, m.Nsp, msg.data, msg.opts, "")
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
			if again, err = clusterRequest(m.UID, m.Nsp, req); err != nil {
				t.Error(err)
			}
		}
		b, deep, err := encodeCluster(c, again, false)
		if err != nil || deep || !bytes.Equal(b, rec.bytes) {
			t.Errorf("%s: %v\n got %q\nwant %q", rec.Call, err, b, rec.bytes)
		}
	}
}

func checkRecordedBroadcast(t *testing.T, rec recordedMessage, msg broadcast) {
	t.Helper()
	attachments := []string{}
	for _, a := range msg.data.Attachments {
		attachments = append(attachments, hex.EncodeToString(a))
	}
	if string(msg.data.JSON) != rec.Expect.Text || !slices.Equal(attachments, rec.Expect.Attachments) {
		t.Errorf("%s: %s %v, want %+v", rec.Call, msg.data.JSON, attachments, *rec.Expect)
	}
	for _, set := range []struct {
		got  *types.Set[socket.Room]
		want []string
	}{{msg.opts.Rooms, rec.Rooms}, {msg.opts.Except, rec.Except}} {
		got := []string{}
		for _, room := range listOfSet(set.got) {
			got = append(got, string(room))
		}
		if slices.Sort(got); !slices.Equal(got, set.want) {
			t.Errorf("%s: rooms %q, want %q", rec.Call, got, set.want)
		}
	}
	if msg.opts.Flags.Volatile != rec.Volatile {
		t.Errorf("%s: volatile is %v", rec.Call, msg.opts.Flags.Volatile)
	}
}

// Between our own instances an event arrives exactly, however it had to travel.
func TestClusterMessageRoundTrip(t *testing.T) {
	c := newCodec(1<<20, 255)
	deep := `["e",` + strings.Repeat("[", nodeDepth) + strings.Repeat("]", nodeDepth) + `]`
	for _, tc := range []struct {
		name   string
		data   socketio.Payload
		binary bool // always MessagePack
		deep   bool
	}{
		{name: "plain", data: raw(`["e",1]`)},
		{name: "odd", data: raw(`["e",{"z":1.0,"a":[-0,1e21,"\ud800",18446744073709551616],"__proto__":{"x":1}}]`)},
		{name: "odd as MessagePack", data: raw(`["e",{"z":1.0,"a":[-0,1e21,"\ud800",18446744073709551616],"__proto__":{"x":1}}]`), binary: true},
		{name: "binary", data: socketio.Payload{JSON: []byte(`["e",{"_placeholder":true,"num":0},1.0,{"_placeholder":true,"num":1}]`), Attachments: [][]byte{{1}, {}}}},
		{name: "deep", data: raw("%s", deep), deep: true},
		{name: "deep as MessagePack", data: raw("%s", deep), binary: true, deep: true},
		{name: "deep and binary", data: socketio.Payload{JSON: []byte(strings.Replace(deep, "[]", `[{"_placeholder":true,"num":0}]`, 1)), Attachments: [][]byte{{1}}}, deep: true},
	} {
		opts := &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room](`r"1`), Flags: &socket.BroadcastFlags{}}
		opts.Flags.Volatile, opts.Flags.Broadcast = true, true
		b, isDeep, err := encodeCluster(c, clusterBroadcast("me", "/chat", tc.data, opts, ""), tc.binary)
		if err != nil || isDeep != tc.deep {
			t.Errorf("%s: deep %v, %v", tc.name, isDeep, err)
			continue
		}
		m, err := decodeCluster(c, b)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		msg, _, err := eventOf(&m)
		if err != nil || string(msg.data.JSON) != string(tc.data.JSON) || !reflect.DeepEqual(msg.data.Attachments, tc.data.Attachments) {
			t.Errorf("%s: %v, %s", tc.name, err, msg.data.JSON)
		}
		if !msg.opts.Rooms.Has(`r"1`) || !msg.opts.Flags.Volatile || !msg.opts.Flags.Broadcast || m.UID != "me" || m.Nsp != "/chat" {
			t.Errorf("%s: %+v", tc.name, msg.opts)
		}
	}
	if _, _, err := encodeCluster(c, clusterBroadcast("me", "/", raw(`["%s"]`, strings.Repeat("x", 1<<20)), nil, ""), false); err == nil {
		t.Error("a message over the limit is written")
	}
}

// hostileCluster are messages that must be rejected, by what is wrong with them.
var hostileCluster = map[string]string{
	"empty":             "",
	"no message":        "hello",
	"array":             "[]",
	"no type":           `{"data":{},"uid":"x","nsp":"/chat"}`,
	"type as text":      `{"type":"3","data":{},"uid":"x","nsp":"/chat"}`,
	"unknown type":      `{"type":99,"data":{},"uid":"x","nsp":"/chat"}`,
	"trailing":          `{"type":4,"data":{"opts":{},"rooms":[]},"uid":"x","nsp":"/chat"}}`,
	"no data":           `{"type":3,"uid":"x","nsp":"/chat"}`,
	"null data":         `{"type":3,"data":null,"uid":"x","nsp":"/chat"}`,
	"no packet":         `{"type":3,"data":{"opts":{}},"uid":"x","nsp":"/chat"}`,
	"no options":        `{"type":3,"data":{"packet":{"type":2,"data":["e"]}},"uid":"x","nsp":"/chat"}`,
	"CONNECT":           `{"type":3,"data":{"packet":{"type":0,"data":["e"]},"opts":{}},"uid":"x","nsp":"/chat"}`,
	"no event":          `{"type":3,"data":{"packet":{"type":2,"data":[]},"opts":{}},"uid":"x","nsp":"/chat"}`,
	"event no list":     `{"type":3,"data":{"packet":{"type":2,"data":{}},"opts":{}},"uid":"x","nsp":"/chat"}`,
	"reserved":          `{"type":3,"data":{"packet":{"type":2,"data":["disconnect"]},"opts":{}},"uid":"x","nsp":"/chat"}`,
	"escaped reserved":  `{"type":3,"data":{"packet":{"type":2,"data":["\u0064isconnect"]},"opts":{}},"uid":"x","nsp":"/chat"}`,
	"rooms no list":     `{"type":3,"data":{"packet":{"type":2,"data":["e"]},"opts":{"rooms":"r"}},"uid":"x","nsp":"/chat"}`,
	"join without":      `{"type":4,"data":{"opts":{}},"uid":"x","nsp":"/chat"}`,
	"join everybody":    `{"type":4,"data":{"rooms":["r"]},"uid":"x","nsp":"/chat"}`,
	"leave everybody":   `{"type":5,"data":{"rooms":["r"]},"uid":"x","nsp":"/chat"}`,
	"disconnect all":    `{"type":6,"data":{"close":true},"uid":"x","nsp":"/chat"}`,
	"fetch without id":  `{"type":7,"data":{"opts":{}},"uid":"x","nsp":"/chat"}`,
	"answer without id": `{"type":8,"data":{"sockets":[]},"uid":"x","nsp":"/chat"}`,
	"count without":     `{"type":11,"data":{"requestId":"x"},"uid":"x","nsp":"/chat"}`,
	"negative count":    `{"type":11,"data":{"requestId":"x","clientCount":-1},"uid":"x","nsp":"/chat"}`,
	"emit nothing":      `{"type":9,"data":{},"uid":"x","nsp":"/chat"}`,
	"emit null":         `{"type":9,"data":{"packet":null},"uid":"x","nsp":"/chat"}`,
	"peers' nonsense":   `{"type":101,"data":7,"uid":"x","nsp":"/chat"}`,
	"peers' answer":     `{"type":102,"data":[],"uid":"x","nsp":"/chat"}`,
	"not UTF-8":         "{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"disc\xffonnect\"]},\"opts\":7},\"uid\":\"x\",\"nsp\":\"/chat\"}",
	"MessagePack short": "\x84\xa4type\x03\xa4da",
	"MessagePack list":  "\x93\x01\x02\x03",
	"huge map":          "\xdf\xff\xff\xff\xff\xa4type\x03",
	"huge array":        "\x81\xa4data\xdd\xff\xff\xff\xff",
	"key no text":       "\x81\x01\x02",
	"stray placeholder": "\x84\xa4type\x03\xa3uid\xa1x\xa3nsp\xa5/chat\xa4data\x82\xa6packet\x82\xa4type\x02\xa4data\x93\xa1e\x82\xac_placeholder\xc3\xa3num\x09\xc4\x01\x01\xa4opts\x80",
	"raw no JSON":       "\x84\xa4type\x03\xa3uid\xa1x\xa3nsp\xa5/chat\xa3raw\xa1{",
	"raw and bad atts":  "\x85\xa4type\x03\xa3uid\xa1x\xa3nsp\xa5/chat\xa3raw\xa2{}\xa4atts\x91\x01",
	"deep":              "\x84\xa4type\x03\xa3uid\xa1x\xa3nsp\xa5/chat\xa4data" + strings.Repeat("\x91", msgpack.WireDepth+1) + "\x01",
	"deep JSON":         `{"type":3,"uid":"x","nsp":"/chat","data":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
}

func FuzzClusterMessage(f *testing.F) {
	for _, rec := range readRecorded(f) {
		f.Add(rec.bytes)
	}
	for _, text := range hostileCluster {
		f.Add([]byte(text))
	}
	c := newCodec(1<<16, 255)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeCluster(c, b)
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
		data := msg.data
		if withAck != nil {
			data = payload(withAck.Packet.Data, withAck.attachments)
		}
		if !json.Valid(data.JSON) || checkEvent(data.JSON) != nil || checkPlaceholders(data.JSON, len(data.Attachments)) != nil {
			t.Fatalf("an event that clients cannot take: %q", data.JSON)
		}
		if withAck != nil {
			return
		}
		again, _, err := encodeCluster(c, clusterBroadcast(m.UID, m.Nsp, msg.data, msg.opts, ""), false)
		if err != nil {
			return // too large now
		}
		if m, err = decodeCluster(c, again); err != nil {
			t.Fatalf("not understood: %v: %q", err, again)
		}
		if twice, _, err := eventOf(&m); err != nil || !bytes.Equal(twice.data.JSON, msg.data.JSON) {
			t.Fatalf("%v: %q became %q", err, msg.data.JSON, twice.data.JSON)
		}
	})
}

// Messages that make no sense are counted and dropped, on every channel; the chat goes on.
func TestHostileShardedMessages(t *testing.T) {
	r := startRedis(t)
	alpha := newInstance(t, r, "alpha", in(Sharded), func(b *Builder) { b.MaxMessage = 64 << 10 })
	alpha.joined()
	ann := alpha.connect("ann")
	w := alpha.adapter().format.(*clusterFormat)
	before := alpha.builder.Status()
	sent := uint64(0)
	for name, text := range hostileCluster {
		for _, channel := range []string{w.names.main, w.own, w.names.peers} {
			if n := r.do("SPUBLISH", channel, text); n != int64(1) {
				t.Fatalf("%s: %v subscribers", name, n)
			}
			sent++
		}
	}
	r.do("SPUBLISH", w.names.main, `{"type":3,"uid":"x","nsp":"/chat","data":"`+strings.Repeat("x", 64<<10)+`"}`)
	sent++
	for _, foreign := range []string{
		`{"type":3,"data":{"packet":{"type":2,"data":["e"]},"opts":{}},"uid":"x","nsp":"/other"}`,
		`{"type":2,"uid":"x","nsp":"/chat"}`, `{"type":13,"uid":"x","nsp":"/chat"}`,
		`{"type":8,"data":{"requestId":"unasked","sockets":[]},"uid":"x","nsp":"/chat"}`,
	} {
		r.do("SPUBLISH", w.names.main, foreign)
	}
	r.do("SPUBLISH", w.names.main, `{"type":3,"data":{"packet":{"type":2,"data":["e","fine"]},"opts":{}},"uid":"x","nsp":"/chat"}`)
	ann.want(`["e","fine"]`)
	s := alpha.builder.Status()
	if got := s.Rejected - before.Rejected; got != sent || s.Gaps != 0 || !s.Joined {
		t.Errorf("%d of %d rejected: %+v", got, sent, s)
	}
}
