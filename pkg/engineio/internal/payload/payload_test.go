package payload

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"socketio-chat/pkg/engineio/internal/packet"
)

var payloadForms = []string{"v4", "v3", "v3binary"}

// samplePackets hold every kind of packet and every width of character.
var samplePackets = []packet.Packet{
	{Type: packet.Message, Data: []byte(`2["chat",{"text":"안녕 é 😀 : \u001e"}]`)},
	{Type: packet.Message, Data: []byte{0, 4, 0xff, 0x1e, ':'}, Binary: true},
	{Type: packet.Pong, Data: []byte("probe")},
	{Type: packet.Message},
	{Type: packet.Noop},
	{Type: packet.Message, Data: bytes.Repeat([]byte("안"), 1000)},
}

func TestPayloadRoundTrip(t *testing.T) {
	for _, form := range payloadForms {
		for n := 1; n <= len(samplePackets); n++ {
			body := encodeForm(form, []byte("kept"), samplePackets[:n])
			if !bytes.HasPrefix(body, []byte("kept")) {
				t.Fatalf("%s: dst was overwritten: %q", form, body)
			}
			got, err := decodeForm(form, body[4:])
			if err != nil || describe(got) != describe(samplePackets[:n]) {
				t.Errorf("%s: %s, %v\nwant %s", form, describe(got), err, describe(samplePackets[:n]))
			}
		}
	}
}

// Every truncation decodes to a prefix of the packets, the last of which may be cut short in the lenient forms, and
// in protocol 3's text form to an error unless the cut falls between two packets.
func TestPayloadTruncated(t *testing.T) {
	ps := samplePackets[:5]
	for _, form := range payloadForms {
		body := encodeForm(form, nil, ps)
		ends := map[int]bool{}
		for n := 1; n <= len(ps); n++ {
			ends[len(encodeForm(form, nil, ps[:n]))] = true
		}
		for n := 1; n < len(body); n++ {
			got, err := decodeForm(form, bytes.Clone(body[:n]))
			if len(got) > len(ps) {
				t.Fatalf("%s: %q gives %d packets", form, body[:n], len(got))
			}
			if whole := len(got) - 1; whole > 0 && describe(got[:whole]) != describe(ps[:whole]) {
				t.Errorf("%s: %q gives %s", form, body[:n], describe(got))
			}
			if form == "v3" && (err == nil) != ends[n] {
				t.Errorf("%s: %q: error %v", form, body[:n], err)
			}
		}
	}
}

// The work and the memory a POST of the default limit can cost are bounded: the bodies below would take hours with
// a parser that looks at the rest of the body again for each packet, as some did, and gigabytes with one that
// allocates for each.
func TestPayloadHostile(t *testing.T) {
	const limit = 1e6
	fill := func(unit string) []byte { return []byte(strings.Repeat(unit, limit/len(unit))) }
	for _, tt := range []struct {
		name, form string
		body       []byte
		packets    int
		err        error
	}{
		{"separators", "v4", fill("\x1e"), 0, packet.ErrEmpty},
		{"empty messages", "v4", fill("4\x1e"), MaxPackets, ErrPackets},
		{"empty base64", "v4", fill("b\x1e"), MaxPackets, ErrPackets},
		{"one base64 of nothing", "v4", fill("b="), 1, nil},
		{"broken UTF-8", "v4", fill("4\xff\x1e"), MaxPackets, ErrPackets},
		{"no packets", "v3", fill("0:"), 0, nil},
		{"odd nothing", "v3", fill("-0:"), 0, nil},
		{"empty messages", "v3", fill("1:4"), MaxPackets, ErrPackets},
		{"unknown types", "v3", fill("2:b9"), 0, nil},
		{"colons", "v3", fill(":"), 0, errPayloadLength},
		{"digits", "v3", fill("1"), 0, errPayloadTail},
		{"zeros and a packet", "v3", append(fill("0"), "2:4a"...), 1, nil},
		{"blanks", "v3", append(fill(" "), "2:4a"...), 1, nil},
		{"long number", "v3", append(fill("9"), ":4a"...), 0, errPayloadLength},
		{"long fraction", "v3", append(append([]byte("2."), fill("0")...), ":4a"...), 1, nil},
		{"huge lengths", "v3", fill("999999:4"), 0, errPayloadShort},
		{"surrogate pairs", "v3", append([]byte("500001:4"), fill("😀")...), 1, nil},
		{"cut pairs", "v3", fill("2:4😀"), 0, errPayloadShort},
		{"broken UTF-8", "v3", fill("2:4\xff"), MaxPackets, ErrPackets},
		{"frames of nothing", "v3binary", fill("\x01\x00\xff"), 0, nil},
		{"frames without length", "v3binary", append(fill("\xff"), 9), 0, errFrameLength},
		{"empty messages", "v3binary", fill("\x01\x01\xff\x04"), MaxPackets, ErrPackets},
		{"endless length", "v3binary", fill("\x00"), 0, errFrameLength},
		{"longest lengths", "v3binary", fill("\x00" + strings.Repeat("\x00", 310) + "\xff"), 0, packet.ErrEmpty},
		{"half characters", "v3binary", fill("\x00\x04\xff4\xed\xa0\x80"), MaxPackets, ErrPackets},
		{"fields", "jsonp3", fill("d&"), 0, nil},
		{"field", "jsonp3", append([]byte("d="), fill("%5Cn")...), 0, errPayloadTail},
		{"base64", "jsonp4", append([]byte("d=b"), fill("%")...), 1, nil},
	} {
		t.Run(tt.form+" "+tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			ps, err := decodeForm(tt.form, tt.body)
			runtime.ReadMemStats(&after)
			if len(ps) != tt.packets || !errors.Is(err, tt.err) {
				t.Errorf("%d packets and %v, want %d and %v", len(ps), err, tt.packets, tt.err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 16e6 {
				t.Errorf("allocates %d bytes", got)
			}
		})
	}
}

// A receiver owns its data: appending to one packet's must not change the next one's.
func TestPacketsDoNotShareCapacity(t *testing.T) {
	for form, body := range map[string]string{"v4": "4a\x1e4b", "v3": "2:4a2:4b", "v3binary": "\x00\x02\xff4a\x01\x02\xff\x04b"} {
		ps, err := decodeForm(form, []byte(body))
		if err != nil || len(ps) != 2 {
			t.Fatalf("%s: %v, %v", form, ps, err)
		}
		_ = append(ps[0].Data, "xxxxxxxx"...)
		if string(ps[1].Data) != "b" {
			t.Errorf("%s: an append to the first packet wrote %q into the second", form, ps[1].Data)
		}
	}
}

// Encoding allocates nothing but room in dst.
func TestEncodersDoNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 64<<10)
	for _, form := range payloadForms {
		if n := testing.AllocsPerRun(100, func() { encodeForm(form, dst, samplePackets) }); n != 0 {
			t.Errorf("%s: %v allocations", form, n)
		}
	}
	text := []byte("안녕 \"\\\n\u2028")
	if n := testing.AllocsPerRun(100, func() { AppendJSONP(dst, "12", text) }); n != 0 {
		t.Errorf("JSONP: %v allocations", n)
	}
}

func FuzzDecodePayload(f *testing.F) {
	for _, l := range readRecorded(f) {
		if l.Decode != "" {
			f.Add(unhexString(f, l.Body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, form := range payloadForms {
			ps, err := decodeForm(form, bytes.Clone(body))
			if err != nil || len(ps) == 0 {
				continue
			}
			again, err := decodeForm(form, encodeForm(form, nil, sendable(ps)))
			if err != nil || describe(again) != describe(sendable(ps)) {
				t.Errorf("%s: %s comes back as %s, %v", form, describe(sendable(ps)), describe(again), err)
			}
		}
	})
}

// sendable returns ps without what only decoders know: the data of a close, binary packets of other types (protocol 4
// cannot say their type, and what follows a close is lost).
func sendable(ps []packet.Packet) []packet.Packet {
	var out []packet.Packet
	for _, p := range ps {
		if p.Type == packet.Close {
			p = packet.Packet{Type: packet.Close}
		}
		out = append(out, p)
	}
	return out
}

func FuzzDecodeJSONP(f *testing.F) {
	for _, s := range []string{"", "d=4a", "d=%5C%5Cn", "d=4%E", "x&d", "d=4\\n\\\\n+%EC%95%88"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, err := DecodeJSONP(bytes.Clone(body)); err == nil && len(got) > 3*len(body) {
			t.Errorf("%d bytes become %d", len(body), len(got))
		}
	})
}

func BenchmarkAppendPayload(b *testing.B) {
	ps := make([]packet.Packet, 20)
	for i := range ps {
		ps[i] = packet.Packet{Type: packet.Message, Data: []byte(`2["msgToClient",{"name":"김철수","text":"안녕하세요, how are you?"}]`)}
	}
	for _, form := range payloadForms {
		b.Run(form, func(b *testing.B) {
			dst := encodeForm(form, nil, ps)
			b.SetBytes(int64(len(dst)))
			b.ReportAllocs()
			for b.Loop() {
				dst = encodeForm(form, dst[:0], ps)
			}
		})
	}
}

func BenchmarkDecodePayload(b *testing.B) {
	ps := make([]packet.Packet, 20)
	for i := range ps {
		ps[i] = packet.Packet{Type: packet.Message, Data: []byte(`2["msgToServer",{"name":"김철수","text":"안녕하세요, how are you?"}]`)}
	}
	for _, form := range payloadForms {
		b.Run(form, func(b *testing.B) {
			body := encodeForm(form, nil, ps)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decodeForm(form, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A length of 2^31-1 must not wrap where an int has 32 bits: run with GOARCH=386.
func TestV3BinaryLengthOfAllBits(t *testing.T) {
	body := append([]byte{1, 2, 1, 4, 7, 4, 8, 3, 6, 4, 7, frameEnd}, "\x04abc"...)
	ps, err := DecodeV3Binary(body)
	if err != nil || len(ps) != 1 || string(ps[0].Data) != "abc" {
		t.Errorf("got %+v, %v", ps, err)
	}
}
