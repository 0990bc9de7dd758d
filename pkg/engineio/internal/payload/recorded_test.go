package payload

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"socketio-chat/pkg/engineio/internal/packet"
)

// recordedPacket is a packet as testdata/record_parsers.cjs writes it. Bytes are in hexadecimal.
type recordedPacket struct {
	Type   string
	Text   string
	Binary *string
	Lone   bool // Text holds half of a surrogate pair
}

// recordedLine is a line of testdata/parsers.jsonl: exactly one of Decode, Encode and Script is set.
type recordedLine struct {
	Decode  string
	Encode  string
	Script  *string
	Body    string
	Packets []recordedPacket
	Error   bool
	Payload string
}

var packetNames = [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}

// describe writes packets in a form that compares and reads well: type, then data.
func describe(ps []packet.Packet) string {
	var out bytes.Buffer
	for _, p := range ps {
		kind := "text"
		if p.Binary {
			kind = "binary"
		}
		if p.Type == packet.Close { // only that it came is recorded
			kind, p.Data = "text", nil
		}
		fmt.Fprintf(&out, "[%s %s %x]", packetNames[p.Type], kind, p.Data)
	}
	return out.String()
}

func unhexString(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// packets returns the recorded packets as ours, up to the first that no UTF-8 can hold.
func (l recordedLine) packets(t testing.TB) (ps []packet.Packet, lone bool) {
	t.Helper()
	for _, r := range l.Packets {
		if r.Lone {
			return ps, true
		}
		var p packet.Packet
		for typ, name := range packetNames {
			if name == r.Type {
				p.Type = packet.Type(typ)
			}
		}
		p.Data = unhexString(t, r.Text)
		if r.Binary != nil {
			p.Data, p.Binary = unhexString(t, *r.Binary), true
		}
		ps = append(ps, p)
	}
	return ps, false
}

func readRecorded(t testing.TB) []recordedLine {
	t.Helper()
	file, err := os.Open("testdata/parsers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var lines []recordedLine
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var l recordedLine
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			t.Fatalf("line %d: %v", len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	return lines
}

// decodeForm decodes a POST the way a connection does.
func decodeForm(form string, body []byte) ([]packet.Packet, error) {
	switch form {
	case "v4":
		return DecodeV4(body)
	case "v3":
		return DecodeV3(body)
	case "v3binary":
		return DecodeV3Binary(body)
	}
	payload, err := DecodeJSONP(body)
	if errors.Is(err, ErrNoData) {
		return nil, nil // taken and forgotten
	}
	if err != nil {
		return nil, err
	}
	if form == "jsonp4" {
		return DecodeV4(payload)
	}
	return DecodeV3(payload)
}

// encodeForm encodes a poll response in one of the three payload forms.
func encodeForm(form string, dst []byte, ps []packet.Packet) []byte {
	switch form {
	case "v4":
		return AppendV4(dst, ps)
	case "v3":
		return AppendV3(dst, ps)
	}
	return AppendV3Binary(dst, ps)
}

// TestRecorded holds every codec against what Node's parsers did with the same input.
//
// One difference is meant: a length that cuts a surrogate pair in two gives Node a message that ends in half a
// character, and then an error in any case. Ours gives the error only, for no UTF-8 can hold that message.
func TestRecorded(t *testing.T) {
	for i, l := range readRecorded(t) {
		body := unhexString(t, l.Body)
		want, lone := l.packets(t)
		switch {
		case l.Decode != "":
			got, err := decodeForm(l.Decode, bytes.Clone(body))
			if describe(got) != describe(want) || (err != nil) != (l.Error || lone) {
				t.Errorf("line %d: %s %q:\n got %s, %v\nwant %s, error %v", i+1, l.Decode, body, describe(got), err, describe(want), l.Error || lone)
			}
		case l.Encode != "":
			if got := encodeForm(l.Encode, nil, want); !bytes.Equal(got, body) {
				t.Errorf("line %d: %s %s:\n got %q\nwant %q", i+1, l.Encode, describe(want), got, body)
			}
		case l.Script != nil:
			if got := AppendJSONP(nil, *l.Script, unhexString(t, l.Payload)); !bytes.Equal(got, body) {
				t.Errorf("line %d: script:\n got %q\nwant %q", i+1, got, body)
			}
		default:
			t.Errorf("line %d records nothing", i+1)
		}
	}
}
