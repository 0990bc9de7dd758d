package line_test

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"socketio-chat/pkg/e2e/simulation/line"
)

// joined returns a line with a connection.
func joined(t *testing.T) (l *line.Line, near, far net.Conn) {
	t.Helper()
	l = line.New(1)
	near, far, err := l.Connect()
	if err != nil {
		t.Fatal(err)
	}
	return l, near, far
}

// arrives reads what arrives, and tells how long that took.
func arrives(t *testing.T, c net.Conn, want string) time.Duration {
	t.Helper()
	began := time.Now()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("got %q, %v, want %q", b, err, want)
	}
	return time.Since(began)
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if n, err := io.WriteString(c, text); n != len(text) || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
}

func TestWhatIsWrittenArrivesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, near, far := joined(t)
		send(t, near, "ab")
		l.Slow(time.Minute)
		send(t, near, "cd")
		l.Slow(0)
		send(t, near, "ef")
		if d := arrives(t, far, "ab"); d > time.Millisecond {
			t.Errorf("took %v", d)
		}
		if d := arrives(t, far, "cdef"); d < time.Minute-time.Millisecond || d > time.Minute+time.Millisecond {
			t.Errorf("took %v", d)
		}
		near.Close()
		if n, err := far.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("read %d, %v", n, err)
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write: %v", err)
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read: %v", err)
		}
		if err := near.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
}

func TestDeadlineEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, near, far := joined(t)
		began := time.Now()
		_ = far.SetDeadline(began.Add(time.Hour))
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		_ = far.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Hour)
			_ = far.SetReadDeadline(time.Unix(1, 0))
		}()
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 2*time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		_ = far.SetReadDeadline(time.Time{})
		send(t, near, "x")
		arrives(t, far, "x")
	})
}

func TestJammedLineKeepsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, near, far := joined(t)
		l.Jam(true)
		send(t, near, "x")
		near.Close()
		time.AfterFunc(time.Minute, func() { l.Jam(false) })
		if d := arrives(t, far, "x"); d != time.Minute {
			t.Errorf("took %v", d)
		}
	})
}

func TestCutLosesWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, near, far := joined(t)
		send(t, near, "x")
		l.Cut()
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v", err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write: %v", err)
		}
		if _, _, err := l.Connect(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("connect: %v", err)
		}
		l.Mend()
		near, far, err := l.Connect()
		if err != nil {
			t.Fatal(err)
		}
		if l.Len() != 1 {
			t.Errorf("%d connections", l.Len())
		}
		line.Reset(near)
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v", err)
		}
	})
}

// A server gets the far sides of what is dialled, until it closes or refuses them.
func TestDialGivesTheFarSideAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, server := line.New(1), line.Listen("server")
		var near []net.Conn
		accepted := make(chan net.Conn)
		go func() {
			for range 3 {
				c, err := server.Accept()
				if err != nil {
					t.Error(err)
				}
				accepted <- c
			}
		}()
		for range 3 {
			c, err := l.Dial(server.Serve)
			if err != nil {
				t.Fatal(err)
			}
			near = append(near, c)
			send(t, c, "x")
			arrives(t, <-accepted, "x")
		}
		if !slices.Equal(l.Conns(), near) {
			t.Error("the connections are not in the order in which they were made")
		}
		server.Close()
		if _, err := server.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: %v", err)
		}
		if _, err := l.Dial(server.Serve); !errors.Is(err, syscall.ECONNREFUSED) || l.Len() != len(near) {
			t.Errorf("dial: %v, %d connections", err, l.Len())
		}
		if server.Addr().String() != "server" {
			t.Errorf("it is at %s", server.Addr())
		}
		l.Cut()
		if _, err := l.Dial(server.Serve); !errors.Is(err, syscall.ECONNREFUSED) || len(l.Conns()) != 0 {
			t.Errorf("dial: %v", err)
		}
	})
}
