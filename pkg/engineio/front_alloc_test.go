//go:build linux && !race

package engineio

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
)

// To tell whether a request is plain costs nothing but time.
func TestPlainRequestAllocations(t *testing.T) {
	for _, request := range []string{plainPoll, plainPost, plainSocket} {
		b := []byte(request)
		wantAllocs(t, "a request", 0, func() {
			var q plainRequest
			if !q.parse(b, "/engine.io/") {
				t.Error("is not plain")
			}
		})
	}
}

// A poll that waits and is answered with a shared frame allocates nothing, from
// the first byte to the last, but the start of a flusher worker and its goroutine,
// which the connections of a broadcast share.
func TestPollAllocations(t *testing.T) {
	p := newPollLoop(t)
	p.once(t)
	if got := testing.AllocsPerRun(100, func() { p.once(t) }); got > 2 {
		t.Errorf("a poll: %v allocations", got)
	}
}

// A pollLoop polls on a connection of its own, by hand.
type pollLoop struct {
	server  *peer
	nc      io.ReadWriter
	request []byte
	answer  []byte
	frame   *Frame
}

func newPollLoop(t testing.TB) *pollLoop {
	srv := serve(t, Options{})
	alice := dialPolling(t, srv, 4)
	nc := dialRaw(t, srv)
	t.Cleanup(func() { nc.Close() })
	return &pollLoop{
		server: srv.accept(t), nc: nc, answer: make([]byte, 4096), frame: NewTextFrame(pattern(0, 64)),
		request: fmt.Appendf(nil, "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n", alice.sid),
	}
}

func (p *pollLoop) once(t testing.TB) {
	if _, err := p.nc.Write(p.request); err != nil {
		t.Fatal(err)
	}
	for !p.server.polling() {
		runtime.Gosched()
	}
	p.server.Send(p.frame)
	if n, err := p.nc.Read(p.answer); err != nil || n < 100 {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

func BenchmarkPoll(b *testing.B) {
	p := newPollLoop(b)
	b.ReportAllocs()
	for b.Loop() {
		p.once(b)
	}
}

func BenchmarkPlainRequest(b *testing.B) {
	request := []byte(plainPoll)
	b.ReportAllocs()
	for b.Loop() {
		var q plainRequest
		if !q.parse(request, "/engine.io/") {
			b.Fatal("is not plain")
		}
	}
}

// BenchmarkHandshake opens sessions by polling, on one connection.
func BenchmarkHandshake(b *testing.B) {
	srv := serve(b, Options{})
	nc := dialRaw(b, srv)
	defer nc.Close()
	request, answer := []byte("GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n"), make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nc.Write(request); err != nil {
			b.Fatal(err)
		}
		if n, err := nc.Read(answer); err != nil || n < len(http.StatusText(200)) {
			b.Fatal(n, err)
		}
		(<-srv.peers).Discard()
	}
}
