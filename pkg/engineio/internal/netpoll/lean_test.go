//go:build linux

package netpoll

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// slim makes a Lean of one end of a connection.
func slim(t *testing.T) (here *Lean, there *net.TCPConn) {
	t.Helper()
	a, b := pair(t, "tcp", "127.0.0.1:0")
	here, ok := Slim(a)
	if !ok {
		t.Fatal("a TCP connection cannot be slimmed")
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("what it was made of is not closed: %v", err)
	}
	t.Cleanup(func() { _ = here.Close() })
	return here, b.(*net.TCPConn)
}

// A Lean does what a TCP connection does, and the runtime polls it from the first wait on only.
func TestLean(t *testing.T) {
	here, there := slim(t)
	raw, fd := Socket(here)
	if here.RemoteAddr().String() != there.LocalAddr().String() || here.LocalAddr().String() != there.RemoteAddr().String() {
		t.Errorf("%v to %v", here.LocalAddr(), here.RemoteAddr())
	}
	buf := make([]byte, 8)
	if n, again, err := fd.Receive(buf); n != 0 || !again || err != nil {
		t.Errorf("nothing to receive: %d, %v, %v", n, again, err)
	}
	if err := here.SetDeadline(time.Time{}); err != nil || here.file != nil {
		t.Errorf("polled without need, %v", err)
	}
	got := make(chan string, 1)
	go func() {
		var n int
		err := raw.Read(func(uintptr) bool {
			var again bool
			n, again, _ = fd.Receive(buf)
			return !again
		})
		got <- string(buf[:n])
		if err != nil {
			t.Error(err)
		}
	}()
	mustWrite(t, there, "one")
	if s := <-got; s != "one" {
		t.Errorf("read %q", s)
	}
	mustWrite(t, here, "two")
	if n, err := there.Read(buf); err != nil || string(buf[:n]) != "two" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	_ = here.SetReadDeadline(time.Unix(1, 0))
	if _, err := here.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	_ = here.SetReadDeadline(time.Time{})
	if err := here.CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := there.Read(buf); !errors.Is(err, io.EOF) {
		t.Errorf("behind CloseWrite: %v", err)
	}
	mustWrite(t, there, "three")
	if n, err := here.Read(buf); err != nil || string(buf[:n]) != "three" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	_ = there.Close()
	if _, err := here.Read(buf); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func mustWrite(t *testing.T, nc net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(nc, text); err != nil {
		t.Error(err)
	}
}

// Close ends what waits, and everything fails afterwards.
func TestLeanClosed(t *testing.T) {
	for _, waits := range []bool{false, true} {
		here, there := slim(t)
		raw, _ := here.SyscallConn()
		ended := make(chan error, 1)
		if waits {
			_ = here.SetDeadline(time.Now().Add(patience))
			go func() {
				_, err := here.Read(make([]byte, 1))
				ended <- err
			}()
		}
		if err := here.Close(); err != nil {
			t.Error(err)
		}
		if waits {
			if err := <-ended; err == nil {
				t.Error("read behind Close")
			}
		}
		_, read := here.Read(make([]byte, 1))
		_, write := here.Write([]byte("x"))
		for what, err := range map[string]error{
			"Read": read, "Write": write, "Close": here.Close(), "CloseWrite": here.CloseWrite(),
			"SetDeadline": here.SetDeadline(time.Time{}), "RawConn": raw.Read(func(uintptr) bool { t.Error("called"); return true }),
		} {
			if !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := there.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the peer: %v", err)
		}
	}
}

// Thicken gives an ordinary connection back.
func TestThicken(t *testing.T) {
	here, there := slim(t)
	nc := here.Thicken()
	defer nc.Close()
	if _, ok := nc.(*net.TCPConn); !ok || nc.RemoteAddr().String() != there.LocalAddr().String() {
		t.Errorf("%T of %v", nc, nc.RemoteAddr())
	}
	mustWrite(t, nc, "hello")
	buf := make([]byte, 8)
	if n, err := there.Read(buf); err != nil || string(buf[:n]) != "hello" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	if err := here.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the Lean is not closed: %v", err)
	}
	if other, ok := Slim(wrapper{nc.(*net.TCPConn)}); ok {
		t.Errorf("a wrapper was slimmed: %v", other)
	}
}

// A read is refused once its deadline is over, whether or not there is something to read: so it is with what package net polls.
func TestLeanReadDeadline(t *testing.T) {
	here, there := slim(t)
	raw, fd := Socket(here)
	buf := make([]byte, 8)
	read := func() (n int, err error) {
		err = raw.Read(func(uintptr) bool {
			var again bool
			n, again, _ = fd.Receive(buf)
			return !again
		})
		return n, err
	}
	mustWrite(t, there, "in time, and late")
	if n, err := read(); n != len(buf) || err != nil {
		t.Errorf("without a deadline: %d bytes, %v", n, err)
	}
	if err := here.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if n, err := read(); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %d bytes, %v", n, err)
	}
	if err := here.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if n, err := read(); n == 0 || err != nil {
		t.Errorf("without a deadline again: %d bytes, %v", n, err)
	}
}
