package reactor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

// recorder is a Handler that tells the test what happens. It consumes whole lines.
type recorder struct {
	connected chan struct{}
	lines     chan string
	closed    chan error
}

func newRecorder() *recorder {
	return &recorder{connected: make(chan struct{}), lines: make(chan string, 4096), closed: make(chan error, 1)}
}

func (r *recorder) Connected() { close(r.connected) }

func (r *recorder) Data(b []byte, _ time.Duration) (int, error) {
	used := 0
	for {
		i := bytes.IndexByte(b[used:], '\n')
		if i < 0 {
			return used, nil
		}
		line := string(b[used : used+i])
		used += i + 1
		if line == "refuse" {
			return used, errors.New("refused")
		}
		r.lines <- line
	}
}

func (r *recorder) Closed(err error) { r.closed <- err }

// within fails the test when nothing comes for a long time.
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

// start runs a loop for as long as the test lasts.
func start(t testing.TB, tick func(time.Duration) time.Duration) *Loop {
	t.Helper()
	l, err := NewLoop(time.Now(), tick, nil)
	if err != nil {
		t.Fatal(err)
	}
	return runLoop(t, l)
}

func runLoop(t testing.TB, l *Loop) *Loop {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := within(t, "the loop's end", done); err != nil {
			t.Errorf("loop: %v", err)
		}
	})
	return l
}

func listen(t testing.TB) (net.Listener, netip.AddrPort) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln, ln.Addr().(*net.TCPAddr).AddrPort()
}

func accept(t testing.TB, ln net.Listener) net.Conn {
	t.Helper()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// dial connects a recorder to ln and gives both ends.
func dial(t testing.TB, l *Loop, ln net.Listener, to netip.AddrPort, r *recorder) (*Conn, net.Conn) {
	t.Helper()
	got := make(chan *Conn, 1)
	l.Do(func() {
		c, err := l.Dial(to, netip.Addr{}, r)
		if err != nil {
			t.Error(err)
		}
		got <- c
	})
	c := within(t, "dial", got)
	within(t, "connected", r.connected)
	return c, accept(t, ln)
}

func TestLinesArriveWholeAndInOrder(t *testing.T) {
	l := start(t, nil)
	ln, to := listen(t)
	r := newRecorder()
	_, peer := dial(t, l, ln, to, r)
	for _, piece := range []string{"a", "b\nc", "d\n", "\ne", "f\ng\n"} {
		if _, err := io.WriteString(peer, piece); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"ab", "cd", "", "ef", "g"} {
		if got := within(t, "line", r.lines); got != want {
			t.Errorf("line %q, want %q", got, want)
		}
	}
	io.WriteString(peer, "last\n")
	peer.Close() // what came before the end is read before the end is told
	if got := within(t, "line", r.lines); got != "last" {
		t.Errorf("line %q", got)
	}
	if err := within(t, "end", r.closed); err != io.EOF {
		t.Errorf("closed with %v", err)
	}
}

func TestLongLineGrowsTheBuffer(t *testing.T) {
	l := start(t, nil)
	ln, to := listen(t)
	r := newRecorder()
	_, peer := dial(t, l, ln, to, r)
	long := bytes.Repeat([]byte("x"), 3*readSize)
	go peer.Write(append(long, '\n'))
	if got := within(t, "line", r.lines); got != string(long) {
		t.Errorf("%d bytes came, want %d", len(got), len(long))
	}
}

func TestOverlongLineCloses(t *testing.T) {
	l := start(t, nil)
	ln, to := listen(t)
	r := newRecorder()
	_, peer := dial(t, l, ln, to, r)
	go peer.Write(make([]byte, MaxUnconsumed+1))
	if err := within(t, "end", r.closed); err == nil || err == io.EOF {
		t.Errorf("closed with %v", err)
	}
}

func TestHandlerErrorCloses(t *testing.T) {
	l := start(t, nil)
	ln, to := listen(t)
	r := newRecorder()
	_, peer := dial(t, l, ln, to, r)
	io.WriteString(peer, "refuse\nmore\n")
	if err := within(t, "end", r.closed); err == nil || err.Error() != "refused" {
		t.Errorf("closed with %v", err)
	}
	if _, err := peer.Read(make([]byte, 1)); err == nil {
		t.Error("the peer's connection is still open")
	}
}

// A peer that does not read fills the kernel's buffers; the rest waits and follows when it reads again.
func TestWritesWaitForASlowPeer(t *testing.T) {
	l := start(t, nil)
	ln, to := listen(t)
	r := newRecorder()
	c, peer := dial(t, l, ln, to, r)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	total, queued := 0, make(chan int)
	l.Do(func() {
		for c.Queued() < MaxQueued/2 {
			c.Write(sent)
			total += len(sent)
		}
		queued <- c.Queued()
	})
	if n := within(t, "queue", queued); n == 0 {
		t.Fatal("nothing had to wait")
	}
	got := make([]byte, total)
	if _, err := io.ReadFull(peer, got); err != nil {
		t.Fatal(err)
	}
	if want := bytes.Repeat(sent, total/len(sent)); !bytes.Equal(got, want) {
		t.Error("the bytes came changed")
	}
}

func TestQueueIsBounded(t *testing.T) {
	l := start(t, nil)
	ln, to := listen(t)
	r := newRecorder()
	c, _ := dial(t, l, ln, to, r)
	l.Do(func() {
		for !c.closed {
			c.Write(make([]byte, 1<<20))
		}
	})
	if err := within(t, "end", r.closed); err == nil {
		t.Error("closed without a reason")
	}
}

func TestRefusedConnection(t *testing.T) {
	l := start(t, nil)
	ln, to := listen(t)
	ln.Close()
	r := newRecorder()
	l.Do(func() {
		if _, err := l.Dial(to, netip.Addr{}, r); err != nil {
			r.closed <- err
		}
	})
	if err := within(t, "refusal", r.closed); err == nil {
		t.Error("no reason given")
	}
}

func TestSourceAddress(t *testing.T) {
	l := start(t, nil)
	ln, to := listen(t)
	r := newRecorder()
	l.Do(func() {
		if _, err := l.Dial(to, netip.MustParseAddr("127.0.0.9"), r); err != nil {
			t.Error(err)
		}
	})
	within(t, "connected", r.connected)
	if got := accept(t, ln).RemoteAddr().(*net.TCPAddr).IP.String(); got != "127.0.0.9" {
		t.Errorf("connected from %s", got)
	}
}

func TestTickComesWhenItAsked(t *testing.T) {
	const apart, rounds = 3 * time.Millisecond, 5
	var asked time.Duration
	early := false
	n, done := 0, make(chan struct{})
	start(t, func(now time.Duration) time.Duration {
		early = early || now < asked
		if n++; n == rounds {
			close(done)
			return -1
		}
		asked = now + apart
		return asked
	})
	within(t, "ticks", done)
	if early {
		t.Error("a tick came before its time")
	}
}

func TestEndClosesConnectionsAndRefusesWork(t *testing.T) {
	l, err := NewLoop(time.Now(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	ln, to := listen(t)
	r := newRecorder()
	dial(t, l, ln, to, r)
	cancel()
	if err := within(t, "the loop's end", done); err != nil {
		t.Error(err)
	}
	if err := within(t, "end", r.closed); err != ErrStopped {
		t.Errorf("closed with %v", err)
	}
	if l.Do(func() { t.Error("called after the end") }) {
		t.Error("took work after the end")
	}
}
