//go:build linux

package client

import (
	"bytes"
	"testing"

	"github.com/gobwas/ws"
)

func TestParseFrame(t *testing.T) {
	long16 := append([]byte{0x81, 126, 0x01, 0x00}, make([]byte, 256)...) // length in 16 bits
	long64 := append([]byte{0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}, make([]byte, 65536)...)
	for _, tt := range []struct {
		name    string
		wire    []byte
		head    byte
		payload int
	}{
		{"text", []byte("\x81\x02hi"), 0x81, 2},
		{"empty", []byte("\x81\x00"), 0x81, 0},
		{"first part", []byte("\x01\x02hi"), 0x01, 2},
		{"16 bits of length", long16, 0x81, 256},
		{"64 bits of length", long64, 0x82, 65536},
	} {
		f, err := parseFrame(append(tt.wire[:len(tt.wire):len(tt.wire)], "next"...))
		if err != nil || f.head != tt.head || len(f.payload) != tt.payload || f.size != len(tt.wire) {
			t.Errorf("%s: head %#x, %d bytes of %d, %v", tt.name, f.head, len(f.payload), f.size, err)
		}
		for i := range min(len(tt.wire), 300) {
			if _, err := parseFrame(tt.wire[:i]); err != errIncomplete {
				t.Errorf("%s: first %d bytes: %v", tt.name, i, err)
			}
		}
	}
}

func TestParseFrameRefuses(t *testing.T) {
	for name, wire := range map[string][]byte{
		"masked":        {0x81, 0x82, 1, 2, 3, 4, 'h', 'i'},
		"reserved bits": {0xc1, 0x02, 'h', 'i'},
	} {
		if _, err := parseFrame(wire); err == nil || err == errIncomplete {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A length of 2^63 or more never overflows into a small one.
	if _, err := parseFrame(append([]byte{0x81, 127}, bytes.Repeat([]byte{0xff}, 20)...)); err != errIncomplete {
		t.Errorf("endless frame: %v", err)
	}
}

// What we write, a WebSocket library reads.
func TestAppendFrame(t *testing.T) {
	for _, size := range []int{0, 1, 124, 125, 126, 65534, 65535, 65536, 100_000} {
		data := bytes.Repeat([]byte("가x"), size/4+1)[:size]
		f, err := readFrame(bytes.NewReader(appendFrame(nil, opText, engineMessage, data)))
		if err != nil {
			t.Fatal(err)
		}
		f = ws.UnmaskFrame(f)
		if f.Header.OpCode != ws.OpText || !f.Header.Fin || f.Payload[0] != engineMessage || !bytes.Equal(f.Payload[1:], data) {
			t.Errorf("%d bytes: came back as %+v with %d bytes", size, f.Header, len(f.Payload))
		}
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add([]byte("\x81\x02hi"))
	f.Add([]byte{0x81, 126, 0, 1, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		if fr, err := parseFrame(b); err == nil && (fr.size > len(b) || len(fr.payload) > fr.size) {
			t.Errorf("%d bytes of payload in a frame of %d, from %d", len(fr.payload), fr.size, len(b))
		}
	})
}
