package engineio

import (
	"bytes"
	"slices"
	"testing"
)

// join concatenates frames.
func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// text is a masked text frame.
func text(s string) []byte { return masked(0x81, []byte(s)) }

// Raw frames of a client, and what the server makes of them.
var frameTests = []struct {
	name     string
	in       []byte
	received []message // by the server
	out      []string  // by the client: text packets
	pongs    []string  // by the client: pong frames
	code     int       // of the server's close frame; 0: the connection stays
	reason   string
	ends     CloseReason
	lost     bool // the server cannot know the client's close frame when it comes
	closes   bool // the client has sent its close frame
}{
	{
		name:     "text message",
		in:       text("4hello"), // 81 86 mask "4hello"
		received: []message{"hello"},
	},
	{
		name:     "binary message",
		in:       masked(0x82, []byte{1, 2, 3}),
		received: []message{"binary 010203"},
	},
	{
		name:     "empty binary message",
		in:       masked(0x82, nil),
		received: []message{"binary "},
	},
	{
		name: "fragments",
		in: join(
			masked(0x01, []byte("4he")), // text, not final
			masked(0x00, []byte("l")),   // continuation
			masked(0x00, nil),           // continuation without a byte
			masked(0x80, []byte("lo"))), // continuation, final
		received: []message{"hello"},
	},
	{
		name: "control frames between fragments",
		in: join(
			masked(0x01, []byte("4he")),
			masked(0x89, []byte("are you there")), // ping
			masked(0x8a, []byte("unasked")),       // pong
			masked(0x80, []byte("llo"))),
		received: []message{"hello"},
		pongs:    []string{"are you there"},
	},
	{
		name:  "pings",
		in:    join(masked(0x89, nil), masked(0x89, bytes.Repeat([]byte{'x'}, 125))),
		pongs: []string{"", string(bytes.Repeat([]byte{'x'}, 125))},
	},
	{
		name:     "several messages in one segment",
		in:       join(text("4a"), masked(0x82, []byte{7}), text("4b")),
		received: []message{"a", "binary 07", "b"},
	},
	{
		name:     "length in more bytes than it needs",
		in:       join([]byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 2}, []byte{0, 0, 0, 0}, []byte("4x")),
		received: []message{"x"},
	},
	{
		name:     "character split across fragments",
		in:       join(masked(0x01, []byte("4\xec\x95")), masked(0x80, []byte("\x88"))), // 안
		received: []message{"안"},
	},
	{
		name: "reserved bit 1 (compression was not agreed on)",
		in:   masked(0xc1, []byte("4x")),
		code: 1002, reason: "non-zero rsv bits with no extension negotiated", ends: TransportError,
	},
	{
		name: "reserved bit 2",
		in:   masked(0xa1, []byte("4x")),
		code: 1002, reason: "non-zero rsv bits with no extension negotiated", ends: TransportError,
	},
	{
		name: "reserved bit 3 on a ping",
		in:   masked(0x99, []byte("4x")),
		code: 1002, reason: "non-zero rsv bits with no extension negotiated", ends: TransportError,
	},
	{
		name: "reserved data opcode 3",
		in:   masked(0x83, []byte("4x")),
		code: 1002, reason: "use of reserved op code", ends: TransportError,
	},
	{
		name: "reserved control opcode 11",
		in:   masked(0x8b, []byte("4x")),
		code: 1002, reason: "use of reserved op code", ends: TransportError,
	},
	{
		name: "unmasked frame",
		in:   []byte{0x81, 2, '4', 'x'},
		code: 1002, reason: "frames from client to server must be masked", ends: TransportError,
	},
	{
		name: "ping of 126 bytes",
		in:   masked(0x89, make([]byte, 126)),
		code: 1002, reason: "control frame payload limit exceeded", ends: TransportError,
	},
	{
		name: "fragmented ping",
		in:   masked(0x09, []byte("x")),
		code: 1002, reason: "control frame is not final", ends: TransportError,
	},
	{
		name: "continuation of nothing",
		in:   masked(0x80, []byte("4x")),
		code: 1002, reason: "unexpected continuation data frame", ends: TransportError,
	},
	{
		name: "new message within a fragmented one",
		in:   join(masked(0x01, []byte("4x")), text("4y")),
		code: 1002, reason: "unexpected non-continuation data frame", ends: TransportError,
	},
	{
		name: "length with its highest bit set",
		in:   []byte{0x81, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, '4'},
		code: 1002, reason: "payload length of more than 63 bits", ends: TransportError, lost: true,
	},
	{
		name: "invalid UTF-8",
		in:   text("4\xc3\x28"),
		code: 1007, reason: "invalid UTF-8 in a text message", ends: TransportError,
	},
	{
		name: "invalid UTF-8, split",
		in:   join(masked(0x01, []byte("4\xec\x95")), masked(0x80, []byte("4"))),
		code: 1007, reason: "invalid UTF-8 in a text message", ends: TransportError,
	},
	{
		name: "UTF-8 of a surrogate",
		in:   text("4\xed\xa0\x80"),
		code: 1007, reason: "invalid UTF-8 in a text message", ends: TransportError,
	},
	{
		name: "message too big in one frame",
		in:   text("4" + string(make([]byte, 1000))),
		code: 1009, reason: "max payload size exceeded", ends: TransportError,
	},
	{
		name: "message too big, and its bytes look like frames",
		in:   masked(0x82, bytes.Repeat([]byte{0x88 ^ mask[0], 0x80 ^ mask[1]}, 50_000)),
		code: 1009, reason: "max payload size exceeded", ends: TransportError,
	},
	{
		name: "message too big by its fragments",
		in:   join(masked(0x02, make([]byte, 600)), masked(0x00, make([]byte, 400)), masked(0x80, []byte{1})),
		code: 1009, reason: "max payload size exceeded", ends: TransportError,
	},
	{
		name:     "message of exactly the limit",
		in:       masked(0x82, make([]byte, 1000)),
		received: []message{message("binary " + string(bytes.Repeat([]byte("00"), 1000)))},
	},
	{
		name: "close without a code",
		in:   masked(0x88, nil),
		code: 1005, ends: TransportClose, closes: true,
	},
	{
		name: "close with a code",
		in:   masked(0x88, []byte("\x03\xe8bye")), // 1000
		code: 1000, ends: TransportClose, closes: true,
	},
	{
		name: "close with an application's code",
		in:   masked(0x88, []byte("\x0f\xa0")), // 4000
		code: 4000, ends: TransportClose, closes: true,
	},
	{
		name: "close within a fragmented message",
		in:   join(masked(0x01, []byte("4x")), masked(0x88, []byte("\x03\xe9"))), // 1001
		code: 1001, ends: TransportClose, closes: true,
	},
	{
		name: "nothing counts after a close",
		in:   join(masked(0x88, []byte("\x03\xe8")), text("4x")),
		code: 1000, ends: TransportClose, closes: true,
	},
	{
		name: "close with half a code",
		in:   masked(0x88, []byte{0x03}),
		code: 1002, reason: "close frame with half a status code", ends: TransportError,
	},
	{
		name: "close with a code that must not be sent",
		in:   masked(0x88, []byte("\x03\xed")), // 1005
		code: 1002, reason: "close frame with a status code that is not for the wire", ends: TransportError,
	},
	{
		name: "close with a code that means nothing",
		in:   masked(0x88, []byte("\x03\xe7")), // 999
		code: 1002, reason: "close frame with a status code that is not for the wire", ends: TransportError,
	},
	{
		name: "close with a reason that is not UTF-8",
		in:   masked(0x88, []byte("\x03\xe8\xff")),
		code: 1007, reason: "close frame with a reason that is not UTF-8", ends: TransportError,
	},
	{
		name: "packet of an unknown type",
		in:   text("9"),
		code: 1005, ends: ParseError,
	},
	{
		name: "empty text message",
		in:   text(""),
		code: 1005, ends: ParseError,
	},
	{
		name: "close packet",
		in:   join(text("1"), text("4x")),
		code: 1005, ends: TransportClose,
	},
}

func TestWebSocketFrames(t *testing.T) {
	srv := serve(t, Options{MaxPayload: 1000})
	for _, tt := range frameTests {
		t.Run(tt.name, func(t *testing.T) {
			alice := dialWebSocket(t, srv, 4)
			server := srv.accept(t)
			var pongs []string
			alice.ws.SetPongHandler(func(data string) error { pongs = append(pongs, data); return nil })

			alice.write(t, tt.in)
			server.want(t, tt.received...)
			if tt.lost || tt.closes {
				alice.wantCloseFrame(t, tt.code, tt.reason)
				server.wantClosed(t, tt.ends)
				return
			}
			if tt.code != 0 {
				alice.wantClose(t, tt.code, tt.reason)
				server.wantClosed(t, tt.ends)
				return
			}
			alice.sendText(t, "4still here")
			server.want(t, "still here")
			server.sendText("so am I")
			alice.wantText(t, "4so am I")
			if !slices.Equal(pongs, tt.pongs) {
				t.Errorf("pongs %q, want %q", pongs, tt.pongs)
			}
		})
	}
}
