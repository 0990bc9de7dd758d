//go:build linux

package client

import (
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"socketio-chat/pkg/load/reactor"
)

// Transport says how a client connects.
type Transport string

// The transports.
const (
	WebSocket Transport = "websocket" // at once, without polling before it
	Polling   Transport = "polling"   // and no upgrade
	Upgrade   Transport = "upgrade"   // polling first, then a WebSocket: what clients do by default
)

// Options are shared by all clients of a group.
type Options struct {
	Protocol  int // Engine.IO protocol, 3 or 4
	Transport Transport
	Path      string // the server's endpoint, "/socket.io/"
	Namespace string // "/chat"
	Dialect   Dialect
}

// Peer is where one client connects.
type Peer struct {
	Target   netip.AddrPort
	Source   netip.Addr // invalid: the system chooses
	Host     string     // for the Host header
	Username string
}

// Events is told what happens to a client. All calls come from the loop.
type Events interface {
	// Joined says that the namespace has taken the client and that its transport is settled.
	Joined(now time.Duration)
	// Packet gets every Socket.IO packet but those of joining and leaving. packet is valid during the call only.
	Packet(packet []byte, now time.Duration)
	// Left is the last event.
	Left(err error)
}

// Group makes the clients of one loop.
type Group struct {
	loop    *reactor.Loop
	opts    Options
	scratch []byte // for frames and requests; reused by every send
}

// NewGroup prepares clients for a loop.
func NewGroup(loop *reactor.Loop, opts Options) (*Group, error) {
	if opts.Protocol != 3 && opts.Protocol != 4 {
		return nil, fmt.Errorf("Engine.IO protocol %d: only 3 and 4 are known", opts.Protocol)
	}
	switch opts.Transport {
	case WebSocket, Polling, Upgrade:
	default:
		return nil, fmt.Errorf("transport %q: use %s, %s or %s", opts.Transport, WebSocket, Polling, Upgrade)
	}
	switch opts.Dialect {
	case SocketIO:
	case Centrifuge, NATS:
		if opts.Transport != WebSocket {
			return nil, fmt.Errorf("dialect %q has no transport but %s", opts.Dialect, WebSocket)
		}
	default:
		return nil, fmt.Errorf("dialect %q: use %s or %s, or none for Socket.IO", opts.Dialect, Centrifuge, NATS)
	}
	return &Group{loop: loop, opts: opts}, nil
}

// Start begins a session. Its first event is Joined, or Left if it cannot connect.
func (g *Group) Start(p Peer, events Events) *Client {
	c := &Client{group: g, events: events, peer: p}
	if g.opts.Transport == WebSocket {
		c.carrier = newWebSocket(c, "")
	} else {
		c.carrier = newPolling(c)
	}
	return c
}

// target is the request target of a transport's endpoint; more is an encoded query to add, or empty.
func (c *Client) target(transport Transport, more string) string {
	if d := c.group.opts.Dialect; d != SocketIO {
		return d.path()
	}
	q := fmt.Sprintf("%s?EIO=%d&transport=%s", c.group.opts.Path, c.group.opts.Protocol, transport)
	if c.peer.Username != "" {
		q += "&username=" + url.QueryEscape(c.peer.Username)
	}
	if more != "" {
		q += "&" + more
	}
	return q
}
