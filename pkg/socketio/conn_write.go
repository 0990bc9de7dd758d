package socketio

import (
	"io"
	"log/slog"
	"strings"

	"github.com/zishang520/engine.io-go-parser/packet"
	"github.com/zishang520/engine.io/v2/engine"
	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/types"

	"socketio-chat/pkg/engineio"
)

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
			c.joinee(e.nsp)
			l.forget()
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
	return l.ends != endByServer
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
