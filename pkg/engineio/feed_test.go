package engineio

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// A feedConn is a connection whose peer has already written everything and
// then ended: reads give the chunks one by one, then io.EOF.
type feedConn struct {
	next func() []byte // the next chunk, nil at the end

	rest []byte

	mu      sync.Mutex
	written bytes.Buffer
}

// feed returns a connection with the given chunks.
func feed(chunks ...[]byte) *feedConn {
	return &feedConn{next: func() []byte {
		for len(chunks) > 0 {
			c := chunks[0]
			chunks = chunks[1:]
			if len(c) > 0 {
				return c
			}
		}
		return nil
	}}
}

// feedBy returns a connection that gives data n bytes at a time.
func feedBy(data []byte, n int) *feedConn {
	return &feedConn{next: func() []byte {
		c := data[:min(n, len(data))]
		data = data[len(c):]
		return c
	}}
}

func (c *feedConn) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		c.rest = c.next()
	}
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *feedConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.written.Write(b)
}

func (c *feedConn) Close() error                     { return nil }
func (c *feedConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *feedConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *feedConn) SetDeadline(time.Time) error      { return nil }
func (c *feedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *feedConn) SetWriteDeadline(time.Time) error { return nil }

// readAll reads everything that c gives as a server does, and returns it in a
// form that compares: messages, pongs, and the error at the end.
func readAll(t testing.TB, c *feedConn, maxPayload int64) (events []string) {
	t.Helper()
	r := newWSReader(transportOf(c), maxPayload, nil)
	r.pong = func(f *Frame) { events = append(events, fmt.Sprintf("pong %x", f.wire[2:])) }
	for {
		data, binary, err := r.next()
		if err != nil {
			events = append(events, "error: "+err.Error())
			break
		}
		if int64(len(data)) > maxPayload {
			t.Errorf("a message of %d bytes with a limit of %d", len(data), maxPayload)
		}
		if !binary && !utf8.Valid(data) {
			t.Errorf("text that is not UTF-8: %x", data)
		}
		events = append(events, fmt.Sprintf("binary %v %x", binary, data))
	}
	r.linger()
	if r.buf != nil {
		t.Error("the reader keeps a buffer")
	}
	return events
}

// transportOf returns a transport that belongs to no session.
func transportOf(c net.Conn) *wsTransport { return newWSTransport(c, &running{}) }
