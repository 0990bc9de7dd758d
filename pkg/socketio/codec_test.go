package socketio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"socketio-chat/pkg/engineio"
)

// A codecPacket is a packet with everything a packet may have, drawn at random.
type codecPacket struct {
	typ  PacketType
	nsp  string
	id   *uint64
	args []any // nil, bool, float64, string, []byte, []any, map[string]any
}

const codecRuns = 3000

// eachCodecPacket calls f with random packets, and says which one failed.
func eachCodecPacket(t *testing.T, f func(t *testing.T, p codecPacket)) {
	seed := rand.Uint64()
	for run := range uint64(codecRuns) {
		p := randomPacket(rand.New(rand.NewPCG(seed, run)))
		if f(t, p); t.Failed() {
			t.Fatalf("seed %d, run %d: %v %s %v %#v", seed, run, p.typ, p.nsp, p.id, p.args)
		}
	}
}

func randomPacket(r *rand.Rand) codecPacket {
	p := codecPacket{typ: Event, nsp: []string{"/", "/chat", "/a/b", "/é", "/1-2", "/[]"}[r.IntN(6)]}
	if r.IntN(2) == 0 {
		id := r.Uint64() >> (1 + r.IntN(63)) // JavaScript counts with 53 bits
		p.id = &id
	}
	if r.IntN(3) == 0 {
		p.typ = Ack
	} else {
		p.args = append(p.args, "e"+randomText(r))
	}
	for range r.IntN(4) {
		p.args = append(p.args, randomValue(r, 3))
	}
	return p
}

func randomText(r *rand.Rand) string {
	alphabet := []string{"a", "Z", "\"", "\\", "\n", "\x00", "<", "&", "\u2028", "é", "안", "😀", "/", "{", "]", ",", "_placeholder", "\x7f"}
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func randomValue(r *rand.Rand, depth int) any {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch r.IntN(kinds) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return []float64{0, -1, 127, 128, -32, -33, 255, 65536, 1 << 32, 1 << 53, -1 << 31, 0.5, 1e21, 1.5e-7, 1e300}[r.IntN(15)]
	case 3:
		return randomText(r) + strings.Repeat("x", []int{0, 0, 0, 31, 32, 255, 256}[r.IntN(7)])
	case 4:
		return float64(r.Int64() >> (11 + r.IntN(52)))
	case 5:
		return bytes.Repeat([]byte{byte(r.IntN(256))}, []int{0, 1, 4, 255, 256}[r.IntN(5)])
	case 6:
		list := []any{}
		for range r.IntN(4) {
			list = append(list, randomValue(r, depth-1))
		}
		return list
	}
	m := map[string]any{}
	for range r.IntN(4) {
		m[randomText(r)] = randomValue(r, depth-1)
	}
	delete(m, "_placeholder") // a name that means something
	return m
}

// messages are what the frames of a packet look like to a client.
func messages(frames []*engineio.Frame) (list []recordedMessage) {
	for _, f := range frames {
		if text := f.Text(); text != nil {
			list = append(list, recordedMessage{text: text})
		} else {
			list = append(list, recordedMessage{text: f.Binary(), binary: true})
		}
	}
	return list
}

// value is what an argument means, attachments included.
func value(t *testing.T, p Payload) any {
	t.Helper()
	v, err := p.decodeAny(func(b []byte) any { return bytes.Clone(b) })
	if err != nil {
		t.Errorf("%s: %v", p.JSON, err)
	}
	return v
}

// same compares what was sent with what is read; an empty []byte may have become nil.
func (p codecPacket) same(t *testing.T, how string, got *Packet) {
	t.Helper()
	if got.Type != p.typ || got.Nsp != p.nsp || !reflect.DeepEqual(got.ID, p.id) || len(got.Args) != len(p.args) {
		t.Errorf("%s: read as %v %s, id %v, with %d arguments", how, got.Type, got.Nsp, got.ID, len(got.Args))
		return
	}
	for i, arg := range p.args {
		if v := value(t, got.Args[i]); fmt.Sprintf("%#v", emptied(v)) != fmt.Sprintf("%#v", emptied(arg)) {
			t.Errorf("%s: argument %d is %#v, want %#v", how, i, v, arg)
		}
	}
}

func emptied(v any) any {
	switch v := v.(type) {
	case []byte:
		return "binary " + string(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = emptied(v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k := range v {
			m[k] = emptied(v[k])
		}
		return m
	}
	return v
}

// TestPacketsRoundTrip: what is written is read as it was meant, as text with attachments and as MessagePack of both protocols, and as one
// translated into the other. MessagePack has integers: they are read as the same numbers.
func TestPacketsRoundTrip(t *testing.T) {
	eachCodecPacket(t, func(t *testing.T, p codecPacket) {
		data, err := EncodeData(p.args)
		if err != nil {
			t.Error(err)
			return
		}
		frames := newFrames(p.typ, p.nsp, p.id, data)
		var d decoder
		var got *Packet
		for i, m := range messages(frames) {
			if got, err = d.add(bytes.Clone(m.text), m.binary); err != nil || (got != nil) != (i == len(frames)-1) {
				t.Errorf("message %d of %d, %q: %v, %v", i, len(frames), m.text, got, err)
				return
			}
		}
		p.same(t, "text", got)
		for _, protocol := range []int{3, 4} {
			packed := messages(repack(protocol, frames, nil))
			if len(packed) != 1 {
				t.Errorf("packed as %d messages", len(packed))
				return
			}
			q, err := decodeMsgPack(packed[0].text, packed[0].binary, protocol, decoderBounds{})
			if err != nil {
				t.Errorf("protocol %d: %x: %v", protocol, packed[0].text, err)
				return
			}
			p.same(t, fmt.Sprintf("MessagePack of protocol %d", protocol), q)
			again, err := q.reencode()
			if err != nil {
				t.Errorf("from MessagePack: %v", err)
				return
			}
			var back decoder
			r, err := back.add(again.text, false)
			for _, a := range again.attachments {
				r, err = back.add(a, true)
			}
			if err != nil || r == nil {
				t.Errorf("from MessagePack as %q: %v", again.text, err)
				return
			}
			p.same(t, "text from MessagePack", r)
		}
	})
}

// TestPayloadsDecodeAsJSON: into anything, a Payload without attachments decodes as encoding/json does; with them a []byte is what JSON has as
// base64.
func TestPayloadsDecodeAsJSON(t *testing.T) {
	type wanted struct {
		A any               `json:"a"`
		B []byte            `json:"Z"`
		M map[string]any    `json:"é"`
		L []json.RawMessage `json:","`
	}
	eachCodecPacket(t, func(t *testing.T, p codecPacket) {
		for _, arg := range p.args {
			payload, err := encodeValue(arg)
			if err != nil {
				t.Error(err)
				return
			}
			asJSON, err := json.Marshal(payload)
			if err != nil {
				t.Errorf("%s: %v", payload.JSON, err)
				return
			}
			for _, into := range []func() any{
				func() any { return new(any) }, func() any { return new(string) }, func() any { return new([]any) }, func() any { return new(int8) },
				func() any { return new(wanted) }, func() any { return new([]byte) }, func() any { return new(map[string]*wanted) },
			} {
				want, got := into(), into()
				wantErr := json.Unmarshal(asJSON, want)
				gotErr := Payload{JSON: asJSON}.Decode(got)
				if (gotErr == nil) != (wantErr == nil) || wantErr == nil && !reflect.DeepEqual(got, want) {
					t.Errorf("%s into %T: %v, %#v; encoding/json has %v, %#v", asJSON, got, gotErr, got, wantErr, want)
				}
			}
			if b, ok := arg.([]byte); ok {
				var got []byte
				if err := payload.Decode(&got); err != nil || !bytes.Equal(got, b) {
					t.Errorf("%x decodes as %x: %v", b, got, err)
				}
			}
			if !utf8.Valid(payload.JSON) {
				t.Errorf("%q is no UTF-8", payload.JSON)
			}
		}
	})
}
