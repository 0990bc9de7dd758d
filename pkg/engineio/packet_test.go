package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
)

func TestDecodeTextPacket(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protocol int
		text     string
		want     packet
		err      error
	}{
		{"message", 4, "4hello", packet{typ: packetMessage, data: []byte("hello")}, nil},
		{"no data", 4, "2", packet{typ: packetPing}, nil},
		{"probe", 3, "2probe", packet{typ: packetPing, data: []byte("probe")}, nil},
		{"base64 is a message in 4", 4, "bAQI=", packet{typ: packetMessage, data: []byte{1, 2}, binary: true}, nil},
		{"base64 has a type in 3", 3, "b4AQI=", packet{typ: packetMessage, data: []byte{1, 2}, binary: true}, nil},
		{"base64 of unknown type in 3", 3, "b7AQI=", packet{typ: packetUnknown, data: []byte{1, 2}, binary: true}, nil},
		{"base64 without type in 3", 3, "b", packet{typ: packetUnknown, binary: true}, nil},
		{"base64, URL alphabet", 4, "b-_-_", packet{typ: packetMessage, data: []byte{0xfb, 0xff, 0xbf}, binary: true}, nil},
		{"empty", 4, "", packet{}, errPacketEmpty},
		{"type 7", 4, "7", packet{}, errPacketType},
		{"type below 0", 3, "/", packet{}, errPacketType},
		{"binary type byte in text", 3, "\x04a", packet{}, errPacketType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeTextPacket(tt.protocol, []byte(tt.text))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if got.typ != tt.want.typ || got.binary != tt.want.binary || !bytes.Equal(got.data, tt.want.data) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDecodeBinaryPacket(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protocol int
		data     []byte
		typ      packetType
		want     []byte
	}{
		{"3: type byte", 3, []byte{4, 1, 2}, packetMessage, []byte{1, 2}},
		{"3: message without data", 3, []byte{4}, packetMessage, nil},
		{"3: unknown type", 3, []byte{7, 1}, packetUnknown, nil},
		{"3: text digit is no type", 3, []byte{'4', 1}, packetUnknown, nil},
		{"3: empty", 3, nil, packetUnknown, nil},
		{"4: bare", 4, []byte{4, 1, 2}, packetMessage, []byte{4, 1, 2}},
		{"4: empty", 4, nil, packetMessage, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := decodeBinaryPacket(tt.protocol, tt.data)
			if p.typ != tt.typ || !p.binary || !bytes.Equal(p.data, tt.want) {
				t.Errorf("got %+v, want type %d data %x", p, tt.typ, tt.want)
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
		_ = append(ps[0].data, "xxxxxxxx"...)
		if string(ps[1].data) != "b" {
			t.Errorf("%s: an append to the first packet wrote %q into the second", form, ps[1].data)
		}
	}
}

func FuzzDecodePacket(f *testing.F) {
	for _, s := range []string{"", "4a", "b4YQ==", "bYQ", "b\xff-_", "9"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for protocol := 3; protocol <= 4; protocol++ {
			p, err := decodeTextPacket(protocol, data)
			if err == nil && p.typ > packetNoop && p.typ != packetUnknown {
				t.Errorf("type %d", p.typ)
			}
			decodeBinaryPacket(protocol, data)
		}
	})
}

// The lenient base64 decoder must agree with the strict one where that one has an opinion.
func FuzzDecodeBase64(f *testing.F) {
	f.Add([]byte("AQI="), byte('\n'))
	f.Fuzz(func(t *testing.T, data []byte, noise byte) {
		text := base64.StdEncoding.EncodeToString(data)
		if got := decodeBase64([]byte(text)); !bytes.Equal(got, data) {
			t.Fatalf("%q gives %x, want %x", text, got, data)
		}
		if _, isValue := base64Value(noise); isValue || noise == '=' {
			return
		}
		text = text[:len(text)/2] + string([]byte{noise}) + text[len(text)/2:]
		if got := decodeBase64([]byte(text)); !bytes.Equal(got, data) {
			t.Fatalf("%q gives %x, want %x", text, got, data)
		}
	})
}
