//go:build linux

package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"socketio-chat/pkg/load/reactor"
)

// The handshake's key is the same for everybody, and so is the answer to it (RFC 6455 section 1.3's example).
const (
	wsKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	wsAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// webSocket carries a session's packets in WebSocket text frames.
type webSocket struct {
	c        *Client
	conn     *reactor.Conn
	request  string
	open     bool     // the server has switched protocols
	probe    *upgrade // not nil while this is only being tried
	fragment []byte   // of a message in several frames
	closed   bool
}

// newWebSocket connects. A query such as sid=… joins an existing session.
func newWebSocket(c *Client, query string) *webSocket {
	w := &webSocket{c: c}
	w.request = "GET " + c.target(WebSocket, query) + " HTTP/1.1\r\nHost: " + c.peer.Host +
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + wsKey + "\r\n\r\n"
	conn, err := c.group.loop.Dial(c.peer.Target, c.peer.Source, w)
	if err != nil {
		// As any other failure, this one is told from the loop, when the caller knows its client.
		c.group.loop.Do(func() { w.Closed(err) })
	}
	w.conn = conn
	return w
}

func (w *webSocket) send(kind byte, data []byte) { w.write(opText, kind, data) }

func (w *webSocket) write(opcode, kind byte, data []byte) {
	if w.closed || !w.open {
		return
	}
	g := w.c.group
	g.scratch = appendFrame(g.scratch[:0], opcode, kind, data)
	w.conn.Write(g.scratch)
}

func (w *webSocket) close() {
	if w.closed {
		return
	}
	w.write(opClose, 0, []byte{0x03, 0xe8}) // 1000, normal closure
	w.closed = true
	if w.conn != nil {
		w.conn.Close(nil)
	}
}

// Connected implements reactor.Handler.
func (w *webSocket) Connected() {
	w.conn.Write([]byte(w.request))
	w.request = ""
}

// Data implements reactor.Handler: the hot path of the whole tool.
func (w *webSocket) Data(b []byte, now time.Duration) (int, error) {
	used := 0
	if !w.open {
		n, err := w.switched(b)
		if n == 0 || err != nil {
			return 0, err
		}
		used = n
		if w.probe != nil {
			w.send(enginePing, []byte(probeText))
		}
		w.c.hello()
	}
	for !w.closed {
		f, err := parseFrame(b[used:])
		if err == errIncomplete { //nolint:errorlint // parseFrame returns it bare, and this is the hot path
			break
		}
		if err != nil {
			return used, err
		}
		used += f.size
		if f.head == finBit|opText && w.probe == nil {
			w.c.packet(f.payload, now)
		} else if err := w.rareFrame(f, now); err != nil {
			return used, err
		}
	}
	return used, nil
}

// switched reads the answer to the handshake and tells its length, or 0 if more must come.
func (w *webSocket) switched(b []byte) (int, error) {
	r, err := parseHead(b)
	if errors.Is(err, errIncomplete) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if r.status != 101 {
		return 0, fmt.Errorf("the server answered the WebSocket request with status %d: %.120q", r.status, b[r.headLen:])
	}
	if !bytes.Contains(b[:r.headLen], []byte(wsAccept)) {
		return 0, errors.New("the server's Sec-WebSocket-Accept is wrong")
	}
	w.open = true
	return r.headLen, nil
}

func (w *webSocket) rareFrame(f frame, now time.Duration) error {
	switch op := f.head &^ finBit; op {
	case opText, opContinue:
		if (op == opContinue) != (w.fragment != nil) {
			return errors.New("frames of a message are out of order")
		}
		message := f.payload
		if f.head&finBit == 0 || op == opContinue {
			w.fragment = append(w.fragment, f.payload...)
			if len(w.fragment) > reactor.MaxUnconsumed {
				return fmt.Errorf("a message of over %d bytes", reactor.MaxUnconsumed)
			}
			message = w.fragment
		}
		if f.head&finBit == 0 {
			if w.fragment == nil { // the first part may be empty
				w.fragment = []byte{}
			}
			return nil
		}
		w.fragment = nil
		if w.probe != nil {
			w.probe.answered(message, now)
		} else {
			w.c.packet(message, now)
		}
	case opBinary: // NATS; or attachments: the chat's load has none, and the text that announces them was counted
		if w.c.group.opts.Dialect == NATS {
			w.c.packet(f.payload, now)
		}
	case opPing:
		w.write(opPong, 0, f.payload)
	case opPong:
	case opClose:
		code := 1005
		if len(f.payload) >= 2 {
			code = int(f.payload[0])<<8 | int(f.payload[1])
		}
		return fmt.Errorf("the server closed the WebSocket with code %d", code)
	default:
		return fmt.Errorf("frame with unknown opcode %#x", op)
	}
	return nil
}

// Closed implements reactor.Handler.
func (w *webSocket) Closed(err error) {
	if w.closed {
		return
	}
	w.closed = true
	if errors.Is(err, io.EOF) {
		err = errors.New("the server cut the connection")
	}
	if w.probe != nil {
		w.probe.failed(w.c.group.loop.Now())
		return
	}
	w.c.fail(err)
}
