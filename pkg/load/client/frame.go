//go:build linux

package client

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// WebSocket opcodes with the FIN bit, RFC 6455 section 5.2.
const (
	finBit       = 0x80
	opContinue   = 0x0
	opText       = 0x1
	opBinary     = 0x2
	opClose      = 0x8
	opPing       = 0x9
	opPong       = 0xa
	maskBit      = 0x80
	len16, len64 = 126, 127
)

// maskKey masks every frame we send. One constant does: masking protects proxies from what web pages make browsers
// send, and servers have the same work with any key.
var maskKey = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// frame is one frame of the server's.
type frame struct {
	head    byte // FIN, reserved bits and opcode
	payload []byte
	size    int // of the whole frame
}

var errIncomplete = errors.New("the frame is not complete yet")

// parseFrame reads the frame at the start of b; errIncomplete asks for more bytes.
//
//	 0               1               2
//	+-+-+-+-+-------+-+-------------+----------------+
//	|F|R|R|R| opcode|M| length (7)  | length (16/64) |  payload …
//	|1|0|0|0|       |0| 126 or 127: |                |
//	+-+-+-+-+-------+-+-------------+----------------+
func parseFrame(b []byte) (frame, error) {
	if len(b) < 2 {
		return frame{}, errIncomplete
	}
	n, head := uint64(b[1]), 2
	switch b[1] {
	case len16:
		if len(b) < 4 {
			return frame{}, errIncomplete
		}
		n, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case len64:
		if len(b) < 10 {
			return frame{}, errIncomplete
		}
		n, head = binary.BigEndian.Uint64(b[2:]), 10
	default:
		if b[1]&maskBit != 0 {
			return frame{}, errors.New("the server masks its frames")
		}
	}
	if b[0]&0x70 != 0 {
		return frame{}, fmt.Errorf("frame with reserved bits: %#x", b[0])
	}
	if n > uint64(len(b)-head) {
		return frame{}, errIncomplete
	}
	end := head + int(n)
	return frame{head: b[0], payload: b[head:end], size: end}, nil
}

// appendFrame adds a whole, masked frame to dst. Its payload is kind, unless that is 0, and data.
func appendFrame(dst []byte, opcode, kind byte, data []byte) []byte {
	n := len(data)
	if kind != 0 {
		n++
	}
	dst = append(dst, finBit|opcode)
	switch {
	case n < len16:
		dst = append(dst, maskBit|byte(n))
	case n < 1<<16:
		dst = append(dst, maskBit|len16)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, maskBit|len64)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = append(dst, maskKey[:]...)
	start := len(dst)
	if kind != 0 {
		dst = append(dst, kind)
	}
	dst = append(dst, data...)
	for i := start; i < len(dst); i++ {
		dst[i] ^= maskKey[(i-start)&3]
	}
	return dst
}
