//go:build linux

package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Engine.IO packet types.
const (
	engineOpen    = '0'
	engineClose   = '1'
	enginePing    = '2'
	enginePong    = '3'
	engineMessage = '4'
	engineUpgrade = '5'
	engineNoop    = '6'
)

// Socket.IO packet types that a session itself understands.
const (
	packetConnect    = '0'
	packetDisconnect = '1'
	packetError      = '4'
)

// carrier is a transport in use. Its methods do nothing once it has ended.
type carrier interface {
	// send transmits one engine packet. data is not kept.
	send(kind byte, data []byte)
	close()
}

// Client is one session.
type Client struct {
	group     *Group
	events    Events
	peer      Peer
	carrier   carrier
	sid       string
	pingEvery time.Duration // protocol 3: the client pings
	pingAt    time.Duration
	accepted  bool   // the namespace has answered
	upgrading bool   // a WebSocket is being probed
	joined    bool   // told so
	left      bool   // told so
	partial   []byte // of a message in another dialect than Socket.IO
}

// ErrClosed is the reason of Left after Close.
var ErrClosed = errors.New("closed by this client")

// Send transmits a Socket.IO packet. packet is not kept.
func (c *Client) Send(packet []byte) {
	switch {
	case c.left:
	case c.group.opts.Dialect == SocketIO:
		c.carrier.send(engineMessage, packet)
	default:
		c.carrier.send(0, packet)
	}
}

// Close ends the session.
func (c *Client) Close() { c.fail(ErrClosed) }

// Sweep does what time demands: call it a few times a second.
func (c *Client) Sweep(now time.Duration) {
	if c.pingEvery > 0 && now >= c.pingAt && !c.left {
		c.pingAt = now + c.pingEvery
		c.carrier.send(enginePing, nil)
	}
}

// fail ends the session for the given reason, once.
func (c *Client) fail(err error) {
	if c.left {
		return
	}
	c.left = true
	c.carrier.close()
	c.events.Left(err)
}

// packet handles one engine packet. Chat messages come first: everything else is rare.
func (c *Client) packet(b []byte, now time.Duration) {
	if c.group.opts.Dialect != SocketIO {
		c.neighbour(b, now)
		return
	}
	if len(b) > 1 && b[0] == engineMessage {
		switch b[1] {
		case packetConnect, packetDisconnect, packetError:
			c.control(b[1:], now)
		default:
			c.events.Packet(b[1:], now)
		}
		return
	}
	if len(b) == 0 {
		c.fail(errors.New("the server sent an empty packet"))
		return
	}
	switch b[0] {
	case engineOpen:
		c.open(b[1:], now)
	case engineClose:
		c.fail(errors.New("the server closed the session"))
	case enginePing:
		c.carrier.send(enginePong, b[1:])
	}
}

// open reads the handshake and asks to join.
func (c *Client) open(body []byte, now time.Duration) {
	var hello struct {
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"` // milliseconds
	}
	if err := json.Unmarshal(body, &hello); err != nil || hello.SID == "" {
		c.fail(fmt.Errorf("the server's handshake is not understood: %.80q", body))
		return
	}
	c.sid = hello.SID
	if c.group.opts.Protocol == 3 && hello.PingInterval > 0 {
		c.pingEvery = time.Duration(hello.PingInterval) * time.Millisecond
		c.pingAt = now + c.pingEvery
	}
	p, polling := c.carrier.(*polling)
	if polling && c.group.opts.Transport == Upgrade {
		for _, u := range hello.Upgrades {
			c.upgrading = c.upgrading || u == string(WebSocket)
		}
	}
	if join, ask := c.joinPacket(); ask {
		c.Send(join)
	}
	if c.upgrading && !c.left {
		p.startUpgrade()
	}
}

// joinPacket is the CONNECT packet for the namespace. Servers of protocol 3 put everybody into "/" unasked.
func (c *Client) joinPacket() (packet []byte, ask bool) {
	nsp := c.group.opts.Namespace
	if c.group.opts.Protocol == 3 {
		if c.peer.Username != "" {
			nsp += "?username=" + url.QueryEscape(c.peer.Username)
		}
		return fmt.Appendf(nil, "%c%s,", packetConnect, nsp), c.group.opts.Namespace != "/"
	}
	if nsp == "/" {
		return []byte{packetConnect}, true
	}
	return fmt.Appendf(nil, "%c%s,", packetConnect, nsp), true
}

// control handles the Socket.IO packets of joining and leaving.
func (c *Client) control(packet []byte, now time.Duration) {
	if namespaceOf(packet) != c.group.opts.Namespace {
		return // protocol 3 announces "/" to everybody
	}
	switch packet[0] {
	case packetConnect:
		c.accepted = true
		c.settled(now)
	case packetDisconnect:
		c.fail(errors.New("the server disconnected the client from the namespace"))
	case packetError:
		c.fail(fmt.Errorf("the server refused: %.200s", packet[1:]))
	}
}

// settled tells that the client has joined, when nothing is under way any more.
func (c *Client) settled(now time.Duration) {
	if c.accepted && !c.upgrading && !c.joined && !c.left {
		c.joined = true
		c.events.Joined(now)
	}
}

// namespaceOf reads the namespace of a Socket.IO packet, without its query.
func namespaceOf(packet []byte) string {
	rest := packet[1:]
	if len(rest) == 0 || rest[0] != '/' {
		return "/"
	}
	for i, b := range rest {
		if b == ',' || b == '?' {
			return string(rest[:i])
		}
	}
	return string(rest)
}
