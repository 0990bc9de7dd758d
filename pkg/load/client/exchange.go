//go:build linux

package client

import (
	"errors"
	"fmt"
	"io"
	"time"

	"socketio-chat/pkg/load/reactor"
)

// exchange is one connection for HTTP requests, kept alive between them. One request at a time.
type exchange struct {
	c       *Client
	conn    *reactor.Conn
	request []byte // the one in flight; nil between requests
	reused  bool   // conn has served a request before
	closed  bool
	// done gets the body of an answer with status 200, valid during the call only.
	done func(body []byte, now time.Duration)
}

func (x *exchange) busy() bool { return x.request != nil }

// do sends a request, which is kept until it is answered.
func (x *exchange) do(request []byte) {
	if x.closed {
		return
	}
	x.request = request
	if x.conn != nil {
		x.reused = true
		x.conn.Write(request)
		return
	}
	x.reused = false
	conn, err := x.c.group.loop.Dial(x.c.peer.Target, x.c.peer.Source, x)
	if err != nil {
		x.c.group.loop.Do(func() { x.c.fail(err) })
	}
	x.conn = conn
}

func (x *exchange) close() {
	if x.closed {
		return
	}
	x.closed = true
	if x.conn != nil {
		x.conn.Close(nil)
	}
}

// Connected implements reactor.Handler.
func (x *exchange) Connected() { x.conn.Write(x.request) }

// Data implements reactor.Handler.
func (x *exchange) Data(b []byte, now time.Duration) (int, error) {
	if x.request == nil {
		return 0, fmt.Errorf("the server sent %d bytes that nobody had asked for", len(b))
	}
	h, err := parseHead(b)
	if errors.Is(err, errIncomplete) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	body, used, err := parseBody(h, b[h.headLen:])
	if errors.Is(err, errIncomplete) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if h.status != 200 {
		return 0, fmt.Errorf("the server answered with status %d: %.120q", h.status, body)
	}
	x.request = nil
	if h.close {
		// The next request needs a connection of its own; this one's end is then no news.
		conn := x.conn
		x.conn = nil
		x.done(body, now)
		conn.Close(nil)
		return h.headLen + used, nil
	}
	x.done(body, now)
	return h.headLen + used, nil
}

// Closed implements reactor.Handler. Servers end connections that were idle for some seconds, perhaps just as a request
// is on its way: such a request was not seen by the server, and is made again on a new connection, as browsers do.
func (x *exchange) Closed(err error) {
	if x.closed || err == nil {
		return
	}
	x.conn = nil
	ended := errors.Is(err, io.EOF) || isReset(err)
	switch {
	case ended && x.request == nil:
	case ended && x.reused:
		x.do(x.request)
	default:
		x.c.fail(fmt.Errorf("polling: %w", err))
	}
}
