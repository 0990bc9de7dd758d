package wsframe

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gobwas/ws"
)

// Headers as they are on the wire (RFC 6455, 5.2), and every truncation of them.
func TestParseHeader(t *testing.T) {
	mask := [4]byte{0xa1, 0xb2, 0xc3, 0xd4}
	for _, tt := range []struct {
		name string
		wire string
		want ws.Header
	}{
		{"final text, no payload", "\x81\x00", ws.Header{Fin: true, OpCode: ws.OpText}},
		{"masked", "\x81\x85\xa1\xb2\xc3\xd4", ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Mask: mask, Length: 5}},
		{"fragment with reserved bits", "\x72\x01", ws.Header{Rsv: 7, OpCode: ws.OpBinary, Length: 1}},
		{"longest of 7 bits", "\x82\x7d", ws.Header{Fin: true, OpCode: ws.OpBinary, Length: 125}},
		{"16 bits", "\x82\x7e\x01\x00", ws.Header{Fin: true, OpCode: ws.OpBinary, Length: 256}},
		{"16 bits, masked", "\x82\xfe\xff\xff\xa1\xb2\xc3\xd4", ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Mask: mask, Length: 65_535}},
		{"64 bits, masked", "\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00\xa1\xb2\xc3\xd4", ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Mask: mask, Length: 1 << 32}},
		{"64 bits, the highest set", "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", ws.Header{Fin: true, OpCode: ws.OpBinary, Length: -1 << 63}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := range len(tt.wire) {
				if h, got := ParseHeader([]byte(tt.wire[:n])); got != 0 {
					t.Errorf("%x is taken for a whole header: %+v", tt.wire[:n], h)
				}
			}
			if h, n := ParseHeader([]byte(tt.wire + "payload")); h != tt.want || n != len(tt.wire) {
				t.Errorf("got %+v of %d bytes, want %+v", h, n, tt.want)
			}
		})
	}
}

// Headers that a server must not get are refused with 1002.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name       string
		h          ws.Header
		fragmented bool
		ok         bool
	}{
		{"text", ws.Header{Fin: true, OpCode: ws.OpText, Masked: true}, false, true},
		{"first fragment", ws.Header{OpCode: ws.OpText, Masked: true}, false, true},
		{"continuation", ws.Header{OpCode: ws.OpContinuation, Masked: true}, true, true},
		{"ping within a message", ws.Header{Fin: true, OpCode: ws.OpPing, Masked: true, Length: 125}, true, true},
		{"not masked", ws.Header{Fin: true, OpCode: ws.OpText}, false, false},
		{"reserved bit", ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpText, Masked: true}, false, false},
		{"reserved opcode", ws.Header{Fin: true, OpCode: 3, Masked: true}, false, false},
		{"continuation of nothing", ws.Header{Fin: true, OpCode: ws.OpContinuation, Masked: true}, false, false},
		{"message within a message", ws.Header{Fin: true, OpCode: ws.OpText, Masked: true}, true, false},
		{"long ping", ws.Header{Fin: true, OpCode: ws.OpPing, Masked: true, Length: 126}, false, false},
		{"fragmented ping", ws.Header{OpCode: ws.OpPing, Masked: true}, false, false},
		{"endless", ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Length: -1}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(tt.h, tt.fragmented)
			var e Error
			if (err == nil) != tt.ok || err != nil && (!errors.As(err, &e) || e.Code != ws.StatusProtocolError || e.Text == "") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCloseFrames(t *testing.T) {
	for _, tt := range []struct {
		code   ws.StatusCode
		reason string
		want   string
	}{
		{NoCode, "", "\x88\x00"},
		{1002, "", "\x88\x02\x03\xea"},
		{1008, "slow client", "\x88\x0d\x03\xf0slow client"},
	} {
		wire := Close(tt.code, tt.reason)
		if string(wire) != tt.want {
			t.Errorf("%d %q: %q", tt.code, tt.reason, wire)
		}
		if code, err := ParseClose(wire[2:]); code != tt.code || err != nil {
			t.Errorf("%d %q comes back as %d, %v", tt.code, tt.reason, code, err)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add([]byte("\x81\x85\xa1\xb2\xc3\xd4hello"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n := ParseHeader(b)
		if n > len(b) || n > ws.MaxHeaderSize {
			t.Fatalf("%d of %d bytes", n, len(b))
		}
		if n == 0 || h.Masked || !h.Fin || h.Rsv != 0 || h.Length < 0 || h.Length > 1<<40 {
			return
		}
		if again := AppendHeader(nil, h.OpCode, int(h.Length)); len(again) > n || len(again) == n && !bytes.Equal(again, b[:n]) {
			t.Errorf("%x becomes %x", b[:n], again)
		}
	})
}
