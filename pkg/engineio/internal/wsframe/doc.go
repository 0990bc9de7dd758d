// Package wsframe encodes and decodes the frames of a WebSocket (RFC 6455, section
// 5). It knows no connection: bytes go in, headers and errors come out, and the
// reverse. A frame is
//
//	FIN RSV1-3 opcode(4) | MASK length(7) | extended length (0, 16, 64) | masking key (0, 32) | payload
//
// What breaks a rule is an [Error], which carries the status code that the close
// frame has to have. The types of headers and codes are those of gobwas/ws.
package wsframe

import "github.com/gobwas/ws"

// NoCode stands for a close frame without a status code (RFC 6455, 7.1.5 says 1005
// for it, which never travels).
const NoCode ws.StatusCode = 0

// An Error is an offence against RFC 6455, with the status code and the reason that
// the close frame says of it.
type Error struct {
	Code ws.StatusCode
	Text string
}

func (e Error) Error() string { return e.Text }
