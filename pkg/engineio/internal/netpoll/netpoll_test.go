//go:build linux

package netpoll

import (
	"errors"
	"net"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

// pair returns two ends of one connection.
func pair(t *testing.T, network, address string) (here, there net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	there = dial(t, l)
	return accept(t, l), there
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	nc, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return nc
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return nc
}

// A wrapper has a socket inside, which is nobody's business.
type wrapper struct{ *net.TCPConn }

func TestSocketIsTakenByType(t *testing.T) {
	tcp, _ := pair(t, "tcp", "127.0.0.1:0")
	unix, _ := pair(t, "unix", filepath.Join(t.TempDir(), "s"))
	pipe, _ := net.Pipe()
	defer pipe.Close()
	for _, tt := range []struct {
		name   string
		nc     net.Conn
		socket bool
	}{
		{"TCP", tcp, true},
		{"Unix", unix, true},
		{"a wrapper", wrapper{tcp.(*net.TCPConn)}, false},
		{"a pipe", pipe, false},
	} {
		raw, fd := Socket(tt.nc)
		if (raw != nil) != tt.socket || (fd != None) != tt.socket {
			t.Errorf("%s: %v, %d", tt.name, raw, fd)
		}
	}
}

func TestCallsDoNotWait(t *testing.T) {
	here, there := pair(t, "tcp", "127.0.0.1:0")
	raw, fd := Socket(here)
	buf := make([]byte, 8)
	if n, again, err := fd.Receive(buf); n != 0 || !again || err != nil {
		t.Errorf("nothing to receive: %d, %v, %v", n, again, err)
	}
	if n, err := fd.Send([]byte("hi")); n != 2 || err != nil {
		t.Errorf("send: %d, %v", n, err)
	}
	if n, err := there.Read(buf); err != nil || string(buf[:n]) != "hi" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	_, _ = there.Write([]byte("ho"))
	awaitReadable(t, raw)
	for range 2 { // it stays
		if n, again, err := Peek(raw, buf); again || err != nil || string(buf[:n]) != "ho" {
			t.Errorf("peek %q, %v, %v", buf[:n], again, err)
		}
	}
	if n, again, err := fd.Receive(buf); again || err != nil || string(buf[:n]) != "ho" {
		t.Errorf("receive %q, %v, %v", buf[:n], again, err)
	}
	for n := 1; n > 0; { // until the peer's buffers are full
		var err error
		if n, err = fd.Send(make([]byte, 64<<10)); err != nil {
			t.Fatal(err)
		}
	}
	_ = here.Close()
	if n, again, err := Peek(raw, buf); n != 0 || !again || err != nil {
		t.Errorf("peek at a closed socket: %d, %v, %v", n, again, err)
	}
}

// awaitReadable waits without taking anything.
func awaitReadable(t *testing.T, raw syscall.RawConn) {
	t.Helper()
	var b [1]byte
	err := raw.Read(func(fd uintptr) bool {
		_, again, _ := FD(fd).Peek(b[:])
		return !again
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newPoller returns a poller that ends with the test.
func newPoller(t *testing.T) *Poller {
	p := New(func(f func()) { go f() }, nil)
	t.Cleanup(p.Close)
	return p
}

// A workReader has something to do whenever its socket is readable.
type workReader func()

func (r workReader) Glance(Arrival) Work { return r }
func (r workReader) Run()                { r() }

// A reader parks when it has read all, and is resumed by each piece that comes.
func TestResume(t *testing.T) {
	here, there := pair(t, "tcp", "127.0.0.1:0")
	raw, fd := Socket(here)
	p, k, got := newPoller(t), new(Parking), make(chan string)
	k.Reader = workReader(func() {
		var text []byte
		buf := make([]byte, 16)
		for {
			n, again, err := fd.Receive(buf)
			switch {
			case err != nil, n == 0 && !again:
				k.Leave()
				close(got)
				return
			case !again:
				text = append(text, buf[:n]...)
				continue
			}
			if len(text) > 0 {
				got <- string(text)
				text = nil
			} else if k.Park() {
				return
			}
		}
	})
	if !p.Add(k, raw) || !k.Added() || p.Registered() != 1 {
		t.Fatal("not added")
	}
	go k.resume()
	for _, want := range []string{"one", "two", "a longer text than the buffer has room for"} {
		_, _ = there.Write([]byte(want))
		for text := ""; text != want; {
			text += <-got
		}
	}
	_ = there.Close()
	if text, open := <-got; open {
		t.Errorf("got %q behind the end", text)
	}
	if n := p.Registered(); n != 0 {
		t.Errorf("%d are registered", n)
	}
}

// A glancer has work only if it is told so.
type glancer struct {
	name   string
	k      *Parking
	fd     FD
	work   func() // nil: none
	glance chan string
}

func (g *glancer) Glance(Arrival) Work {
	_, _, _ = g.fd.Receive(make([]byte, 8))
	g.glance <- g.name
	if g.work != nil {
		return workReader(g.work)
	}
	g.k.Park()
	return nil
}

// A round glances at all that one wait has found, whichever of them have work that lasts.
func TestRound(t *testing.T) {
	started := make(chan struct{}, 8)
	p := New(func(f func()) {
		started <- struct{}{}
		go f()
	}, nil)
	t.Cleanup(p.Close)
	release, glances := make(chan struct{}), make(chan string, 8)
	r := p.newRound()
	for name, work := range map[string]func(){"a": nil, "b": func() { <-release }, "c": nil, "d": func() { <-release }, "e": nil} {
		here, there := pair(t, "tcp", "127.0.0.1:0")
		raw, fd := Socket(here)
		k := new(Parking)
		g := &glancer{name, k, fd, work, glances}
		k.Reader = g
		if !p.Add(k, raw) {
			t.Fatal("not added")
		}
		_, _ = there.Write([]byte("x"))
		awaitReadable(t, raw)
		r.add(k)
	}
	r.start()
	seen := make(map[string]bool)
	for range 5 {
		seen[<-glances] = true // while two work
	}
	close(release)
	if len(seen) != 5 {
		t.Errorf("glanced at %v", seen)
	}
	if n := len(started); n != 2 {
		t.Errorf("%d goroutines for two that work", n)
	}
}

// A recorder notes what the poller calls, and owns the socket after each Readable.
type recorder struct{ calls chan string }

func (r recorder) Readable(_ Arrival, buf []byte) {
	if len(buf) != BufferSize {
		r.calls <- "readable with a wrong buffer"
	}
	r.calls <- "readable"
}

func (r recorder) Signaled(ending bool) {
	if ending {
		r.calls <- "ending"
	} else {
		r.calls <- "signaled"
	}
}

func (r recorder) Orphaned() { r.calls <- "orphaned" }

func (r recorder) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-r.calls:
		if got != want {
			t.Errorf("called %s, want %s", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("%s was not called", want)
	}
}

func TestHandler(t *testing.T) {
	here, there := pair(t, "tcp", "127.0.0.1:0")
	raw, fd := Socket(here)
	r := recorder{make(chan string)}
	var h Handler = r
	p, k := newPoller(t), new(Parking)
	k.Handle(&h)
	if !p.Add(k, raw) || !k.Park() || p.Parked() != 0 {
		t.Fatal("not parked, or as one without a handler")
	}
	_, _ = there.Write([]byte("a"))
	r.want(t, "readable")
	_, _ = there.Write([]byte("b"))
	r.want(t, "signaled")
	if !k.Signaled() || k.Park() {
		t.Error("parks with something left to read")
	}
	if n, _, err := fd.Receive(make([]byte, 8)); n != 2 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if !k.Park() || !k.Claim() || k.Claim() {
		t.Error("a parked socket has one owner")
	}
	_ = there.(*net.TCPConn).CloseWrite()
	r.want(t, "ending")
	k.Release()
	if p.Registered() != 0 {
		t.Error("registered after its release")
	}
	if _, err := there.Write([]byte("c")); err == nil {
		t.Error("wrote behind the end")
	}
}

// When waiting fails nobody is forgotten: readers go on by themselves, handlers are told,
// and nothing can be added any more.
func TestPollerThatFails(t *testing.T) {
	var broken atomic.Bool
	p := newPoller(t)
	p.Inject(func() error {
		if broken.Load() {
			return errors.New("broken")
		}
		return nil
	})
	here, _ := pair(t, "tcp", "127.0.0.1:0")
	handled, _ := pair(t, "tcp", "127.0.0.1:0")
	waker, there := pair(t, "tcp", "127.0.0.1:0")
	r := recorder{make(chan string)}
	var h Handler = r
	resumed := make(chan struct{})
	a, b, c := new(Parking), new(Parking), new(Parking)
	a.Reader = workReader(func() { close(resumed) })
	b.Handle(&h)
	c.Handle(&h)
	for k, nc := range map[*Parking]net.Conn{a: here, b: handled, c: waker} {
		raw, _ := Socket(nc)
		if !p.Add(k, raw) {
			t.Fatal("not added")
		}
	}
	if !a.Park() || !b.Park() {
		t.Fatal("not parked")
	}
	broken.Store(true)
	_, _ = there.Write([]byte("x"))
	r.want(t, "orphaned")
	<-resumed
	for !c.Orphaned() { // it runs: the poller calls nobody
		runtime.Gosched()
	}
	if !a.Orphaned() || a.Park() || c.Park() {
		t.Error("orphans park")
	}
	raw, _ := Socket(here)
	if p.Add(new(Parking), raw) {
		t.Error("added to a poller that has failed")
	}
}

// Unpark starts a parked reader, and makes a running one look again.
func TestUnpark(t *testing.T) {
	here, _ := pair(t, "tcp", "127.0.0.1:0")
	raw, _ := Socket(here)
	p, k := newPoller(t), new(Parking)
	resumed := make(chan struct{})
	k.Reader = workReader(func() { resumed <- struct{}{} })
	if !p.Add(k, raw) || !k.Park() {
		t.Fatal("not parked")
	}
	k.Unpark()
	<-resumed
	k.Unpark()
	if !k.Signaled() || k.Park() {
		t.Error("a running reader was not told")
	}
	if !k.Park() || !k.Parked() {
		t.Error("does not park after it has looked again")
	}
	k.Release()
}
