//go:build linux

package netpoll

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := tcp.(*net.TCPListener).SyscallConn()
	_ = raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 77) })
	l := Listen(tcp)
	if l == tcp || err != nil {
		t.Fatal("not a listener for Leans", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// What is accepted is a Lean, has the options of its listener, sends without delay, and is nobody else's.
func TestListen(t *testing.T) {
	l := listen(t)
	for range 3 {
		there := dial(t, l)
		nc := accept(t, l)
		here, ok := nc.(*Lean)
		if !ok || here.RemoteAddr().String() != there.LocalAddr().String() {
			t.Fatalf("accepted a %T of %v", nc, nc.RemoteAddr())
		}
		_ = here.Control(func(fd uintptr) {
			delay, _ := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
			idle, _ := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
			if delay == 0 || idle != 77 {
				t.Errorf("options: no delay %d, asked after %d s", delay, idle)
			}
		})
		if _, _, err := here.fd.Receive(make([]byte, 1)); err != nil {
			t.Errorf("a read would wait: %v", err)
		}
		mustWrite(t, there, "hello")
		b := make([]byte, 5)
		if _, err := io.ReadFull(here, b); err != nil || string(b) != "hello" {
			t.Errorf("read %q, %v", b, err)
		}
	}
}

// A peer that has reset before anybody asked has its address all the same: it is counted by that.
func TestListenReset(t *testing.T) {
	l := listen(t)
	there := dial(t, l).(*net.TCPConn)
	_ = there.SetLinger(0)
	_ = there.Close()
	if here := accept(t, l); here.RemoteAddr().String() != there.LocalAddr().String() {
		t.Errorf("accepted from %v, want %v", here.RemoteAddr(), there.LocalAddr())
	}
}

// Only TCP of package net is replaced.
func TestListenElsewhere(t *testing.T) {
	unix, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	if Listen(unix) != unix {
		t.Error("a Unix socket's was replaced")
	}
	if l := listen(t); Listen(l) != l {
		t.Error("replaced twice")
	}
}

// Close ends an Accept that waits, and frees the port.
func TestListenClose(t *testing.T) {
	l := listen(t)
	ended := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	_, after := l.Accept()
	for _, err := range []error{<-ended, after} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
	}
	_ = l.Close()
	again, err := net.Listen("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

// A process that has no descriptor left is told so by an error that passes: net/http waits then, and accepts again.
func TestListenWithoutDescriptors(t *testing.T) {
	l := listen(t)
	dial(t, l)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 0, Max: limit.Max}); err != nil {
		t.Skip("no limit may be set:", err)
	}
	_, err := l.Accept()
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	var passes net.Error
	if !errors.As(err, &passes) || !passes.Temporary() || !errors.Is(err, syscall.EMFILE) { //nolint:staticcheck // net/http asks this
		t.Errorf("without a descriptor: %v", err)
	}
	accept(t, l)
}
