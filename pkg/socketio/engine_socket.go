package socketio

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"slices"

	"github.com/zishang520/engine.io-go-parser/packet"
	eparser "github.com/zishang520/engine.io-go-parser/parser"
	"github.com/zishang520/engine.io/v2/engine"
	"github.com/zishang520/engine.io/v2/transports"
	"github.com/zishang520/engine.io/v2/types"

	"socketio-chat/pkg/engineio"
	"socketio-chat/pkg/stack"
)

// The rest of engine.Socket: what it tells, and what only the library's own engine calls.

// Id is the session id of Engine.IO. It is a secret of this client.
func (c *conn) Id() string { return c.eio.ID() } //nolint:revive // the library's name

// Protocol is 3 or 4.
func (c *conn) Protocol() int { return c.eio.Protocol() }

// RemoteAddress is the address and port of the TCP peer.
func (c *conn) RemoteAddress() string { return c.eio.Handshake().RemoteAddr }

// ReadyState is "open" until the connection is closing, then "closed".
func (c *conn) ReadyState() string {
	stack.Grow() // the library asks first thing on the goroutine that it starts for each CONNECT
	if c.eio.Open() {
		return "open"
	}
	return "closed"
}

// Close flushes what is queued and closes; with discard it closes at once.
func (c *conn) Close(discard bool) {
	if discard {
		c.eio.Discard()
	} else {
		c.eio.Close()
	}
}

// Upgraded tells whether the transport is WebSocket now.
func (c *conn) Upgraded() bool { return c.eio.Transport() == engineio.WebSocket }

// OnUpgrade is the engine's word that the transport is WebSocket from now on: Node's "upgrade". Listeners of "connection", which
// run on a goroutine of their own here, may be about to listen for it: it is told once those of every socket that is
// connecting have returned.
func (c *conn) OnUpgrade() {
	c.mu.Lock()
	c.passingLocked().upgraded = true
	c.mu.Unlock()
	c.tellUpgraded(nil)
}

// tellUpgraded emits "upgrade" if that is due. The listeners of "connection" of returned, if there is one, have returned.
func (c *conn) tellUpgraded(returned *link) {
	c.mu.Lock()
	due := c.passing != nil && c.passing.upgraded && c.ended == "" &&
		!slices.ContainsFunc(c.links, func(l *link) bool { return l.state == linkConnecting && l != returned })
	if due {
		c.passing.upgraded = false
		c.settleLocked()
	}
	c.mu.Unlock()
	if due {
		c.emitGuarded(c.server.log, "upgrade", c.Transport())
	}
}

// Upgrading is not known out here.
func (c *conn) Upgrading() bool { return false }

// Construct, MaybeUpgrade and SetReadyState are for the library's engine; they do nothing.
func (c *conn) Construct(string, engine.BaseServer, transports.Transport, *types.HttpContext, int) {}
func (c *conn) MaybeUpgrade(transports.Transport)                                                  {}
func (c *conn) SetReadyState(string)                                                               {}

// Request describes the request that opened the connection. It is built when asked for, and again
// once a socket has taken from it what it keeps.
func (c *conn) Request() *types.HttpContext {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.passingLocked()
	if p.request == nil {
		p.request = newHTTPContext(c.eio.Handshake())
	}
	return p.request
}

func newHTTPContext(h *engineio.Handshake) *types.HttpContext {
	u, err := url.ParseRequestURI(h.RequestURI)
	if err != nil { // it was served, so it parses
		u = &url.URL{Path: h.RequestURI}
	}
	r := &http.Request{
		Method: http.MethodGet, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h.Header, Host: h.Host, RemoteAddr: h.RemoteAddr, RequestURI: h.RequestURI,
	}
	if h.TLS {
		r.TLS = &tls.ConnectionState{}
	}
	ctx := types.NewHttpContext(noResponse{}, r)
	ctx.Flush() // ends the goroutine that waits for the request to
	return ctx
}

// noResponse is the ResponseWriter of a request that has been answered.
type noResponse struct{}

func (noResponse) Header() http.Header         { return http.Header{} }
func (noResponse) Write(b []byte) (int, error) { return len(b), nil }
func (noResponse) WriteHeader(int)             {}

// Transport returns a view of the connection's transport.
func (c *conn) Transport() transports.Transport { return transport{c} }

// transport answers what applications and the library ask a transport. What only the library's own
// engine calls does nothing.
type transport struct{ *conn }

func (t transport) Name() string         { return t.eio.Transport() }
func (t transport) Sid() string          { return t.eio.ID() }
func (t transport) Writable() bool       { return t.eio.Writable() }
func (t transport) SupportsBinary() bool { return true }
func (t transport) Discarded() bool      { return !t.eio.Open() }
func (t transport) HandlesUpgrades() bool {
	return t.eio.Transport() == engineio.WebSocket
}

func (t transport) Parser() eparser.Parser {
	if t.eio.Protocol() == 3 {
		return eparser.Parserv3()
	}
	return eparser.Parserv4()
}

func (t transport) Close(done ...types.Callable) {
	t.eio.Close()
	for _, f := range done {
		f()
	}
}

func (t transport) DoClose(done types.Callable) { t.Close(done) }

func (t transport) Discard()                                      {}
func (t transport) Construct(*types.HttpContext)                  {}
func (t transport) OnRequest(*types.HttpContext)                  {}
func (t transport) OnError(string, error)                         {}
func (t transport) OnPacket(*packet.Packet)                       {}
func (t transport) OnData(types.BufferInterface)                  {}
func (t transport) OnClose()                                      {}
func (t transport) Send([]*packet.Packet)                         {}
func (t transport) Prototype(transports.Transport)                {}
func (t transport) Proto() transports.Transport                   { return t }
func (t transport) SetSid(string)                                 {}
func (t transport) SetWritable(bool)                              {}
func (t transport) SetSupportsBinary(bool)                        {}
func (t transport) SetHttpCompression(*types.HttpCompression)     {} //nolint:revive // the library's name
func (t transport) SetPerMessageDeflate(*types.PerMessageDeflate) {}
func (t transport) SetMaxHttpBufferSize(int64)                    {}             //nolint:revive // the library's name
func (t transport) HttpCompression() *types.HttpCompression       { return nil } //nolint:revive // the library's name
func (t transport) PerMessageDeflate() *types.PerMessageDeflate   { return nil }
func (t transport) MaxHttpBufferSize() int64                      { return t.server.opts.Engine.MaxPayload } //nolint:revive // the library's name
