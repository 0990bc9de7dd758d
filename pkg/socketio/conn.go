package socketio

import (
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zishang520/engine.io-go-parser/packet"
	"github.com/zishang520/engine.io/v2/engine"
	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"

	"socketio-chat/pkg/engineio"
)

// A conn is one Engine.IO connection: the engineio.Receiver of what the client sends, and the
// engine.Socket that the library's Client believes in. The Client is made with the first CONNECT; a
// connection that joins nothing costs the library nothing.
type conn struct {
	emitter // what else anybody registers on the engine.Socket; only "close" is emitted

	// Static after construction.
	server *Server
	eio    *engineio.Conn

	// Set with the first message, before anybody else knows the connection; see chooseParser.
	chosen, msgpack bool

	// Registered by the library's Client, and kept: the listeners of a Client can be called again.
	onData, onError, onClose events.Listener

	// Owned by the reader.
	decoder decoder
	pace    pace
	late    *time.Timer // see awaitAttachment

	// ending is held while the library ends sockets because the connection has ended: two goroutines may
	// notice that, and a socket must be gone for both before its session is given away.
	ending sync.Mutex

	mu      sync.Mutex // guards what follows and most of each link
	links   []*link
	left    []string // namespaces that were joined once and are not now
	ended   string   // the reason, once Receiver.Closed was called
	timer   *time.Timer
	request *types.HttpContext
}

var (
	_ engine.Socket     = (*conn)(nil)
	_ engineio.Receiver = (*conn)(nil)
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
			left := slices.Contains(c.left, p.Nsp)
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
		wait := l.backlog.pushLocked(p)
		c.mu.Unlock()
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

// connect hands a CONNECT packet to the library. The answer comes through Write.
func (c *conn) connect(l *link, p *Packet) {
	auth, err := c.auth(p)
	if err != nil { // valid JSON always decodes
		c.protocolError(err)
		return
	}
	if c.onData == nil {
		c.server.engine.Emit("connection", c)
	}
	unlock := c.server.holdNamespace(l.name)
	defer unlock()
	defer c.lendRequest()()
	packet := &parser.Packet{Type: parser.CONNECT, Nsp: c.libraryNsp(p.Nsp, p.Query), Data: auth}
	if !guard(c.server.log, "connect", func() { c.onData(packet) }) {
		l.refuse("Internal server error")
	}
}

// auth decodes what protocol 5 sends along; without it Node has an empty object.
func (c *conn) auth(p *Packet) (any, error) {
	if c.Protocol() == 3 {
		return nil, nil // the library takes it from the query
	}
	auth := map[string]any{}
	if len(p.Data.JSON) > 0 {
		if err := p.Data.Decode(&auth); err != nil {
			return nil, err
		}
	}
	if c.server.recovery != nil {
		askForSession(auth)
	}
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
	if l.cancel != nil {
		l.cancel()
	}
	if l.over != nil {
		close(l.over)
	}
	if i := slices.Index(c.links, l); i >= 0 {
		c.links = slices.Delete(c.links, i, i+1)
	}
	if l.listening {
		l.ns.traffic.disconnected.Add(1)
	}
	if l.listening && !slices.Contains(c.left, l.name) {
		c.left = append(c.left, l.name)
	}
	behind := l.takeBehindLocked()
	next, connect := c.succeedLocked(l)
	c.mu.Unlock()
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

// protocolError does what Node does with what it cannot decode: the sockets hear of an "error", and
// the connection closes.
func (c *conn) protocolError(err error) {
	c.server.invalid.Add(1)
	c.server.log.Debug("invalid packet", slog.String("sid", c.Id()), slog.Any("error", err))
	if c.onError != nil {
		c.onError(err)
	}
	c.eio.Close()
}

// invalidState does what Node does with a packet that makes no sense now.
func (c *conn) invalidState(p *Packet) {
	c.server.invalid.Add(1)
	c.server.log.Debug("invalid state", slog.String("sid", c.Id()), slog.Any("packet", p.Type), slog.String("namespace", p.Nsp))
	if c.onClose != nil {
		c.onClose("forced server close")
	}
	c.eio.Close()
}

// Closed is the last call of the engine.
func (c *conn) Closed(reason engineio.CloseReason, err error) {
	c.mu.Lock()
	c.ended = string(reason)
	c.stopTimerLocked()
	c.attachmentCame()
	c.decoder = decoder{}
	var unborn []*link
	for _, l := range c.links {
		if !l.listening {
			unborn = append(unborn, l)
		}
	}
	c.mu.Unlock()
	c.end()
	// Those whose middleware has not answered may never come to an end of their own.
	for _, l := range unborn {
		c.finish(l)
		l.forget()
	}
	c.Emit("close", c.ended, err)
	c.server.forget(c)
}

// end tells the sockets of a connection that it has ended, if it has. While listeners of "connection"
// run it does nothing: when they have returned, opened calls it again, and "disconnecting" finds the
// rooms they joined.
func (c *conn) end() {
	c.ending.Lock()
	defer c.ending.Unlock()
	c.mu.Lock()
	reason := c.ended
	busy := slices.ContainsFunc(c.links, func(l *link) bool { return l.listening && l.state == linkConnecting })
	links := slices.Clone(c.links)
	c.mu.Unlock()
	if reason == "" || busy {
		return
	}
	if c.onClose != nil {
		c.onClose(reason)
	}
	// The library may have missed one: it clears its list after it has gone through it.
	for _, l := range links {
		if l.begun() {
			l.disconnect(reason)
		}
	}
}

// startTimer closes the connection unless it joins a namespace in time.
func (c *conn) startTimer(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(d, c.eio.Close)
}

func (c *conn) stopTimerLocked() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// lendRequest lets the library make its Handshake, which shareHandshake fills in, from an empty
// request: the real one is expensive and only few ask for it. Nobody else can ask while the
// connection has no socket.
func (c *conn) lendRequest() (end func()) {
	empty := c.server.emptyRequest
	c.mu.Lock()
	if len(c.links) == 1 && c.request == nil {
		c.request = empty
	}
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		if c.request == empty {
			c.request = nil
		}
		c.mu.Unlock()
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
	c.request = nil
	c.mu.Unlock()
}

// On registers the library's listeners in fields of their own.
func (c *conn) On(event events.EventName, fns ...events.Listener) error {
	if len(fns) == 1 {
		switch {
		case event == "data" && c.onData == nil:
			c.onData = fns[0]
			return nil
		case event == "error" && c.onError == nil:
			c.onError = fns[0]
			return nil
		}
	}
	return c.emitter.On(event, fns...)
}

// Once is On for "close", which the library registers so.
func (c *conn) Once(event events.EventName, fns ...events.Listener) error {
	if event == "close" && c.onClose == nil && len(fns) == 1 {
		c.onClose = fns[0]
		return nil
	}
	return c.emitter.Once(event, fns...)
}

// Write sends what the library's encoder made, or the whole of a reader as one message: text if it
// is a types.StringBuffer or strings.Reader, else binary. The callback is called when it is queued.
func (c *conn) Write(r io.Reader, _ *packet.Options, sent engine.SendCallback) engine.Socket {
	if e, ok := r.(*encodedPacket); ok {
		c.writePacket(e)
	} else {
		c.writeReader(r)
	}
	if sent != nil {
		sent(c.Transport())
	}
	return c
}

// Send is Write.
func (c *conn) Send(r io.Reader, o *packet.Options, sent engine.SendCallback) engine.Socket {
	return c.Write(r, o, sent)
}

func (c *conn) writePacket(e *encodedPacket) {
	switch e.typ {
	case Connect:
		if l := c.link(e.nsp); l != nil && l.ns != nil && l.ns.local != nil {
			l.ns.local.activate(l, e.frames, e.pid())
			return
		}
	case Disconnect:
		if l := c.link(e.nsp); l != nil && l.ns != nil && l.ns.local != nil {
			frames := e.frames
			if l.ending() {
				frames = nil // it was the client who left
			}
			l.ns.local.deactivate(l, frames)
			return
		}
	case Event:
		if !c.send(e.frames, e.packed) {
			return
		}
		if l := c.link(e.nsp); l != nil && l.ns != nil {
			l.ns.traffic.sentFrames(e.frames, e.nsp, 1)
		}
		return
	case ConnectError:
		c.send(c.connectError(e), nil)
		if l := c.link(e.nsp); l != nil {
			c.finish(l)
		}
		return
	}
	c.send(e.frames, e.packed)
}

// ending tells whether disconnect has been called.
func (l *link) ending() bool {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	return l.reason != ""
}

// connectError returns the frames of a refusal. Node 2 has a bare string where the library, for every
// client, has an object.
func (c *conn) connectError(e *encodedPacket) []*engineio.Frame {
	const unknown = "Invalid namespace"
	if m, ok := e.data.(map[string]any); c.Protocol() == 3 && ok && len(m) == 1 && m["message"] == unknown {
		return newFrames(ConnectError, e.nsp, nil, Payload{JSON: []byte(`"` + unknown + `"`)})
	}
	return e.frames
}

func (c *conn) writeReader(r io.Reader) {
	b, err := io.ReadAll(r)
	if err != nil {
		c.server.log.Error("message dropped: it cannot be read", slog.Any("error", err))
		return
	}
	switch r.(type) {
	case *types.StringBuffer, *strings.Reader:
		c.eio.Send(engineio.NewTextFrame(b))
	default:
		c.eio.Send(engineio.NewBinaryFrame(b))
	}
}
