// Package packet encodes and decodes single Engine.IO packets, of protocols 3 and 4. It
// knows no transport and no connection.
//
//	packet = type [ data ]        text; protocol 4 has "b" base64 for binary messages
//
// A payload, which is what a poll or a POST carries, is a sequence of packets: see
// package payload.
package packet

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// Type is the first byte of every Engine.IO packet. In text it is an ASCII digit ('4'); in the binary
// forms of protocol 3 it is the number itself (0x04).
type Type uint8

// The conversation: the server opens, both sides exchange messages, and one side pings while the other pongs
// (the client pings in protocol 3, the server in protocol 4). Upgrade and noop belong to the change of
// transport: the client proves a WebSocket with ping/pong "probe", the server releases the pending poll with a
// noop, the client says upgrade.
const (
	Open    Type = 0 // server → client: the handshake, JSON
	Close   Type = 1 // either side: the session ends; nothing after it counts
	Ping    Type = 2
	Pong    Type = 3
	Message Type = 4
	Upgrade Type = 5 // client → server: switch to this WebSocket
	Noop    Type = 6

	// Unknown marks a packet of protocol 3 whose binary type byte (or base64 type digit) names no type.
	// Node's parser lets such a packet through without a type and its socket then ignores it; so does ours. It
	// never occurs in a decoded payload, only as the result of DecodeText and DecodeBinary.
	Unknown Type = 0xff
)

// A Packet is one Engine.IO packet. Data is what follows the type; it aliases the decoder's input unless it was
// carried as base64. Data of a text packet is UTF-8.
type Packet struct {
	Data   []byte
	Type   Type
	Binary bool // Data is a binary message, not text
}

// The offences of a single packet.
var (
	ErrEmpty = errors.New("engine.io packet is empty: its type is missing")
	ErrType  = errors.New("engine.io packet type is none of 0 to 6")
)

// DecodeText decodes one packet that arrived as text: a whole WebSocket text message, or one element of a
// text payload.
//
//	packet = type [ data ]                     type is '0' … '6'
//	       | "b" type base64                   protocol 3
//	       | "b" base64                        protocol 4: always a message
//
// Base64 is read as leniently as Node reads it: see decodeBase64.
func DecodeText(protocol int, text []byte) (Packet, error) {
	if len(text) == 0 {
		return Packet{}, ErrEmpty
	}
	if text[0] == 'b' {
		return decodeBase64Packet(protocol, text[1:]), nil
	}
	typ := Type(text[0] - '0') // wraps to a large number below '0'
	if typ > Noop {
		return Packet{}, fmt.Errorf("%w: %q", ErrType, text[0])
	}
	return Packet{Type: typ, Data: clip(text[1:])}, nil
}

// decodeBase64Packet decodes what follows the "b" of a base64 packet. Nothing in it can be wrong enough for an
// error: Node skips what is not base64.
func decodeBase64Packet(protocol int, text []byte) Packet {
	typ := Message
	if protocol == 3 {
		typ = Unknown
		if len(text) > 0 {
			if t := Type(text[0] - '0'); t <= Noop {
				typ = t
			}
			text = text[1:]
		}
	}
	return Packet{Type: typ, Data: decodeBase64(text), Binary: true}
}

// DecodeBinary decodes one packet that arrived as bytes: a whole WebSocket binary message, or one binary
// element of a protocol 3 payload.
//
//	protocol 3: type byte (0x00 … 0x06), data
//	protocol 4: data; it is always a message
func DecodeBinary(protocol int, data []byte) Packet {
	if protocol != 3 {
		return Packet{Type: Message, Data: data, Binary: true}
	}
	if len(data) == 0 || Type(data[0]) > Noop {
		return Packet{Type: Unknown, Binary: true}
	}
	return Packet{Type: Type(data[0]), Data: clip(data[1:]), Binary: true}
}

// AppendText appends the text form of p as protocol 4 has it: the type digit and the data, or "b" and
// base64 when p is binary (which only a message can be).
func AppendText(dst []byte, p Packet) []byte {
	if p.Binary {
		dst = append(dst, 'b')
		return base64.StdEncoding.AppendEncode(dst, p.Data)
	}
	dst = append(dst, '0'+byte(p.Type))
	return append(dst, p.Data...)
}

// decodeBase64 decodes standard or URL-safe base64 the way Node's Buffer.from(text, "base64") does: characters
// outside the alphabet are skipped, padding ends the text, and a last incomplete group gives the bytes it has.
func decodeBase64(text []byte) []byte {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	if n, err := base64.StdEncoding.Decode(out, text); err == nil {
		return clip(out[:n])
	}
	out = out[:0]
	var group uint32 // up to 4 sextets, the newest lowest
	var sextets int
	for _, c := range text {
		if c == '=' {
			break
		}
		v, ok := base64Value(c)
		if !ok {
			continue
		}
		group = group<<6 | v
		if sextets++; sextets == 4 {
			out = append(out, byte(group>>16), byte(group>>8), byte(group))
			group, sextets = 0, 0
		}
	}
	switch sextets {
	case 2:
		out = append(out, byte(group>>4))
	case 3:
		out = append(out, byte(group>>10), byte(group>>2))
	}
	return out
}

// base64Value returns the six bits c stands for in either alphabet.
func base64Value(c byte) (uint32, bool) {
	switch {
	case 'A' <= c && c <= 'Z':
		return uint32(c - 'A'), true
	case 'a' <= c && c <= 'z':
		return uint32(c-'a') + 26, true
	case '0' <= c && c <= '9':
		return uint32(c-'0') + 52, true
	case c == '+' || c == '-':
		return 62, true
	case c == '/' || c == '_':
		return 63, true
	}
	return 0, false
}

// clip removes the capacity beyond b's length, so that an append by its owner cannot run into the packet behind it.
func clip(b []byte) []byte { return b[:len(b):len(b)] }
