package socketio

import (
	"slices"
	"time"

	"github.com/zishang520/engine.io/v2/types"
)

// passing is what a connection has while its client joins and, some of it, once that has left a namespace or
// the application has asked for the request. Most connections have joined for good and have none of it.
type passing struct {
	joining  []*link  // handed to the library, which has not made a socket yet; in links unless the connection has ended
	left     []string // namespaces that were joined once and are not now
	timer    *time.Timer
	request  *types.HttpContext
	upgraded bool  // to WebSocket, and nobody was told yet
	closed   []any // arguments of "close", until it is emitted
}

// passingLocked returns what can be changed, to be followed by settleLocked where something is taken away.
func (c *conn) passingLocked() *passing {
	if c.passing == nil {
		c.passing = new(passing)
	}
	return c.passing
}

// settleLocked forgets what has become empty.
func (c *conn) settleLocked() {
	p := c.passing
	if p == nil {
		return
	}
	if len(p.joining) == 0 {
		p.joining = nil
	}
	if p.joining == nil && p.left == nil && p.timer == nil && p.request == nil && !p.upgraded && p.closed == nil {
		c.passing = nil
	}
}

// hasLeftLocked tells whether a namespace was joined once and is not now.
func (c *conn) hasLeftLocked(name string) bool {
	return c.passing != nil && slices.Contains(c.passing.left, name)
}

func (c *conn) joinLocked(l *link) {
	p := c.passingLocked()
	p.joining = append(p.joining, l)
}

// joinee returns the link that the library is making a socket for, and forgets that it is.
func (c *conn) joinee(name string) *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.passing == nil {
		return nil
	}
	p := c.passing
	i := slices.IndexFunc(p.joining, func(l *link) bool { return l.name == name })
	if i < 0 {
		return nil
	}
	l := p.joining[i]
	p.joining = slices.Delete(p.joining, i, i+1)
	c.settleLocked()
	return l
}

// lendRequest gives the library an empty request while it builds a Handshake, because the real one is expensive and few handlers ask
// for it; shareHandshake fills the Handshake in. No other goroutine reads the request before the first socket exists.
func (c *conn) lendRequest() (end func()) {
	empty := c.server.emptyRequest
	c.mu.Lock()
	if len(c.links) == 1 && (c.passing == nil || c.passing.request == nil) {
		c.passingLocked().request = empty
	}
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.passing != nil && c.passing.request == empty {
			c.forgetRequestLocked()
		}
	}
}

func (c *conn) forgetRequestLocked() {
	if c.passing != nil {
		c.passing.request = nil
		c.settleLocked()
	}
}

// startTimer closes the connection unless it joins a namespace in time.
func (c *conn) startTimer(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passingLocked().timer = time.AfterFunc(d, c.eio.Close)
}

func (c *conn) stopTimerLocked() {
	if c.passing != nil && c.passing.timer != nil {
		c.passing.timer.Stop()
		c.passing.timer = nil
		c.settleLocked()
	}
}
