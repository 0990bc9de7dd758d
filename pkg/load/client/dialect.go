//go:build linux

package client

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"socketio-chat/pkg/load/message"
)

// Dialect is what the server under load speaks over its WebSocket.
type Dialect string

// The dialects. All but the first are there to compare with neighbours outside the protocol: one channel, which
// everybody subscribes to and publishes in.
const (
	SocketIO   Dialect = "" // with the transports and protocols of Options
	Centrifuge Dialect = "centrifuge"
	NATS       Dialect = "nats"
)

// Wrapping is how a text of size bytes travels in the dialect.
func (d Dialect) Wrapping(namespace string, size int) message.Wrapping {
	switch d {
	case Centrifuge:
		return message.Wrapping{
			Out: `{"id":3,"publish":{"channel":"chat","data":`, OutEnd: `}}`,
			In: `{"push":{"channel":"chat","pub":{"data":`, InEnd: `}}}`,
		}
	case NATS:
		n := message.BodyLen(size)
		return message.Wrapping{
			Out: fmt.Sprintf("PUB chat %d\r\n", n), OutEnd: "\r\n", In: fmt.Sprintf("MSG chat 1 %d\r\n", n), InEnd: "\r\n",
		}
	}
	return message.InSocketIO(namespace)
}

// path is where the dialect's WebSocket is.
func (d Dialect) path() string {
	if d == Centrifuge {
		return "/connection/websocket"
	}
	return "/"
}

// hello asks for the channel as soon as the WebSocket is open.
func (c *Client) hello() {
	switch c.group.opts.Dialect {
	case Centrifuge:
		c.carrier.send(0, []byte(`{"id":1,"connect":{}}`+"\n"+`{"id":2,"subscribe":{"channel":"chat"}}`))
	case NATS:
		c.carrier.send(0, []byte(`CONNECT {"verbose":false,"pedantic":false}`+"\r\nSUB chat 1\r\nPING\r\n"))
	}
}

// neighbour handles what came in one WebSocket message of another dialect.
func (c *Client) neighbour(b []byte, now time.Duration) {
	if c.group.opts.Dialect == Centrifuge {
		for line := range bytes.SplitSeq(b, []byte("\n")) {
			c.centrifuge(line, now)
		}
		return
	}
	// NATS is a stream, which its WebSocket cuts anywhere.
	if len(c.partial) > 0 {
		b = append(c.partial, b...)
	}
	for !c.left {
		n, err := c.nats(b, now)
		if err != nil {
			c.fail(err)
			return
		}
		if n == 0 {
			break
		}
		b = b[n:]
	}
	c.partial = append([]byte(nil), b...)
}

func (c *Client) centrifuge(line []byte, now time.Duration) {
	switch {
	case bytes.HasPrefix(line, []byte(`{"push":`)):
		c.events.Packet(line, now)
	case string(line) == "{}": // its heartbeat, answered in kind
		c.carrier.send(0, line)
	case bytes.Contains(line, []byte(`"error":`)):
		c.fail(fmt.Errorf("the server refused: %.200s", line))
	case bytes.HasPrefix(line, []byte(`{"id":2,`)):
		c.accepted = true
		c.settled(now)
	}
}

var crlf = []byte("\r\n")

// nats handles the first message of b and tells its length, 0 if more must come.
func (c *Client) nats(b []byte, now time.Duration) (int, error) {
	line, _, whole := bytes.Cut(b, crlf)
	if !whole {
		return 0, nil
	}
	n := len(line) + len(crlf)
	switch verb, rest, _ := bytes.Cut(line, []byte(" ")); string(verb) {
	case "MSG":
		size, err := strconv.Atoi(string(rest[bytes.LastIndexByte(rest, ' ')+1:]))
		if err != nil || size < 0 {
			return 0, fmt.Errorf("the server's message has no size: %.80q", line)
		}
		if n += size + len(crlf); n > len(b) {
			return 0, nil
		}
		c.events.Packet(b[:n], now)
	case "PING":
		c.carrier.send(0, []byte("PONG\r\n"))
	case "PONG": // to the PING behind the subscription
		c.accepted = true
		c.settled(now)
	case "INFO", "+OK":
	case "-ERR":
		return 0, fmt.Errorf("the server refused: %.200s", rest)
	default:
		return 0, errors.New("the server does not speak NATS")
	}
	return n, nil
}
