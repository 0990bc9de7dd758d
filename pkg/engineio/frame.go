package engineio

import (
	"sync"

	"github.com/gobwas/ws"

	"socketio-chat/pkg/engineio/internal/packet"
	"socketio-chat/pkg/engineio/internal/wsframe"
)

// A Frame is one Engine.IO packet, encoded once and shared by every connection
// it is sent to. It is immutable and safe for concurrent use.
//
// A text packet is the same in both protocols and on both transports, so its
// WebSocket frame is compiled at once and polling takes the part behind the
// header:
//
//	81 0d | 4 2["hello"]      FIN+text, length | packet
//	      ^ wire[head:]
//
// A binary message differs (protocol 3 puts the type byte 04 before the data,
// polling has base64), so each form is compiled when first asked for.
type Frame struct {
	wire   []byte       // text: the WebSocket frame
	head   int32        // text: bytes of its header
	own    int32        // bytes that it takes beside, in the one queue where it is
	binary *binaryFrame // nil for text
}

type binaryFrame struct {
	data         []byte // the bare message
	once3, once4 sync.Once
	wire3, wire4 []byte // the WebSocket frames of the two protocols
}

// NewTextFrame makes a message of the concatenated parts, which are copied.
// They must be UTF-8 in all: a client may end the connection over others, or misread
// what follows. The length is not bounded here, see Options.QueueBytes.
func NewTextFrame(parts ...[]byte) *Frame {
	return newTextFrame(packet.Message, parts...)
}

// NewBinaryFrame makes a binary message of a copy of data.
func NewBinaryFrame(data []byte) *Frame {
	return &Frame{binary: &binaryFrame{data: append([]byte(nil), data...)}}
}

func newTextFrame(typ packet.Type, parts ...[]byte) *Frame {
	n := 1
	for _, p := range parts {
		n += len(p)
	}
	wire := wsframe.AppendHeader(make([]byte, 0, n+wsframe.MaxHeader), ws.OpText, n)
	f := &Frame{head: int32(len(wire))}
	wire = append(wire, '0'+byte(typ))
	for _, p := range parts {
		wire = append(wire, p...)
	}
	f.wire = wire
	return f
}

// webSocket returns the frame as protocol 3 or 4 has it on a WebSocket.
func (f *Frame) webSocket(protocol int) []byte {
	if f.binary == nil {
		return f.wire
	}
	return f.binary.webSocket(protocol)
}

func (b *binaryFrame) webSocket(protocol int) []byte {
	if protocol == 3 {
		b.once3.Do(func() {
			wire := wsframe.AppendHeader(nil, ws.OpBinary, 1+len(b.data))
			b.wire3 = append(append(wire, byte(packet.Message)), b.data...)
		})
		return b.wire3
	}
	b.once4.Do(func() { b.wire4 = append(wsframe.AppendHeader(nil, ws.OpBinary, len(b.data)), b.data...) })
	return b.wire4
}

// packet returns the frame as the payload encoders take it.
func (f *Frame) packet() packet.Packet {
	if f.binary != nil {
		return packet.Packet{Type: packet.Message, Data: f.binary.data, Binary: true}
	}
	p := f.wire[f.head:]
	return packet.Packet{Type: packet.Type(p[0] - '0'), Data: p[1:]}
}

// Text returns what follows the type of a text packet, nil of a binary one. It
// must not be changed.
func (f *Frame) Text() []byte {
	if f.binary != nil {
		return nil
	}
	return f.wire[f.head+1:]
}

// Binary returns the data of a binary message, nil of a text packet. It must not
// be changed.
func (f *Frame) Binary() []byte {
	if f.binary == nil {
		return nil
	}
	return f.binary.data
}

// Size is the bytes of the packet, its type included, without the transport's framing.
func (f *Frame) Size() int64 { return f.size() - int64(f.head) }

// size is what the frame counts against Options.QueueBytes.
func (f *Frame) size() int64 {
	if f.binary != nil {
		return int64(len(f.binary.data)) + 1
	}
	return int64(len(f.wire)) + int64(f.own)
}
