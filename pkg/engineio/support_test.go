package engineio

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen. It only bounds a
// failure: no test measures time with it.
const patience = time.Minute

// A testServer is a Server on a loopback address, with a peer for each of its
// connections.
type testServer struct {
	*Server
	http  *httptest.Server
	peers chan *peer
}

// serve starts a server that ends with the test.
func serve(t testing.TB, opts Options) *testServer {
	t.Helper()
	s := newTestServer(opts)
	s.listen(t, asIs)
	return s
}

// asIs is for listen.
func asIs(l net.Listener) net.Listener { return l }

// listenPlain starts the server with or without a front.
func (s *testServer) listenPlain(t testing.TB, front bool) {
	s.http = httptest.NewUnstartedServer(s.Server)
	if front {
		s.http.Listener = s.Front(s.http.Listener, FrontOptions{Path: "/engine.io/", Handler: s.Server})
	}
	s.http.Start()
	s.closeWith(t)
}

// listen starts the server behind a listener that wrap may change.
func (s *testServer) listen(t testing.TB, wrap func(net.Listener) net.Listener) {
	s.http = httptest.NewUnstartedServer(s.Server)
	s.http.Listener = s.front(wrap(s.http.Listener))
	s.http.Start()
	s.closeWith(t)
}

// serveSmall is serve with socket buffers of a few kilobytes on the server's
// side, so that a client that does not read is noticed soon.
func serveSmall(t testing.TB, opts Options) *testServer {
	t.Helper()
	s := newTestServer(opts)
	s.listen(t, func(l net.Listener) net.Listener { return smallBuffers{l} })
	return s
}

// withoutFront tests the way that all requests go where there is no front.
var withoutFront = flag.Bool("without-front", false, "let net/http serve all requests of the tests")

// withoutRing tests the way that broadcasts go where there is no io_uring.
var withoutRing = flag.Bool("without-ring", false, "let each delivery of the tests be a system call of its own")

func (s *testServer) front(l net.Listener) net.Listener {
	if *withoutFront {
		return l
	}
	return s.Front(Lean(l), FrontOptions{Path: "/engine.io/", Handler: s.Server})
}

func newTestServer(opts Options) *testServer {
	s := &testServer{peers: make(chan *peer, 4096)}
	opts.OnConnect = func(c *Conn) Receiver {
		p := newPeer(c)
		s.peers <- p
		return p
	}
	opts.NoIOUring = opts.NoIOUring || *withoutRing
	s.Server = NewServer(opts)
	s.flusher.gatherFrom = 1 // tests have few clients
	return s
}

func (s *testServer) closeWith(t testing.TB) {
	t.Cleanup(func() {
		s.each((*Conn).Discard) // do not wait for polls that no test makes
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close the server: %v", err)
		}
		if n := s.Len(); n != 0 {
			t.Errorf("%d connections are left in a closed server", n)
		}
		s.http.Close()
	})
}

// url returns the server's address with the scheme http or ws, and TLS if it
// has that.
func (s *testServer) url(scheme, query string) string {
	return scheme + strings.TrimPrefix(s.http.URL, "http") + "/engine.io/?" + query // https becomes wss
}

// addr returns the server's host and port.
func (s *testServer) addr() string { return s.http.Listener.Addr().String() }

// accept returns the server's side of the next connection.
func (s *testServer) accept(t testing.TB) *peer {
	t.Helper()
	select {
	case p := <-s.peers:
		return p
	case <-time.After(patience):
		t.Fatal("no connection came")
		return nil
	}
}

// wantLen waits until n connections are open.
func (s *testServer) wantLen(t testing.TB, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d connections", n), func() bool { return s.Len() == n })
}

// eventually waits for a condition that has no event of its own.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !cond(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// A message is what a peer received: the text, or "binary " and hexadecimal.
type message string

// An ending is the last call of a Receiver.
type ending struct {
	reason CloseReason
	err    error
}

// A peer is the server's side of one connection. It keeps what it receives.
type peer struct {
	*Conn
	ended chan ending

	mu       sync.Mutex
	received []message
	came     chan struct{} // capacity 1: something was received
	calls    int           // running Receiver calls
	broken   string        // how the promises to a Receiver were broken
	hold     chan struct{} // Receive waits until it is closed, if set
	answer   func(message) // called by Receive, if set
	forget   bool          // keep nothing

	echoes atomic.Bool // send everything back instead
}

func newPeer(c *Conn) *peer {
	return &peer{Conn: c, ended: make(chan ending, 1), came: make(chan struct{}, 1)}
}

func (p *peer) Receive(data []byte, binary bool) {
	if p.echoes.Load() {
		p.sendBack(data, binary)
		return
	}
	m := message(data)
	if binary {
		m = message(fmt.Sprintf("binary %x", data))
	}
	p.enter()
	p.mu.Lock()
	hold, answer := p.hold, p.answer
	if !p.forget {
		p.received = append(p.received, m)
	}
	p.mu.Unlock()
	select {
	case p.came <- struct{}{}:
	default:
	}
	if answer != nil {
		answer(m)
	}
	if hold != nil {
		<-hold
	}
	p.leave()
}

func (p *peer) Closed(reason CloseReason, err error) {
	p.enter()
	p.leave()
	p.ended <- ending{reason, err} // a second call would block, and be seen as a leak
}

func (p *peer) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.calls > 1 {
		p.broken = "calls overlap"
	}
	if len(p.ended) > 0 {
		p.broken = "a call after Closed"
	}
}

func (p *peer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls--
}

// echo makes the peer send back everything that it receives.
func (p *peer) echo() { p.echoes.Store(true) }

func (p *peer) sendBack(data []byte, binary bool) {
	if binary {
		p.Send(NewBinaryFrame(data))
	} else {
		p.Send(NewTextFrame(data))
	}
}

// holdReceive makes Receive wait until release is called.
func (p *peer) holdReceive() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hold := make(chan struct{})
	p.hold = hold
	return sync.OnceFunc(func() {
		p.mu.Lock()
		p.hold = nil
		p.mu.Unlock()
		close(hold)
	})
}

// answerWith makes Receive call f.
func (p *peer) answerWith(f func(message)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

// next returns the next received message, waiting for it.
func (p *peer) next(t testing.TB) message {
	t.Helper()
	end := time.After(patience)
	for {
		p.mu.Lock()
		if p.broken != "" {
			t.Errorf("the receiver: %s", p.broken)
		}
		if len(p.received) > 0 {
			m := p.received[0]
			p.received = p.received[1:]
			p.mu.Unlock()
			return m
		}
		p.mu.Unlock()
		select {
		case <-p.came:
		case <-end:
			t.Fatal("the server received no message")
		}
	}
}

// want expects the next received messages.
func (p *peer) want(t testing.TB, want ...message) {
	t.Helper()
	for i, w := range want {
		if got := p.next(t); got != w {
			t.Fatalf("message %d: the server received %.200q, want %.200q", i, got, w)
		}
	}
}

// wantClosed waits for the end of the connection and checks its reason, and
// that nothing was received that the test does not know of.
func (p *peer) wantClosed(t testing.TB, reason CloseReason) error {
	t.Helper()
	var e ending
	select {
	case e = <-p.ended:
	case <-time.After(patience):
		t.Fatalf("the connection does not end; want %q", reason)
	}
	if e.reason != reason {
		t.Fatalf("closed with %q (%v), want %q", e.reason, e.err, reason)
	}
	select {
	case <-p.Done():
	default:
		t.Error("Closed was called, but Done is not closed")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != "" || len(p.received) > 0 && !p.forget {
		t.Errorf("the receiver: %s; received and not expected: %.200q", p.broken, p.received)
	}
	return e.err
}

// sendText sends one text message.
func (p *peer) sendText(text string) bool { return p.Send(NewTextFrame([]byte(text))) }

// smallBuffers gives the connections it accepts small socket buffers.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		err = nc.(*net.TCPConn).SetWriteBuffer(16 << 10)
	}
	return nc, err
}

// newHTTPClient returns a client with connections of its own, which end with
// the test.
func newHTTPClient(t testing.TB) *http.Client {
	tr := &http.Transport{MaxIdleConnsPerHost: 4}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}
