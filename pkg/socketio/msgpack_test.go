package socketio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/jsonscan"
)

// packedRecording is a row of testdata/msgpack.json: a message, and the packet in it.
type packedRecording struct {
	Protocol int
	From     string
	Text     string
	B64      []byte
	Packet   struct {
		Type int
		Nsp  string
		ID   *uint64
		Data json.RawMessage
	}
}

func (m packedRecording) bytes() (data []byte, binary bool) {
	if m.B64 != nil {
		return m.B64, true
	}
	return []byte(m.Text), false
}

// payload is the data, with attachments for {"$b64":…}. ok is false without data, or if some of it is undefined.
func (m packedRecording) payload(t *testing.T) (p Payload, ok bool) {
	t.Helper()
	if len(m.Packet.Data) == 0 || bytes.Contains(m.Packet.Data, []byte("$undefined")) {
		return Payload{}, false
	}
	text := string(m.Packet.Data)
	for {
		from := strings.Index(text, `{"$b64":"`)
		if from < 0 {
			return Payload{JSON: []byte(text), Attachments: p.Attachments}, true
		}
		to := from + strings.IndexByte(text[from:], '}') + 1
		b, err := base64.StdEncoding.DecodeString(text[from+len(`{"$b64":"`) : to-2])
		if err != nil {
			t.Fatal(err)
		}
		placeholder := `{"_placeholder":true,"num":` + string(rune('0'+len(p.Attachments))) + `}`
		p.Attachments = append(p.Attachments, b)
		text = text[:from] + placeholder + text[to:]
	}
}

func packedRecordings(t testing.TB) (list []packedRecording) {
	t.Helper()
	b, err := os.ReadFile("testdata/msgpack.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// What npm's clients send is read as Node reads it.
func TestMsgPackFromRecordedClients(t *testing.T) {
	seen := 0
	for _, m := range packedRecordings(t) {
		if m.From != "client" {
			continue
		}
		seen++
		data, binary := m.bytes()
		p, err := decodeMsgPack(data, binary, m.Protocol, decoderBounds{})
		if err != nil {
			t.Errorf("%s: %v", m.Packet.Data, err)
			continue
		}
		want := PacketType(m.Packet.Type)
		if want >= BinaryEvent {
			want -= BinaryEvent - Event
		}
		if p.Type != want || p.Nsp != m.Packet.Nsp || (p.ID == nil) != (m.Packet.ID == nil) || p.ID != nil && *p.ID != *m.Packet.ID {
			t.Errorf("%s: got %v %s %v", m.Packet.Data, p.Type, p.Nsp, p.ID)
		}
		whole, _ := m.payload(t)
		got := p.Data
		if p.Type == Event || p.Type == Ack {
			got = joinArgs(p.Args)
			if len(p.Args) == 1 {
				got.JSON = []byte("[" + string(got.JSON) + "]")
			}
		}
		if string(got.JSON) != string(whole.JSON) || len(got.Attachments) != len(whole.Attachments) {
			t.Errorf("got %s with %d attachments, want %s with %d", got.JSON, len(got.Attachments), whole.JSON, len(whole.Attachments))
		}
		for i, a := range got.Attachments {
			if !bytes.Equal(a, whole.Attachments[i]) {
				t.Errorf("attachment %d: got %x", i, a)
			}
		}
		p.release()
	}
	if seen < 10 {
		t.Errorf("only %d messages are recorded", seen)
	}
}

// What Node's servers send is, byte for byte, what is sent here.
func TestMsgPackAsRecordedServers(t *testing.T) {
	seen := 0
	for _, m := range packedRecordings(t) {
		p, ok := m.payload(t)
		if m.From != "server" || !ok && len(m.Packet.Data) > 0 {
			continue // CONNECT of a server without recovery has "pid": undefined
		}
		if m.Packet.Type == int(ConnectError) && m.Protocol == 4 {
			continue // the one packet in which nsp comes before data
		}
		seen++
		typ := PacketType(m.Packet.Type)
		if typ >= BinaryEvent {
			typ -= BinaryEvent - Event
		}
		want, binary := m.bytes()
		for how, frames := range map[string][]*engineio.Frame{
			"made":       packFrames(m.Protocol, typ, m.Packet.Nsp, m.Packet.ID, p),
			"translated": repack(m.Protocol, newFrames(typ, m.Packet.Nsp, m.Packet.ID, p), nil),
		} {
			if len(frames) != 1 {
				t.Errorf("%s: %d messages", how, len(frames))
				continue
			}
			got := frames[0].Text()
			if binary {
				got = frames[0].Binary()
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s:\n got %q\nwant %q", how, got, want)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d messages are recorded", seen)
	}
}

func packed(members ...any) []byte {
	out := msgp.AppendMapHeader(nil, uint32(len(members)/2))
	for _, v := range members {
		var err error
		if out, err = msgp.AppendIntf(out, v); err != nil {
			panic(err)
		}
	}
	return out
}

// Whatever does not make a packet is refused, as in JSON.
func TestMsgPackRefuses(t *testing.T) {
	event := func(data ...any) []byte { return packed("type", 2, "nsp", "/", "data", data) }
	deep := bytes.Repeat([]byte{0x91}, jsonscan.MaxDepth+1)
	bins := make([]any, 13)
	for i := range bins {
		bins[i] = []byte{1}
	}
	bins[0] = "e"
	for name, tc := range map[string]struct {
		data []byte
		want error // nil: any
	}{
		"nothing":                    {nil, errPacketMap},
		"no map":                     {[]byte{0x93, 2, 0xa1, '/', 0x91, 0xa1, 'e'}, errPacketMap},
		"no type":                    {packed("nsp", "/", "data", []any{"e"}), nil},
		"type of none":               {packed("type", 7, "nsp", "/"), nil},
		"binary type":                {packed("type", 5, "nsp", "/", "data", []any{"e"}), nil},
		"negative type":              {packed("type", -1, "nsp", "/"), nil},
		"type with a fraction":       {packed("type", 2.5, "nsp", "/", "data", []any{"e"}), nil},
		"no namespace":               {packed("type", 2, "data", []any{"e"}), errPacketMap},
		"namespace of none":          {packed("type", 2, "nsp", "chat", "data", []any{"e"}), errPacketMap},
		"negative id":                {packed("type", 2, "nsp", "/", "id", -1, "data", []any{"e"}), errAckID},
		"event without data":         {packed("type", 2, "nsp", "/"), nil},
		"event of a map":             {packed("type", 2, "nsp", "/", "data", map[string]any{}), nil},
		"event without name":         {event(), errEventName},
		"name of a map":              {event(map[string]any{}), errEventName},
		"reserved name":              {event("disconnecting"), errReservedEvent},
		"connect with a list":        {packed("type", 0, "nsp", "/", "data", []any{}), nil},
		"disconnect with data":       {packed("type", 1, "nsp", "/", "data", "x"), nil},
		"bytes behind":               {append(event("e"), 0), errTrailing},
		"too deep":                   {append(append(packed("type", 2, "nsp", "/")[:0], append([]byte{0x83, 0xa4}, "type\x02\xa3nsp\xa1/\xa4data\x92\xa1e"...)...), deep...), nil},
		"too many bytes":             {event(bins...), errTooMany},
		"too many arguments":         {append([]byte{0x83, 0xa4}, "type\x02\xa3nsp\xa1/\xa4data\xdd\x7f\xff\xff\xff"...), errArguments},
		"a placeholder that is none": {event("e", []byte{1}, map[string]any{"_placeholder": true, "num": 4}), nil},
		"text":                       {nil, nil},
	} {
		p, err := decodeMsgPack(tc.data, name != "text", 4, decoderBounds{})
		if err == nil {
			t.Errorf("%s: accepted as %v", name, p)
		} else if tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	whole := event("e", map[string]any{"a": []any{1.5, nil, []byte{1}}})
	for n := range whole {
		if _, err := decodeMsgPack(whole[:n], true, 4, decoderBounds{}); err == nil {
			t.Errorf("%d of %d bytes are accepted", n, len(whole))
		}
	}
}

// Events may come as text, too, from clients with version 2 of the parser; they have no more arguments than others.
func TestMsgPackEventsAsText(t *testing.T) {
	for text, want := range map[string]error{
		`{"type":2,"nsp":"/","id":3,"data":["e",1,{"a":2}]}`: nil,
		`{"type":3,"nsp":"/","id":3,"data":["e",1,{"a":2}]}`: nil,
		`{"type":2,"nsp":"/","data":["e",1,2,3]}`:            errArguments,
	} {
		p, err := decodeMsgPack([]byte(text), false, 3, decoderBounds{arguments: 2})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
		if err != nil {
			continue
		}
		if got := joinArgs(p.Args); string(got.JSON) != `["e",1,{"a":2}]` || p.ID == nil || *p.ID != 3 {
			t.Errorf("%s was read as %s", text, got.JSON)
		}
		p.release()
	}
}

// A value that came as MessagePack goes on as it came, whatever JSON makes of it.
func TestMsgPackGoesOnUntouched(t *testing.T) {
	values := [][]byte{
		{0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0}, // NaN
		{0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0},    // -0
		{0xcb, 0x40, 0x08, 0, 0, 0, 0, 0, 0}, // 3.0
		{0xd7, 0, 0, 0, 0, 0, 0, 0, 0, 5},    // a Date
		{0xd4, 0, 0},                         // undefined
		{0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{0x81, 0xa1, 'b', 0xc4, 1, 7},
	}
	message := append([]byte{0x83, 0xa4}, "type\x02\xa3nsp\xa5/chat\xa4data"...)
	message = append(message, 0x90|byte(1+len(values)), 0xa1, 'e')
	for _, v := range values {
		message = append(message, v...)
	}
	p, err := decodeMsgPack(message, true, 4, decoderBounds{})
	if err != nil {
		t.Fatal(err)
	}
	list := []any{"e"}
	for _, arg := range p.Args[1:] {
		list = append(list, arg)
	}
	data, err := EncodeData(list)
	if err != nil {
		t.Fatal(err)
	}
	if want := `["e",null,0,3,"1970-01-01T00:00:00.005Z",null,18446744073709551615,{"b":{"_placeholder":true,"num":0}}]`; string(data.JSON) != want {
		t.Errorf("JSON is %s, want %s", data.JSON, want)
	}
	got := packFrames(4, Event, "/chat", nil, data)[0].Binary()
	want := append([]byte{0x83, 0xa4}, "type\x02\xa4data"...)
	want = append(want, 0x90|byte(1+len(values)), 0xa1, 'e')
	for _, v := range values {
		want = append(want, v...)
	}
	want = append(want, "\xa3nsp\xa5/chat"...)
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	joined := joinArgs(p.Args[1:])
	if joined.Packed == nil || joined.Packed[0] != 0x90|byte(len(values)) {
		t.Errorf("several arguments became %x", joined.Packed)
	}
}

func FuzzMsgPack(f *testing.F) {
	for _, m := range packedRecordings(f) {
		data, binary := m.bytes()
		f.Add(data, binary, m.Protocol == 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, binary, three bool) {
		protocol := 4
		if three {
			protocol = 3
		}
		if !binary && !utf8.Valid(data) {
			return // the engine refuses it
		}
		p, err := decodeMsgPack(data, binary, protocol, decoderBounds{})
		if err != nil {
			return
		}
		whole := p.Data
		if p.Type == Event || p.Type == Ack {
			var list []any
			for _, arg := range p.Args {
				list = append(list, arg)
			}
			if whole, err = EncodeData(list); err != nil {
				t.Fatalf("%x: %v", data, err)
			}
		}
		if len(whole.JSON) > 0 && (!json.Valid(whole.JSON) || !utf8.Valid(whole.JSON)) {
			t.Fatalf("%x became %q", data, whole.JSON)
		}
		frames := newFrames(p.Type, p.Nsp, p.ID, Payload{JSON: whole.JSON, Attachments: whole.Attachments})
		for _, made := range repack(protocol, frames, nil) {
			again, binary := made.Text(), false
			if again == nil {
				again, binary = made.Binary(), true
			}
			if _, err := decodeMsgPack(again, binary, protocol, decoderBounds{arguments: 1 << 30}); err != nil && !strings.ContainsAny(p.Nsp, ",") {
				t.Fatalf("%x became %x: %v", data, again, err)
			}
		}
	})
}
