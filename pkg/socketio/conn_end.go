package socketio

import (
	"log/slog"
	"slices"

	"socketio-chat/pkg/engineio"
)

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
			l.disconnect(endConnection)
		}
	}
}
