package packet

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
		want     Packet
		err      error
	}{
		{"message", 4, "4hello", Packet{Type: Message, Data: []byte("hello")}, nil},
		{"no data", 4, "2", Packet{Type: Ping}, nil},
		{"probe", 3, "2probe", Packet{Type: Ping, Data: []byte("probe")}, nil},
		{"base64 is a message in 4", 4, "bAQI=", Packet{Type: Message, Data: []byte{1, 2}, Binary: true}, nil},
		{"base64 has a type in 3", 3, "b4AQI=", Packet{Type: Message, Data: []byte{1, 2}, Binary: true}, nil},
		{"base64 of unknown type in 3", 3, "b7AQI=", Packet{Type: Unknown, Data: []byte{1, 2}, Binary: true}, nil},
		{"base64 without type in 3", 3, "b", Packet{Type: Unknown, Binary: true}, nil},
		{"base64, URL alphabet", 4, "b-_-_", Packet{Type: Message, Data: []byte{0xfb, 0xff, 0xbf}, Binary: true}, nil},
		{"empty", 4, "", Packet{}, ErrEmpty},
		{"type 7", 4, "7", Packet{}, ErrType},
		{"type below 0", 3, "/", Packet{}, ErrType},
		{"binary type byte in text", 3, "\x04a", Packet{}, ErrType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeText(tt.protocol, []byte(tt.text))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if got.Type != tt.want.Type || got.Binary != tt.want.Binary || !bytes.Equal(got.Data, tt.want.Data) {
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
		typ      Type
		want     []byte
	}{
		{"3: type byte", 3, []byte{4, 1, 2}, Message, []byte{1, 2}},
		{"3: message without data", 3, []byte{4}, Message, nil},
		{"3: unknown type", 3, []byte{7, 1}, Unknown, nil},
		{"3: text digit is no type", 3, []byte{'4', 1}, Unknown, nil},
		{"3: empty", 3, nil, Unknown, nil},
		{"4: bare", 4, []byte{4, 1, 2}, Message, []byte{4, 1, 2}},
		{"4: empty", 4, nil, Message, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := DecodeBinary(tt.protocol, tt.data)
			if p.Type != tt.typ || !p.Binary || !bytes.Equal(p.Data, tt.want) {
				t.Errorf("got %+v, want type %d data %x", p, tt.typ, tt.want)
			}
		})
	}
}

func FuzzDecodePacket(f *testing.F) {
	for _, s := range []string{"", "4a", "b4YQ==", "bYQ", "b\xff-_", "9"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for protocol := 3; protocol <= 4; protocol++ {
			p, err := DecodeText(protocol, data)
			if err == nil && p.Type > Noop && p.Type != Unknown {
				t.Errorf("type %d", p.Type)
			}
			DecodeBinary(protocol, data)
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
