package engineio

import (
	"bytes"
	"sync"
	"testing"
)

// A frame's bytes on a WebSocket of each protocol (RFC 6455, 5.2).
func TestFrameWire(t *testing.T) {
	long, longer := bytes.Repeat([]byte{'x'}, 125), bytes.Repeat([]byte{'x'}, 65_535)
	for _, tt := range []struct {
		name         string
		frame        *Frame
		wire3, wire4 []byte
		size         int64
	}{
		{"text", NewTextFrame([]byte("hi")), []byte("\x81\x034hi"), []byte("\x81\x034hi"), 5},
		{"text of parts", NewTextFrame([]byte("2[\"x\""), nil, []byte("]")), []byte("\x81\x074" + `2["x"]`), []byte("\x81\x074" + `2["x"]`), 9},
		{"empty text", NewTextFrame(), []byte("\x81\x014"), []byte("\x81\x014"), 3},
		{"text, 16 bit length", NewTextFrame(long), join([]byte("\x81\x7e\x00\x7e4"), long), join([]byte("\x81\x7e\x00\x7e4"), long), 130},
		{"text, 64 bit length", NewTextFrame(longer), join([]byte("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x004"), longer), join([]byte("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x004"), longer), 65_546},
		{"binary", NewBinaryFrame([]byte{1, 2}), []byte("\x82\x03\x04\x01\x02"), []byte("\x82\x02\x01\x02"), 3},
		{"empty binary", NewBinaryFrame(nil), []byte("\x82\x01\x04"), []byte("\x82\x00"), 1},
		{"binary, 16 bit length with the type", NewBinaryFrame(long), join([]byte("\x82\x7e\x00\x7e\x04"), long), join([]byte("\x82\x7d"), long), 126},
		{"binary, 64 bit length with the type", NewBinaryFrame(longer), join([]byte("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00\x04"), longer), join([]byte("\x82\x7e\xff\xff"), longer), 65_536},
		{"ping", pingFrame, []byte("\x81\x012"), []byte("\x81\x012"), 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.frame.webSocket(3); !bytes.Equal(got, tt.wire3) {
				t.Errorf("protocol 3: %.40q", got)
			}
			if got := tt.frame.webSocket(4); !bytes.Equal(got, tt.wire4) {
				t.Errorf("protocol 4: %.40q", got)
			}
			if tt.frame.size() != tt.size {
				t.Errorf("size %d, want %d", tt.frame.size(), tt.size)
			}
		})
	}
}

// A frame keeps no hold of what it is made from, and is for everybody at once.
func TestFrameIsImmutable(t *testing.T) {
	text, binary := []byte("text"), []byte("binary")
	frames := []*Frame{NewTextFrame(text), NewBinaryFrame(binary)}
	clear(text)
	clear(binary)
	want := map[int]string{3: "\x81\x054text\x82\x07\x04binary", 4: "\x81\x054text\x82\x06binary"}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			protocol := 3 + i%2
			got := join(frames[0].webSocket(protocol), frames[1].webSocket(protocol))
			if string(got) != want[protocol] || string(frames[1].packet().Data) != "binary" {
				t.Errorf("protocol %d: %q", protocol, got)
			}
		})
	}
	all.Wait()
}
