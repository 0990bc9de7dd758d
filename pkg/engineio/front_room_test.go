//go:build linux

package engineio

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
)

// The front closes the connections that wait for nothing, the oldest first, and no other.
func TestFrontClosesIdleConnections(t *testing.T) {
	srv := serve(t, Options{})
	f := srv.fronts[0]
	bob := dialPolling(t, srv, 4)
	server := srv.accept(t)
	polled := bob.startPoll()
	server.wantPolling(t)
	eventually(t, "bob's handshake to be over", func() bool { return f.Idle() <= 1 })
	for f.CloseIdle() { // what bob's handshake left
	}

	var idle []net.Conn
	for i := range 10 {
		nc := dialRaw(t, srv)
		defer nc.Close()
		if i%2 == 0 {
			send(t, nc, "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
			if res, err := http.ReadResponse(bufio.NewReader(nc), nil); err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(err)
			}
		}
		idle = append(idle, nc)
		eventually(t, "the connection to wait", func() bool { return f.Idle() == i+1 })
	}
	for range 5 {
		if !f.CloseIdle() {
			t.Fatal("nothing was closed")
		}
	}
	for range 5 {
		f.CloseIdle()
	}
	if f.CloseIdle() || f.Idle() != 0 {
		t.Errorf("%d idle connections are left", f.Idle())
	}
	for i, nc := range idle {
		if _, err := io.Copy(io.Discard, nc); err != nil {
			t.Errorf("connection %d: %v", i, err)
		}
	}
	server.sendText("still here")
	wantAnswer(t, polled, 200, "4still here")
}

// The front cuts off answers that are not read, the oldest first, when it is told to, and no other.
func TestFrontCutsSlowAnswers(t *testing.T) {
	const long = 16 << 20 // more than systems keep for a client
	srv := pair(t, Options{}, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, long)) })
	})[0]
	f := srv.fronts[0]
	if f.CloseSlow() {
		t.Error("an answer was cut off where there was none")
	}
	slow := make([]net.Conn, 3)
	for i := range slow {
		slow[i] = dialRaw(t, srv)
		defer slow[i].Close()
		send(t, slow[i], "GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := io.ReadFull(slow[i], make([]byte, 100)); err != nil { // the answer has begun
			t.Fatal(err)
		}
	}
	if !f.CloseSlow() || !f.CloseSlow() {
		t.Error("no answer was cut off")
	}
	for i, nc := range slow {
		n, err := io.Copy(io.Discard, readOnce(nc, long))
		if whole := n > long-100; whole != (i == 2) {
			t.Errorf("answer %d: %d bytes, %v", i, n, err)
		}
	}
	eventually(t, "no answer is left", func() bool { return !f.CloseSlow() })
}

// readOnce ends behind what an answer of so many bytes has at least, though its connection stays.
func readOnce(nc net.Conn, n int64) io.Reader { return io.LimitReader(nc, n-100+1) }
