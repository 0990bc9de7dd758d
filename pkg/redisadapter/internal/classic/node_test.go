package classic

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

	"socketio-chat/pkg/redisadapter/internal/wire"
	"socketio-chat/pkg/socketio"
)

// recording is a message a Node adapter wrote, see testdata/record.
type recording struct {
	From, Call, Channel, Hex, Nsp string
	Rooms, Except                 []string
	Volatile                      bool
	Expect                        *struct {
		Text        string
		Attachments []string
	}
}

func (r recording) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(r.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recordings reads testdata/node.jsonl.
func recordings(t testing.TB) (list []recording) {
	t.Helper()
	f, err := os.Open("testdata/node.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recording
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	if err := lines.Err(); err != nil || len(list) < 50 {
		t.Fatalf("testdata/node.jsonl: %d recordings, %v", len(list), err)
	}
	return list
}

// Broadcasts of both Node adapters become exactly the text that a Node node would send to its
// clients.
func TestDecodeNodeBroadcasts(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	for _, r := range recordings(t) {
		if r.Expect == nil {
			continue
		}
		t.Run(r.From+" "+r.Call, func(t *testing.T) {
			nsp := r.Nsp
			if nsp == "" {
				nsp = "/chat"
			}
			msg, err := DecodeBroadcast(c, r.bytes(t), "me", nsp, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, want := string(msg.Data.JSON), r.Expect.Text
			if r.Call == "large integers" { // Node rounds what does not fit a double, we do not
				got, want = throughFloats(t, got), throughFloats(t, want)
			}
			if got != want {
				t.Errorf("data\n got %s\nwant %s", got, want)
			}
			var attachments []string
			for _, a := range msg.Data.Attachments {
				attachments = append(attachments, hex.EncodeToString(a))
			}
			if !slices.Equal(attachments, r.Expect.Attachments) {
				t.Errorf("attachments %v, want %v", attachments, r.Expect.Attachments)
			}
			if got := names(msg.Opts.Rooms); !slices.Equal(got, r.Rooms) {
				t.Errorf("rooms %q, want %q", got, r.Rooms)
			}
			if got := names(msg.Opts.Except); !slices.Equal(got, r.Except) {
				t.Errorf("except %q, want %q", got, r.Except)
			}
			if msg.Opts.Flags.Volatile != r.Volatile {
				t.Errorf("volatile %v", msg.Opts.Flags.Volatile)
			}
		})
	}
}

func throughFloats(t testing.TB, text string) string {
	t.Helper()
	var v []any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// names lists a set in order; nil for none.
func names(s *types.Set[socket.Room]) []string {
	if s == nil {
		return nil
	}
	var list []string
	for _, r := range s.Keys() {
		list = append(list, string(r))
	}
	slices.Sort(list)
	return list
}

// What we write for the same event is what Node 4 writes, byte for byte, apart from the sender.
func TestEncodeLikeNode(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	for _, r := range recordings(t) {
		if r.From != "8.3.0" || r.Expect == nil || r.Nsp != "" {
			continue
		}
		switch r.Call {
		case "large integers", "floats": // Node writes remainders
			continue
		case "dates", "not finite": // JSON has none
			continue
		case "binary", "typed array", "array buffer": // Node has one form, we have two
			continue
		case "volatile", "from a socket", "numeric room": // flags in other words
			continue
		}
		t.Run(r.Call, func(t *testing.T) {
			opts := &socket.BroadcastOptions{Rooms: types.NewSet[socket.Room]()}
			for _, room := range r.Rooms {
				opts.Rooms.Add(socket.Room(room))
			}
			text := []byte(r.Expect.Text)
			got, second, err := EncodeBroadcast(c, string(r.bytes(t)[2:8]), "/chat", socketio.Payload{JSON: text}, opts)
			if err != nil || second != nil {
				t.Fatal(second, err)
			}
			want := r.bytes(t)
			if len(r.Rooms) == 2 { // a set has no order
				got, want = bytes.ReplaceAll(got, []byte("\xa1b\xa1a"), []byte("\xa1a\xa1b")), bytes.ReplaceAll(want, []byte("\xa1b\xa1a"), []byte("\xa1a\xa1b"))
			}
			if !bytes.Equal(got, want) {
				t.Errorf("\n got %q\nwant %q", got, want)
			}
		})
	}
}

// Requests and responses of both generations can be read.
func TestDecodeNodeRequests(t *testing.T) {
	c := wire.NewCodec(1<<20, 255)
	yes := true
	want := map[string]wire.Request{
		"SOCKETS join":      {UID: "x", Type: 2, Opts: &wire.RequestOptions{Rooms: wire.RoomList{"a"}, Except: wire.RoomList{"b"}}, Rooms: wire.RoomList{"x", "y"}},
		"SOCKETS leave":     {UID: "x", Type: 3, Opts: &wire.RequestOptions{Rooms: wire.RoomList{}, Except: wire.RoomList{}}, Rooms: wire.RoomList{"x"}},
		"disconnectSockets": {UID: "x", Type: 4, Opts: &wire.RequestOptions{Rooms: wire.RoomList{"a"}, Except: wire.RoomList{}}, Close: &yes},
		"fetchSockets":      {UID: "x", RequestID: "x", Type: 5, Opts: &wire.RequestOptions{Rooms: wire.RoomList{"a"}, Except: wire.RoomList{}}},
		"serverSideEmit":    {UID: "x", Type: 6, Data: json.RawMessage(`["hello",1,{"a":null}]`)},
		"broadcast with ack": {UID: "x", RequestID: "x", Type: 7, Packet: &wire.RequestPacket{
			Type: 2, Data: json.RawMessage(`["q",{"b":{"_placeholder":true,"num":0}}]`), Nsp: "/chat",
		}, Attachments: [][]byte{{1}}},
		"clients":          {LegacyID: "x", Type: 0, Rooms: wire.RoomList{"a"}},
		"clientRooms":      {LegacyID: "x", Type: 1, Sid: "sid"},
		"remoteJoin":       {LegacyID: "x", Type: 3, Sid: "sid", Room: "r"},
		"remoteDisconnect": {LegacyID: "x", Type: 6, Sid: "sid", Close: &yes},
	}
	seen := 0
	for _, r := range recordings(t) {
		w, known := want[r.Call]
		if !strings.Contains(r.Channel, "-request#") {
			continue
		}
		var got wire.Request
		attachments, err := wire.DecodeRequest(c, r.bytes(t), &got)
		if err != nil {
			t.Errorf("%s: %v", r.Call, err)
		}
		if !known {
			continue
		}
		seen++
		got.Attachments = attachments
		for _, id := range []*string{&got.UID, &got.RequestID, &got.LegacyID} {
			if *id != "" {
				*id = "x"
			}
		}
		if r.Call == "broadcast with ack" {
			got.Opts = nil
		}
		if !reflect.DeepEqual(got, w) {
			t.Errorf("%s: got %+v, want %+v", r.Call, got, w)
		}
	}
	if seen != len(want) {
		t.Errorf("saw %d of %d requests", seen, len(want))
	}
}
