//go:build !race

package engineio

import (
	"io"
	"net"
	"testing"
)

// drained returns the server's side of a connection whose client throws away
// what it gets.
func drained(t testing.TB, srv *testServer, protocol int) *Conn {
	t.Helper()
	alice := dialWebSocket(t, srv, protocol)
	c := srv.accept(t).Conn
	go io.Copy(io.Discard, alice.ws.NetConn().(*net.TCPConn)) //nolint:errcheck // ends with the connection
	eventually(t, "the open packet has left", c.Writable)
	return c
}

// wantAllocs expects that f allocates n times in the mean.
func wantAllocs(t *testing.T, what string, n float64, f func()) {
	t.Helper()
	if got := testing.AllocsPerRun(500, f); got > n {
		t.Errorf("%s: %v allocations, want %v", what, got, n)
	}
}

// Sending a shared frame costs no allocation, whatever the state of the
// connection, nor does writing it.
func TestAllocations(t *testing.T) {
	srv := serve(t, Options{})
	for protocol := 3; protocol <= 4; protocol++ {
		c := drained(t, srv, protocol)
		text, binary := NewTextFrame(pattern(0, 200)), NewBinaryFrame(pattern(0, 200))
		b := srv.NewBatch()
		w := writers.Get().(*writer)
		wantAllocs(t, "send and flush", 0, func() {
			b.Send(c, text)         // idle
			b.Send(c, binary, text) // scheduled
			b.conns = b.conns[:0]
			if c.flush(w) {
				t.Error("scheduled again")
			}
		})
		writers.Put(w)
		wantAllocs(t, "send to a connection that is being flushed", 0, func() {
			c.mu.Lock()
			c.sender.writer = writerFlushing
			c.mu.Unlock()
			b.Send(c, text)
			c.mu.Lock()
			c.sender.queue.release()
			c.sender.queued, c.sender.writer = 0, writerIdle
			c.mu.Unlock()
		})
		c.Discard()
		wantAllocs(t, "send to a closed connection", 0, func() { b.Send(c, text) })
	}
}

// A message that is received costs its own bytes, and waiting for one nothing.
func TestReaderAllocations(t *testing.T) {
	frame := masked(0x82, pattern(0, 100))
	many := make([]byte, 0, 100*len(frame))
	for range 100 {
		many = append(many, frame...)
	}
	r := newWSReader(transportOf(&feedConn{next: func() []byte { return many }}), 1000, nil)
	wantAllocs(t, "a message", 1, func() {
		if data, _, err := r.next(); err != nil || len(data) != 100 {
			t.Fatal(err)
		}
	})
}
