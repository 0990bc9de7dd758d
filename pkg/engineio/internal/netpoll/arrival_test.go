//go:build linux

package netpoll

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"

	"socketio-chat/pkg/uring"
)

// A fakeRing does with one socket what a test wants, and leaves out those behind it.
type fakeRing func(*uring.Receive)

func (f fakeRing) Receive(rooms []uring.Receive) int {
	f(&rooms[0])
	return 1
}

func (fakeRing) Err() error { return nil }

// What has been received before is what the owner reads first, and behind it is what the socket has; nothing is
// read behind an error.
func TestArrival(t *testing.T) {
	receive := func(r *uring.Receive) { r.N, r.Err = receiveOnce(r.FD, r.Data) }
	fail := func(err error) func(*uring.Receive) { return func(r *uring.Receive) { r.Err = err } }
	long := bytes.Repeat([]byte("0123456789abcdef"), roomSize/8) // twice a room
	for _, tt := range []struct {
		name  string
		comes string
		ends  bool
		ring  func(*uring.Receive)
		want  []string // of each read; "" is nothing yet
		err   error    // of the last
	}{
		{name: "bytes", comes: "hello", ring: receive, want: []string{"hello", ""}},
		{name: "nothing yet", ring: receive, want: []string{"", ""}},
		{name: "bytes, and the ring would not wait", comes: "hello", ring: fail(syscall.EAGAIN), want: []string{"", "hello"}},
		{name: "a signal", comes: "hello", ring: fail(syscall.EINTR), want: []string{"hello", ""}},
		{name: "a ring that may not receive", comes: "hello", ring: fail(syscall.EPERM), want: []string{"hello", ""}},
		{name: "no memory, and the end", ends: true, ring: fail(syscall.ENOMEM), err: io.EOF},
		{name: "a full room", comes: string(long[:roomSize]), ring: receive, want: []string{string(long[:roomSize]), ""}},
		{name: "more than a room has", comes: string(long[:roomSize+1]), ring: receive, want: []string{string(long[:roomSize+1]), ""}},
		{name: "the end", ends: true, ring: receive, err: io.EOF},
		{name: "bytes and the end", comes: "bye", ends: true, ring: receive, want: []string{"bye"}, err: io.EOF},
		{name: "a full room and the end", comes: string(long[:roomSize]), ends: true, ring: receive, want: []string{string(long[:roomSize])}, err: io.EOF},
		{name: "a reset", comes: "hello", ring: fail(syscall.ECONNRESET), err: syscall.ECONNRESET},
		{name: "unanswered", comes: "hello", ring: fail(uring.ErrUnanswered), err: uring.ErrUnanswered},
	} {
		t.Run(tt.name, func(t *testing.T) {
			here, there := pair(t, "unix", t.TempDir()+"/s") // what is written can be read at once
			_, fd := Socket(here)
			mustWrite(t, there, tt.comes)
			if tt.ends {
				_ = there.Close()
			}
			k := &Parking{fd: int32(fd)}
			var all arrivals
			all.receive(fakeRing(tt.ring), []*Parking{k, k, k})
			if next := all.of(1); next.some {
				t.Error("what the ring left out has arrived")
			}
			in, buf := all.of(0), make([]byte, BufferSize)
			for i, want := range tt.want {
				if n, again, err := in.Receive(fd, buf); err != nil || string(buf[:n]) != want || again != (want == "") {
					t.Errorf("read %d: %q, %v, %v, want %q", i, buf[:n], again, err, want)
				}
			}
			for range 2 {
				n, again, err := in.Receive(fd, buf)
				switch {
				case tt.err == nil && !again, tt.err == io.EOF && (n > 0 || again || err != nil), tt.err != io.EOF && !errors.Is(err, tt.err):
					t.Errorf("at last: %q, %v, %v, want %v", buf[:n], again, err, tt.err)
				}
			}
		})
	}
}

// The ring is not worth it for two, and is not asked when it is out of use.
func TestArrivalsWithoutRing(t *testing.T) {
	ks := []*Parking{{}, {}, {}}
	never := fakeRing(func(*uring.Receive) { t.Error("asked") })
	var all arrivals
	all.receive(never, ks[:receiveFrom-1])
	all.receive(nil, ks)
	all.receive(offRing{never}, ks)
	for i := range ks {
		if all.of(i).some {
			t.Errorf("%d has arrived", i)
		}
	}
}

type offRing struct{ fakeRing }

func (offRing) Err() error { return errors.ErrUnsupported }
