package sockettest

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"socketio-chat/pkg/socketio"
)

// Types of packets, the first byte of a packet of Socket.IO protocol 5.
const (
	kindConnect      = '0'
	kindDisconnect   = '1'
	kindEvent        = '2'
	kindAck          = '3'
	kindConnectError = '4'
	kindBinaryEvent  = '5'
	kindBinaryAck    = '6'
)

// Types of packets of Engine.IO protocol 4 that a client sees on a WebSocket.
const (
	enginePing    = '2'
	enginePong    = "3"
	engineMessage = '4'
)

// A packet is one of Socket.IO, with its attachments. Binary types are told as their plain ones.
type packet struct {
	kind byte
	id   *uint64
	data socketio.Payload
}

func (p packet) String() string { return string(p.kind) + string(p.data.JSON) }

// write sends a packet and its attachments.
func (c *Client) write(kind byte, id *uint64, data socketio.Payload) {
	c.tb.Helper()
	head := string(engineMessage)
	switch {
	case len(data.Attachments) == 0:
		head += string(kind)
	case kind == kindEvent:
		head += string(kindBinaryEvent) + strconv.Itoa(len(data.Attachments)) + "-"
	default:
		head += string(kindBinaryAck) + strconv.Itoa(len(data.Attachments)) + "-"
	}
	if c.namespace != "/" {
		head += c.namespace + ","
	}
	if id != nil {
		head += strconv.FormatUint(*id, 10)
	}
	err := c.send(ws.OpText, append([]byte(head), data.JSON...))
	for _, a := range data.Attachments {
		if err == nil {
			err = c.send(ws.OpBinary, a)
		}
	}
	if err != nil {
		c.tb.Fatalf("sending to %s: %v", c.namespace, err)
	}
}

// send writes a frame at once: on a pipe the empty write for an empty message would be read as one.
func (c *Client) send(op ws.OpCode, message []byte) error {
	frame, err := ws.CompileFrame(ws.MaskFrame(ws.NewFrame(op, true, message)))
	if err != nil {
		return err
	}
	_, err = c.conn.Write(frame)
	return err
}

// read hands the test what the server sends, and answers heartbeats, until the connection ends.
func (c *Client) read(from io.Reader) {
	defer close(c.packets)
	rw := struct {
		io.Reader
		io.Writer
	}{from, c.conn}
	var waiting *packet // for its attachments
	missing := 0
	for {
		message, op, err := wsutil.ReadServerData(rw)
		if err != nil {
			return
		}
		switch {
		case op == ws.OpBinary:
			if waiting == nil {
				c.tb.Errorf("an attachment came without a packet")
				return
			}
			waiting.data.Attachments = append(waiting.data.Attachments, message)
			missing--
		case len(message) > 0 && message[0] == enginePing:
			if err := c.send(ws.OpText, []byte(enginePong)); err != nil {
				return
			}
			continue
		case len(message) > 1 && message[0] == engineMessage:
			var p packet
			if p, missing, err = parse(string(message[1:])); err != nil {
				c.tb.Errorf("the server sent %q: %v", message, err)
				return
			}
			waiting = &p
		default:
			continue // open, noop
		}
		if missing > 0 {
			continue
		}
		select {
		case c.packets <- *waiting:
		case <-c.stop:
			return
		}
		waiting = nil
	}
}

// parse reads type, number of attachments, namespace, id and data, in this order, as socket.io-protocol's "Packet encoding" has them.
func parse(text string) (p packet, attachments int, err error) {
	p.kind, text = text[0], text[1:]
	switch p.kind {
	case kindBinaryEvent, kindBinaryAck:
		n, rest, ok := strings.Cut(text, "-")
		if attachments, err = strconv.Atoi(n); err != nil || !ok {
			return p, 0, fmt.Errorf("number of attachments %q", n)
		}
		text = rest
		p.kind -= kindBinaryEvent - kindEvent
	case kindConnect, kindDisconnect, kindEvent, kindAck, kindConnectError:
	default:
		return p, 0, fmt.Errorf("type %q", p.kind)
	}
	if strings.HasPrefix(text, "/") {
		_, text, _ = strings.Cut(text, ",")
	}
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	if digits > 0 {
		id, err := strconv.ParseUint(text[:digits], 10, 64)
		if err != nil {
			return p, 0, fmt.Errorf("id: %w", err)
		}
		p.id = &id
	}
	p.data.JSON = []byte(text[digits:])
	return p, attachments, nil
}
