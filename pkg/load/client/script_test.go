//go:build linux

package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"socketio-chat/pkg/load/reactor"
)

// recorder is the Events of a test.
type recorder struct {
	joined  chan struct{}
	packets chan string
	left    chan error
}

func (r *recorder) Joined(time.Duration)                  { r.joined <- struct{}{} }
func (r *recorder) Packet(packet []byte, _ time.Duration) { r.packets <- string(packet) }
func (r *recorder) Left(err error)                        { r.left <- err }

// stage has a client on one side and the test as the server on the other.
type stage struct {
	t    testing.TB
	loop *reactor.Loop
	ln   net.Listener
	c    *Client
	rec  *recorder
}

// newStage starts a client of alice's; the test plays the server.
func newStage(t testing.TB, protocol int, transport Transport) *stage {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	loop, err := reactor.NewLoop(time.Now(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	s := &stage{t: t, loop: loop, ln: ln, rec: &recorder{make(chan struct{}, 1), make(chan string, 1000), make(chan error, 1)}}
	t.Cleanup(func() {
		cancel()
		if err := within(t, "the loop's end", ended); err != nil {
			t.Error(err)
		}
		ln.Close()
	})
	g, err := NewGroup(loop, Options{Protocol: protocol, Transport: transport, Path: "/socket.io/", Namespace: "/chat"})
	if err != nil {
		t.Fatal(err)
	}
	s.do(func() {
		s.c = g.Start(Peer{Target: ln.Addr().(*net.TCPAddr).AddrPort(), Source: netip.Addr{}, Host: "chat.test", Username: "alice"}, s.rec)
	})
	return s
}

// do calls f on the loop and waits for it.
func (s *stage) do(f func()) {
	s.t.Helper()
	done := make(chan struct{})
	s.loop.Do(func() { f(); close(done) })
	within(s.t, "the loop", done)
}

func within[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: nothing came", what)
		panic("unreachable")
	}
}

func (s *stage) wantPacket(want string) {
	s.t.Helper()
	if got := within(s.t, want, s.rec.packets); got != want {
		s.t.Errorf("packet %q, want %q", got, want)
	}
}

// wire is a connection that the client has opened.
type wire struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func (s *stage) accept() *wire {
	s.t.Helper()
	if err := s.ln.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	nc, err := s.ln.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	return &wire{s.t, nc, bufio.NewReader(nc)}
}

// wantRequest reads a request and checks its line and body.
func (w *wire) wantRequest(method, target, body string) {
	w.t.Helper()
	r, err := http.ReadRequest(w.r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, target, err)
	}
	got, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if r.Method != method || r.RequestURI != target || r.Host != "chat.test" || string(got) != body {
		w.t.Errorf("%s %s (%s) %q, want %s %s %q", r.Method, r.RequestURI, r.Host, got, method, target, body)
	}
}

func (w *wire) answer(body string) {
	w.t.Helper()
	if _, err := fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		w.t.Fatal(err)
	}
}

// counted writes packets as a payload of protocol 3.
func counted(packets ...string) string {
	var b strings.Builder
	for _, p := range packets {
		fmt.Fprintf(&b, "%d:%s", utf16Len([]byte(p)), p)
	}
	return b.String()
}

// upgrade answers a WebSocket handshake for the given request target.
func (w *wire) upgrade(target string) {
	w.t.Helper()
	u := ws.Upgrader{OnRequest: func(uri []byte) error {
		if string(uri) != target {
			w.t.Errorf("request for %s, want %s", uri, target)
		}
		return nil
	}}
	if _, err := u.Upgrade(struct {
		io.Reader
		io.Writer
	}{w.r, w.Conn}); err != nil {
		w.t.Fatal(err)
	}
}

// readFrame reads a frame of at most a megabyte.
func readFrame(r io.Reader) (ws.Frame, error) {
	h, err := ws.ReadHeader(r)
	if err != nil || h.Length > 1<<20 {
		return ws.Frame{}, errors.Join(err, fmt.Errorf("a frame of %d bytes", h.Length))
	}
	f := ws.Frame{Header: h, Payload: make([]byte, h.Length)}
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}

func (w *wire) text(s string) {
	w.t.Helper()
	if err := wsutil.WriteServerText(w, []byte(s)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) wantText(want string) {
	w.t.Helper()
	f, err := readFrame(w.r)
	if err != nil {
		w.t.Fatalf("%s: %v", want, err)
	}
	if got := string(ws.UnmaskFrame(f).Payload); f.Header.OpCode != ws.OpText || got != want {
		w.t.Errorf("opcode %v %q, want text %q", f.Header.OpCode, got, want)
	}
}
