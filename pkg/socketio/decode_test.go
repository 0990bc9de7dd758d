package socketio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"socketio-chat/pkg/jsonscan"
)

// recordedRow is one row of testdata/decode.json, see record.mjs there.
type recordedRow struct {
	Name     string
	Messages []recordedMessage
	V3, V4   recordedResult
}

type recordedMessage struct {
	text   []byte
	binary bool
}

func (m *recordedMessage) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		var s string
		err := json.Unmarshal(b, &s)
		m.text = []byte(s)
		return err
	}
	var v struct{ B64 []byte }
	err := json.Unmarshal(b, &v)
	m.text, m.binary = v.B64, true
	return err
}

type recordedResult struct {
	Packets []recordedPacket
	Error   string
}

type recordedPacket struct {
	Type PacketType
	Nsp  string
	ID   *uint64
	Data any
}

func recordedRows(tb testing.TB) (rows []recordedRow) {
	tb.Helper()
	b, err := os.ReadFile("testdata/decode.json")
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(b, &rows); err != nil {
		tb.Fatal(err)
	}
	return rows
}

// stricter lists the rows that socket.io-parser 4.2.7 accepts and we refuse, with our error. No
// client writes any of them.
var stricter = map[string]string{
	"event with byte order mark":  "not a JSON array",    // Node takes the mark for the id 0
	"empty":                       "empty packet",        // Node joins "/"
	"binary event used twice":     "the same attachment", // each place would be one for other instances
	"binary event num fraction":   "placeholder",
	"binary event leading zero":   "illegal attachments",
	"binary event exponent count": "illegal attachments",
}

// differently lists the rows that both accept and understand differently.
var differently = map[string]string{}

// newerOnly lists the rows that 3.4.5, the seed's parser, accepts and 4.2.7 and we refuse. It does
// not check event names, and lets types it does not know pass without effect.
var newerOnly = []string{
	"connect with array", "connect with null", "connect_error array",
	"event reserved connect", "event reserved connect_error", "event reserved disconnect",
	"event reserved disconnecting", "event reserved newListener", "event reserved removeListener",
	"event reserved with escape", "binary event reserved",
	"unknown type 7", "unknown type 9", "unknown type letter", "unknown type space", "unknown type minus",
}

func TestDecodeAsNode(t *testing.T) {
	for _, row := range recordedRows(t) {
		t.Run(row.Name, func(t *testing.T) {
			got, err := decodeAll(t, row.Messages)
			if want, ok := stricter[row.Name]; ok {
				if row.V4.Error != "" {
					t.Fatal("Node refuses it too: no exception is needed")
				}
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want one about %q", err, want)
				}
				return
			}
			if (err != nil) != (row.V4.Error != "") {
				t.Fatalf("error %v, Node has %q", err, row.V4.Error)
			}
			for i, p := range row.V4.Packets { // no array is one without elements
				if (p.Type == Ack || p.Type == Event) && p.Data == nil {
					row.V4.Packets[i].Data = []any{}
				}
			}
			if why := differently[row.Name]; why == "" && !reflect.DeepEqual(got, row.V4.Packets) {
				t.Errorf("got  %+v\nNode %+v", got, row.V4.Packets)
			}
		})
	}
}

func TestDecodeAsOldNode(t *testing.T) {
	newer := map[string]bool{}
	for _, name := range newerOnly {
		newer[name] = true
	}
	for _, row := range recordedRows(t) {
		if stricter[row.Name] != "" {
			continue
		}
		_, err := decodeAll(t, row.Messages)
		if refused := err != nil && row.V3.Error == ""; refused != newer[row.Name] {
			t.Errorf("%s: error %v, 3.4.5 has %q; listed in newerOnly: %v", row.Name, err, row.V3.Error, newer[row.Name])
		}
	}
}

// decodeAll returns what a decoder made of messages, in the form of the recording.
func decodeAll(tb testing.TB, messages []recordedMessage) (list []recordedPacket, err error) {
	tb.Helper()
	list = []recordedPacket{}
	var d decoder
	for _, m := range messages {
		p, err := d.add(bytes.Clone(m.text), m.binary)
		if err != nil {
			return list, err
		}
		if p != nil {
			list = append(list, recordedPacket{p.Type, p.Nsp, p.ID, p.recordedData(tb)})
			p.release()
		}
	}
	return list, nil
}

func (p *Packet) recordedData(tb testing.TB) any {
	tb.Helper()
	show := func(b []byte) any { return map[string]any{"$b64": base64.StdEncoding.EncodeToString(b)} }
	value := func(p Payload) any {
		v, err := p.decodeAny(show)
		if err != nil {
			tb.Fatalf("decoded, but not valid: %v", err)
		}
		return v
	}
	switch {
	case p.Type == Event || p.Type == Ack:
		list := []any{}
		for _, a := range p.Args {
			list = append(list, value(a))
		}
		return list
	case len(p.Data.JSON) > 0:
		return value(p.Data)
	}
	return nil
}

// TestDecodeTruncated feeds every truncation of every recorded message: each is a packet or an
// error, and never more than one packet.
func TestDecodeTruncated(t *testing.T) {
	for _, row := range recordedRows(t) {
		for _, m := range row.Messages {
			for n := range m.text {
				var d decoder
				p, err := d.add(bytes.Clone(m.text[:n]), m.binary)
				if p != nil && err != nil {
					t.Errorf("%q: both a packet and the error %v", m.text[:n], err)
				}
			}
		}
	}
}

func TestDecodeDepth(t *testing.T) {
	nest := func(n int) []byte {
		return []byte(`2["x",` + strings.Repeat("[", n) + strings.Repeat("]", n) + `]`)
	}
	var d decoder
	if _, err := d.add(nest(jsonscan.MaxDepth), false); err != nil {
		t.Errorf("depth %d: %v", jsonscan.MaxDepth, err)
	}
	if _, err := d.add(nest(jsonscan.MaxDepth+1), false); err == nil {
		t.Errorf("depth %d is accepted", jsonscan.MaxDepth+1)
	}
	if _, err := d.add(nest(400_000), false); err == nil {
		t.Error("depth 400000 is accepted")
	}
	if _, err := d.add([]byte("2[\"x\",\"\xff\"]"), false); !errors.Is(err, errNotUTF8) {
		t.Errorf("broken UTF-8: %v", err)
	}
}

// TestDecodeAllocations pins that an event costs one allocation at most: its namespace and name
// are not copied, its arguments alias the message.
func TestDecodeAllocations(t *testing.T) {
	message := []byte(`2/chat,["msgToServer",{"name":"alice","text":"hello"}]`)
	var d decoder
	n := testing.AllocsPerRun(1000, func() {
		p, err := d.add(message, false)
		if err != nil {
			t.Fatal(err)
		}
		p.release()
	})
	if n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	message := []byte(`2/chat,["msgToServer",{"name":"alice","text":"hello, how are you today?"}]`)
	var d decoder
	b.ReportAllocs()
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		p, err := d.add(message, false)
		if err != nil {
			b.Fatal(err)
		}
		p.release()
	}
}

func FuzzDecode(f *testing.F) {
	for _, row := range recordedRows(f) {
		f.Add(row.Messages[0].text)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		var d decoder
		p, err := d.add(bytes.Clone(message), false)
		for i := 0; err == nil && p == nil; i++ {
			p, err = d.add([]byte{byte(i)}, true)
		}
		if err != nil {
			return
		}
		// What is accepted can be written again, and is then read as the same.
		again, err := p.reencode()
		if err != nil {
			t.Fatalf("%q is accepted but cannot be encoded: %v", message, err)
		}
		var d2 decoder
		q, err := d2.add(again.text, false)
		for _, a := range again.attachments {
			q, err = d2.add(a, true)
		}
		if err != nil || q == nil {
			t.Fatalf("%q encodes as %q, which is refused: %v", message, again.text, err)
		}
		if q.Type != p.Type || q.Nsp != p.Nsp || !reflect.DeepEqual(q.ID, p.ID) ||
			!reflect.DeepEqual(q.recordedData(t), p.recordedData(t)) {
			t.Fatalf("%q encodes as %q, which means something else", message, again.text)
		}
	})
}

type wireMessages struct {
	text        []byte
	attachments [][]byte
}

func (p *Packet) reencode() (m wireMessages, err error) {
	data := p.Data
	if (p.Type == Event || p.Type == Ack) && len(p.Args) > 0 {
		args := make([]any, len(p.Args))
		for i, a := range p.Args {
			args[i] = a
		}
		if data, err = EncodeData(args); err != nil {
			return m, err
		}
	}
	m.text = append(appendHeader(nil, p.Type, len(data.Attachments), p.Nsp, p.ID), data.JSON...)
	m.attachments = data.Attachments
	return m, nil
}

// FuzzScan compares the scanner with encoding/json.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0.5e+7,"\u00e9\n",null,true,false,{}]}`, `[[],{}]`, ` 1 `, `01`, `"`, `{"a"}`, "[1,]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		end, err := jsonscan.Value(b, 0)
		if err == nil {
			err = jsonscan.End(b, end)
		}
		if valid := json.Valid(b); valid != (err == nil) && !errors.Is(err, jsonscan.ErrDepth) {
			t.Fatalf("%q: valid %v, scanner says %v", b, valid, err)
		}
		if err == nil {
			if _, err := jsonscan.Placeholders(nil, b, 1<<20); err != nil && !errors.Is(err, jsonscan.ErrPlaceholder) {
				t.Fatalf("%q is valid, but looking for placeholders finds %v", b, err)
			}
		}
	})
}
