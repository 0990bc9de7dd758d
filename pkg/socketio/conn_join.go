package socketio

import (
	"net/url"
	"slices"

	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"
)

// unansweredRootLocked returns the link to "/" of a client of protocol 4 that has not been told of
// it. In Node that comes before the answer to whatever the client asks for.
func (c *conn) unansweredRootLocked() *link {
	if c.Protocol() != 3 {
		return nil
	}
	if l := c.linkLocked("/"); l != nil && l.state == linkConnecting && !l.listening {
		return l
	}
	return nil
}

// takeBehindLocked returns the CONNECT packets that wait for the answer of "/".
func (l *link) takeBehindLocked() (list []*Packet) {
	if l.backlog != nil {
		list, l.backlog.behind = l.backlog.behind, nil
	}
	return list
}

// connectAll goes on with packets that takeBehindLocked returned.
func (c *conn) connectAll(list []*Packet) {
	for _, p := range list {
		c.mu.Lock()
		l, ended := c.linkLocked(p.Nsp), c.ended != ""
		c.mu.Unlock()
		if l != nil && !ended {
			c.connect(l, p)
		}
		p.release()
	}
}

// connect hands a CONNECT packet to the library. The answer comes through Write.
func (c *conn) connect(l *link, p *Packet) {
	auth, err := c.auth(l, p)
	if err != nil { // valid JSON always decodes
		c.protocolError(err)
		return
	}
	if c.onData == nil {
		c.server.engine.Emit("connection", c)
	}
	c.mu.Lock()
	c.joinLocked(l)
	c.mu.Unlock()
	release := c.server.enterNamespace(l)
	defer release()
	defer c.lendRequest()()
	packet := &parser.Packet{Type: parser.CONNECT, Nsp: c.libraryNsp(p.Nsp, p.Query), Data: auth}
	if !guard(c.server.log, "connect", func() { c.onData(packet) }) {
		l.refuse("Internal server error")
	}
}

// auth decodes what protocol 5 sends along; without it Node has an empty object.
func (c *conn) auth(l *link, p *Packet) (any, error) {
	if c.Protocol() == 3 {
		return nil, nil // the library takes it from the query
	}
	auth := map[string]any{}
	if len(p.Data.JSON) > 0 {
		if err := p.Data.Decode(&auth); err != nil {
			return nil, err
		}
	}
	l.arrive(auth)
	return auth, nil
}

// libraryNsp writes a namespace as the library's Client reads it: as a URL in protocol 4.
func (c *conn) libraryNsp(name, query string) string {
	if c.Protocol() != 3 {
		return name
	}
	return namespaceURL(name, query)
}

// namespaceURL needs a host, or "//x" would be taken for one.
func namespaceURL(name, query string) string {
	return (&url.URL{Scheme: "ns", Host: "-", Path: name, RawQuery: query}).String()
}

// finish removes a link. If a CONNECT waits behind what ended the link, a new one takes its place at
// once, with what waits behind that.
func (c *conn) finish(l *link) {
	c.mu.Lock()
	if l.state == linkGone {
		c.mu.Unlock()
		return
	}
	l.state = linkGone
	if ctx := l.ctx.Load(); ctx != nil {
		ctx.cancel()
	}
	if i := slices.Index(c.links, l); i >= 0 {
		c.links = slices.Delete(c.links, i, i+1)
	}
	if l.listening {
		l.ns.traffic.disconnected.Add(1)
	}
	if l.listening && !c.hasLeftLocked(l.name) {
		p := c.passingLocked()
		p.left = append(p.left, l.name)
	}
	behind, ticket := l.takeBehindLocked(), l.takeTicketLocked()
	next, connect := c.succeedLocked(l)
	c.mu.Unlock()
	c.server.leaveNamespace(l)
	c.server.dropTicket(ticket)
	c.tellUpgraded(nil)
	c.connectAll(behind)
	if next != nil {
		c.connect(next, connect)
		connect.release()
	}
}

// succeedLocked empties the backlog of a link that is gone. Packets before a CONNECT were meant for
// the socket that is gone too.
func (c *conn) succeedLocked(l *link) (next *link, connect *Packet) {
	b := l.backlog
	l.backlog = nil
	if b == nil {
		return nil, nil
	}
	b.moveLocked()
	c.eio.Hold(-int64(b.bytes))
	for i, p := range b.queue {
		if p.Type != Connect || c.ended != "" {
			p.release()
			continue
		}
		next = c.newLink(l.name)
		next.backlog.queue = b.queue[i+1:]
		for _, p := range next.backlog.queue {
			next.backlog.bytes += p.held()
		}
		c.eio.Hold(int64(next.backlog.bytes))
		c.links = append(c.links, next)
		return next, p
	}
	return nil, nil
}

// refuse answers a CONNECT in the library's stead, and ends the link.
func (l *link) refuse(message string) {
	l.forget()
	var data any = message
	if l.conn.Protocol() != 3 {
		data = map[string]any{"message": message}
	}
	e, err := encodePacket(&parser.Packet{Type: parser.CONNECT_ERROR, Nsp: l.name, Data: data})
	if err == nil { // a string always encodes
		l.conn.Write(e, nil, nil)
	}
}

// shareHandshake replaces the copies that the library made of the request by the engine's own, which
// all sockets of a connection share, and adds the query of the namespace as Node 2 does.
func (c *conn) shareHandshake(h *socket.Handshake) {
	from := c.eio.Handshake()
	query := from.Query()
	h.Headers, h.Query = from.Header, query
	h.Xdomain, h.Secure, h.Url = from.Header.Get("Origin") != "", from.TLS, from.RequestURI
	if q, ok := h.Auth.(url.Values); ok && len(q) > 0 {
		merged := make(map[string][]string, len(query)+len(q))
		for k, v := range query {
			merged[k] = v
		}
		for k, v := range q {
			merged[k] = v
		}
		h.Query = merged
	}
	c.mu.Lock()
	c.forgetRequestLocked()
	c.mu.Unlock()
}
