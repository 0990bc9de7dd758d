package socketio

import (
	"sync"
	"time"

	"github.com/zishang520/engine.io/v2/engine"
	"github.com/zishang520/engine.io/v2/events"

	"socketio-chat/pkg/engineio"
)

// A conn is one Engine.IO connection: the engineio.Receiver of what the client sends, and the
// engine.Socket that the library's Client believes in. The Client is made with the first CONNECT; a
// connection that joins nothing costs the library nothing.
type conn struct {
	emitter // what else anybody registers on the engine.Socket; only "upgrade" and "close" are emitted

	// Static after construction.
	server *Server
	eio    *engineio.Conn

	// Set with the first message, before anybody else knows the connection; see chooseParser.
	chosen, msgpack bool

	// Registered by the library's Client, and kept: the listeners of a Client can be called again.
	onData, onError, onClose events.Listener

	// Owned by the reader.
	decoder decoder
	parts   int // bytes of what the decoder keeps, as the engine was told
	pace    pace
	late    *time.Timer // see awaitAttachment

	// ending is held while the library ends sockets because the connection has ended: two goroutines may
	// notice that, and a socket must be gone for both before its session is given away.
	ending sync.Mutex

	mu      sync.Mutex // guards what follows and most of each link
	links   []*link
	passing *passing // nil most of the time
	ended   string   // the reason, once Receiver.Closed was called
}

var (
	_ engine.Socket            = (*conn)(nil)
	_ engineio.UpgradeReceiver = (*conn)(nil)
)

// Receive takes one message. It returns when the handlers of what the message completes have: this
// is where back-pressure comes from.
func (c *conn) Receive(data []byte, binary bool) {
	c.attachmentCame()
	c.chooseParser(binary)
	if !c.keepPace(len(data), binary && !c.msgpack) {
		return
	}
	if !binary {
		data = c.learnGeneration(data)
	}
	c.receive(data, binary)
}

// route gives p to its namespace, at once or when that is ready.
func (c *conn) route(p *Packet) {
	for {
		c.mu.Lock()
		l := c.linkLocked(p.Nsp)
		if l == nil {
			left := c.hasLeftLocked(p.Nsp)
			c.mu.Unlock()
			c.routeUnlinked(p, left)
			return
		}
		if c.joinsAgain(p) {
			c.mu.Unlock()
			p.release()
			return
		}
		if l.state == linkOpen {
			c.mu.Unlock()
			l.dispatch(p)
			p.release()
			return
		}
		wait, size := l.backlog.pushLocked(p), p.held()
		c.mu.Unlock()
		if wait == nil {
			c.eio.Hold(int64(size))
		}
		if wait == nil {
			return
		}
		select {
		case <-wait:
		case <-c.eio.Done():
			p.release()
			return
		}
	}
}

// joinsAgain tells a CONNECT for the "/" that a client of protocol 4 is in unasked. Some send one
// nevertheless; Node 2 joins them again, Node 4 closes. Nothing has to be done.
func (c *conn) joinsAgain(p *Packet) bool {
	return p.Type == Connect && p.Nsp == "/" && c.Protocol() == 3
}

// routeUnlinked acts on a packet for a namespace that this connection is not in. What was under way
// when the server disconnected the client from it is ignored; Node closes the connection then too. So is
// whatever else a client of protocol 3 sends, as Node 2 does: python-socketio 4 emits at once.
func (c *conn) routeUnlinked(p *Packet, left bool) {
	switch {
	case p.Type == Connect:
		if size := len(p.Data.JSON); size > c.server.limits.AuthBytes {
			c.refuseAuth(p.Nsp, size)
			break
		}
		l := c.newLink(p.Nsp)
		c.mu.Lock()
		if !c.mayJoinLocked() {
			c.mu.Unlock()
			c.refuseNamespace(p.Nsp)
			break
		}
		c.links = append(c.links, l)
		root := c.unansweredRootLocked()
		if root != nil {
			root.backlog.behind = append(root.backlog.behind, p)
		}
		c.mu.Unlock()
		if root != nil {
			return
		}
		c.connect(l, p)
	case c.Protocol() == 3:
	case !left || p.Type == ConnectError:
		c.invalidState(p)
	}
	p.release()
}

func (c *conn) newLink(name string) *link {
	return &link{conn: c, eio: c.eio, name: name, backlog: new(backlog), member: member{index: -1}}
}

func (c *conn) linkLocked(name string) *link {
	for _, l := range c.links {
		if l.name == name {
			return l
		}
	}
	return nil
}

func (c *conn) link(name string) *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.linkLocked(name)
}
