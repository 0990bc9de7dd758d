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
	c.mu.Lock()
	links := slices.Clone(c.links)
	c.mu.Unlock()
	c.endAll(links, endInvalid, ReasonForcedServer)
	c.eio.Close()
}

// endAll ends the sockets of links, in the order in which their clients asked for them: so Node does, where the library's Client
// goes through a map. It knows of those that listen already; of the others the Client does what there is to do.
func (c *conn) endAll(links []*link, why linkEnd, reason string) {
	for _, l := range links {
		if l.begun() {
			l.disconnect(why)
		}
	}
	if c.onClose != nil {
		c.onClose(reason)
	}
}

// Closed is the last call of the engine.
func (c *conn) Closed(reason engineio.CloseReason, err error) {
	c.mu.Lock()
	c.ended = string(reason)
	c.passingLocked().closed = []any{c.ended, err}
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
	c.server.forget(c)
}

// end tells the sockets of a connection that it has ended, if it has, and then the listeners of Conn's "close". While listeners of
// "connection" run it does nothing: when they have returned, opened calls it again, and "disconnecting" finds the rooms they joined,
// "close" those who listen since.
func (c *conn) end() {
	if c.endSockets() {
		c.emitClosed()
	}
}

// emitClosed emits "close", the first time that it is called.
func (c *conn) emitClosed() {
	c.mu.Lock()
	var args []any
	if p := c.passing; p != nil {
		args, p.closed = p.closed, nil
		c.settleLocked()
	}
	c.mu.Unlock()
	if args != nil {
		c.emitGuarded(c.server.log, "close", args...)
	}
}

// endSockets reports whether the sockets have been told, now or before.
func (c *conn) endSockets() bool {
	c.ending.Lock()
	defer c.ending.Unlock()
	c.mu.Lock()
	reason := c.ended
	busy := slices.ContainsFunc(c.links, func(l *link) bool { return l.listening && l.state == linkConnecting })
	links := slices.Clone(c.links)
	c.mu.Unlock()
	if reason == "" || busy {
		return false
	}
	c.endAll(links, endConnection, reason)
	return true
}
