//go:build linux

package uring

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// openRing returns a ring, or skips where there is none.
func openRing(t testing.TB) *ring {
	t.Helper()
	r, err := newRing(Batch)
	if err == nil {
		err = r.probe()
	}
	if err != nil {
		t.Skipf("io_uring is not to be had here: %v", err)
	}
	t.Cleanup(r.close)
	return r
}

// poolOf returns a pool of one ring, whose entering is done by enter.
func poolOf(r *ring, enter func(fd int, submit, wait uint32) syscall.Errno) *Pool {
	r.enter = enter
	return &Pool{idle: []*ring{r}, open: 1, max: 1}
}

// A pipe is two sockets: what is sent to fd arrives at peer.
type pipe struct{ fd, peer int }

func newPipe(t testing.TB) pipe {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) })
	return pipe{fds[0], fds[1]}
}

// received empties the pipe.
func (p pipe) received() []byte {
	var all []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(p.peer, buf)
		if n <= 0 || err != nil {
			return all
		}
		all = append(all, buf[:n]...)
	}
}

func (p pipe) fill(t testing.TB) {
	t.Helper()
	for {
		if _, err := unix.Write(p.fd, make([]byte, 4096)); err != nil {
			return
		}
	}
}

func TestSend(t *testing.T) {
	openRing(t)
	pool, err := Open(2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	pipes := make([]pipe, 3*Batch/2) // more than one call of the kernel takes
	sends := make([]Send, len(pipes))
	for i := range pipes {
		pipes[i] = newPipe(t)
		sends[i] = Send{FD: int32(pipes[i].fd), Data: []byte{byte(i), byte(i >> 8), 'x'}}
	}
	for range 3 {
		if n := pool.Send(sends); n != len(sends) {
			t.Fatalf("%d of %d sends were tried: %v", n, len(sends), pool.Err())
		}
	}
	for i, p := range pipes {
		if sends[i].Err != nil || sends[i].N != 3 {
			t.Errorf("send %d: %d bytes, %v", i, sends[i].N, sends[i].Err)
		}
		if got, want := p.received(), bytes.Repeat(sends[i].Data, 3); !bytes.Equal(got, want) {
			t.Errorf("socket %d got %q, want %q", i, got, want)
		}
	}
}

func TestReceive(t *testing.T) {
	openRing(t)
	pool, err := Open(1)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	pipes := make([]pipe, Batch+10)
	rooms := make([]Receive, len(pipes))
	for i := range pipes {
		pipes[i] = newPipe(t)
		rooms[i] = Receive{FD: int32(pipes[i].peer), Data: make([]byte, 4)}
		if _, err := unix.Write(pipes[i].fd, []byte{byte(i), byte(i >> 8), 'x', 'y', 'z'}); err != nil {
			t.Fatal(err)
		}
	}
	nothing, ended := newPipe(t), newPipe(t)
	unix.Shutdown(ended.fd, unix.SHUT_WR)
	for _, fd := range []int{nothing.peer, ended.peer, -1} {
		rooms = append(rooms, Receive{FD: int32(fd), Data: make([]byte, 4)})
	}
	if n := pool.Receive(rooms); n != len(rooms) {
		t.Fatalf("%d of %d were tried: %v", n, len(rooms), pool.Err())
	}
	for i := range pipes {
		if want := []byte{byte(i), byte(i >> 8), 'x', 'y'}; rooms[i].Err != nil || rooms[i].N != 4 || !bytes.Equal(rooms[i].Data, want) {
			t.Errorf("from %d came %q, want %q: %+v", i, rooms[i].Data, want, rooms[i])
		}
	}
	last := rooms[len(pipes):]
	if last[0].Err != syscall.EAGAIN || last[1].Err != nil || last[1].N != 0 || last[2].Err != syscall.EBADF {
		t.Errorf("nothing there, the end, no socket: %+v", last)
	}
}

// The scheduler is not told of short calls, which therefore never wait; what is not answered then is waited for as
// long calls are.
func TestQuickCallsNeverWait(t *testing.T) {
	for _, tt := range []struct{ sends, bytes, quick, long int }{ // calls
		{1, 1, 1, 0},
		{quickSends, quickBytes / quickSends, 1, 0},
		{quickSends, quickBytes/quickSends + 1, 0, 1},
		{2*quickSends + 1, 10, 3, 0},
		{1, quickBytes + 1, 0, 1},
		{Batch + 1, quickBytes / 8, 1, 1}, // the last one is short
	} {
		r := openRing(t)
		var quick, long int
		pool := poolOf(r, func(fd int, submit, wait uint32) syscall.Errno {
			switch {
			case r.quick && wait == 0:
				quick++
			case !r.quick && wait == submit:
				long++
			default:
				t.Errorf("%d sends, quick %v, wait for %d", submit, r.quick, wait)
			}
			return enter(fd, submit, wait)
		})
		sends, p := make([]Send, tt.sends), newPipe(t)
		for i := range sends {
			sends[i] = Send{FD: int32(p.fd), Data: make([]byte, tt.bytes)}
		}
		if n := pool.Send(sends); n != tt.sends || quick != tt.quick || long != tt.long {
			t.Errorf("%d sends of %d bytes: %d tried, %d quick calls and %d long, want %d and %d", tt.sends, tt.bytes, n, quick, long, tt.quick, tt.long)
		}
	}

	r, calls := openRing(t), 0
	pool := poolOf(r, func(fd int, submit, wait uint32) syscall.Errno {
		if calls++; calls > 1 {
			if r.quick || wait != 1 {
				t.Errorf("call %d: quick %v, wait for %d", calls, r.quick, wait)
			}
			*r.cqTail++ // now it is answered
			return 0
		}
		errno := enter(fd, submit, wait)
		*r.cqTail--
		return errno
	})
	p := newPipe(t)
	sends := []Send{{FD: int32(p.fd), Data: []byte("a")}, {FD: int32(p.fd), Data: []byte("b")}}
	if n := pool.Send(sends); n != 2 || calls != 2 || sends[1].Err != nil || sends[1].N != 1 {
		t.Errorf("%d were tried in %d calls, %v", n, calls, sends[1].Err)
	}
}

// Each trouble of a socket is that socket's alone: the neighbours in the ring get theirs.
func TestTroubleOfOneSocket(t *testing.T) {
	for _, tt := range []struct {
		name   string
		breaks func(t *testing.T, s *Send) // before the kernel is entered, with the entry in the ring
		check  func(s Send) bool
	}{
		{"takes nothing now", func(t *testing.T, s *Send) { pipe{fd: int(s.FD)}.fill(t) },
			func(s Send) bool { return s.Err == syscall.EAGAIN }},
		{"takes a part", func(t *testing.T, s *Send) {
			s.Data = make([]byte, 8<<20)
		}, func(s Send) bool { return s.Err == nil && s.N > 0 && s.N < len(s.Data) }},
		{"was closed by the peer", func(t *testing.T, s *Send) { unix.Shutdown(int(s.FD), unix.SHUT_WR) },
			func(s Send) bool { return s.Err == syscall.EPIPE }},
		{"was reset by the peer", func(t *testing.T, s *Send) { s.FD = resetSocket(t) },
			func(s Send) bool { return s.Err == syscall.ECONNRESET || s.Err == syscall.EPIPE }},
		{"is no socket", func(t *testing.T, s *Send) { s.FD = -1 },
			func(s Send) bool { return s.Err == syscall.EBADF }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, broken, after := newPipe(t), newPipe(t), newPipe(t)
			sends := []Send{
				{FD: int32(before.fd), Data: []byte("before")},
				{FD: int32(broken.fd), Data: []byte("broken")},
				{FD: int32(after.fd), Data: []byte("after")},
			}
			tt.breaks(t, &sends[1])
			pool := poolOf(openRing(t), enter)
			if n := pool.Send(sends); n != 3 || pool.Err() != nil {
				t.Fatalf("%d sends were tried, %v", n, pool.Err())
			}
			if !tt.check(sends[1]) {
				t.Errorf("the broken one: %d bytes, %v", sends[1].N, sends[1].Err)
			}
			if got := string(before.received()) + string(after.received()); got != "beforeafter" {
				t.Errorf("the neighbours got %q", got)
			}
		})
	}
}

// A descriptor that is closed while its entry is in the ring is an error of that send.
func TestDescriptorClosedInTheRing(t *testing.T) {
	a, b, c := newPipe(t), newPipe(t), newPipe(t)
	fd, err := unix.Dup(b.fd)
	if err != nil {
		t.Fatal(err)
	}
	pool := poolOf(openRing(t), func(ring int, submit, wait uint32) syscall.Errno {
		_ = unix.Close(fd)
		return enter(ring, submit, wait)
	})
	sends := []Send{{FD: int32(a.fd), Data: []byte("a")}, {FD: int32(fd), Data: []byte("b")}, {FD: int32(c.fd), Data: []byte("c")}}
	if n := pool.Send(sends); n != 3 {
		t.Fatalf("%d sends were tried", n)
	}
	if sends[1].Err != syscall.EBADF || sends[0].Err != nil || sends[2].Err != nil {
		t.Errorf("the results are %v, %v, %v", sends[0].Err, sends[1].Err, sends[2].Err)
	}
	if got := string(a.received()) + string(b.received()) + string(c.received()); got != "ac" {
		t.Errorf("the sockets got %q", got)
	}
}

// resetSocket is a TCP socket whose peer has reset the connection.
func resetSocket(t *testing.T) int32 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	_ = client.(*net.TCPConn).SetLinger(0)
	_ = client.Close()
	raw, err := server.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var fd int32
	_ = raw.Read(func(d uintptr) bool { // waits for the reset, which Peek leaves there
		fd = int32(d)
		var events = []unix.PollFd{{Fd: fd, Events: unix.POLLRDHUP}}
		n, _ := unix.Poll(events, 0)
		return n > 0
	})
	return fd
}

// A completion queue that is full of others' completions loses none.
func TestFullCompletionQueue(t *testing.T) {
	r := openRing(t)
	for range len(r.completions) / len(r.entries) { // NOPs, which nobody collects
		first := *r.sqHead
		for i := range r.entries {
			r.entries[(first+uint32(i))&uint32(len(r.entries)-1)] = entry{userData: 1 << 60}
		}
		*r.sqTail = first + uint32(len(r.entries))
		if errno := enter(r.fd, uint32(len(r.entries)), 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	if n := *r.cqTail - *r.cqHead; n != uint32(len(r.completions)) {
		t.Fatalf("the queue has %d completions of %d", n, len(r.completions))
	}
	p := newPipe(t)
	sends := make([]Send, Batch)
	for i := range sends {
		sends[i] = Send{FD: int32(p.fd), Data: []byte{byte(i)}}
	}
	pool := poolOf(r, enter)
	n := pool.Send(sends)
	if err := pool.Err(); err != nil {
		t.Fatal(err)
	}
	n += pool.Send(sends[n:]) // some kernels refuse until the queue has room
	if got := p.received(); n != Batch || len(got) != Batch || got[Batch-1] != Batch-1 {
		t.Errorf("%d sends were tried, %d bytes arrived", n, len(got))
	}
}

// What a kernel that begins to refuse has taken is answered, and what it has not taken
// never leaves by the ring: the caller may send it.
func TestRefusalInTheMiddle(t *testing.T) {
	const taken = 5
	for _, tt := range []struct {
		errno syscall.Errno
		tried int
		off   bool
	}{
		{syscall.ENOSYS, taken, true}, {syscall.EPERM, taken, true}, {syscall.EBADF, taken, true}, {syscall.EINVAL, taken, true},
		{syscall.EBUSY, taken, false}, {syscall.EAGAIN, taken, false}, {syscall.ENOMEM, taken, false},
		{syscall.EINTR, 8, false},
	} {
		t.Run(tt.errno.Error(), func(t *testing.T) {
			calls := 0
			pool := poolOf(openRing(t), func(fd int, submit, wait uint32) syscall.Errno {
				switch calls++; calls {
				case 1:
					return enter(fd, taken, 0)
				case 2:
					return tt.errno
				}
				return enter(fd, submit, wait)
			})
			p := newPipe(t)
			sends := make([]Send, 8)
			for i := range sends {
				sends[i] = Send{FD: int32(p.fd), Data: []byte{'0' + byte(i)}}
			}
			n := pool.Send(sends)
			if n != tt.tried || (pool.Err() != nil) != tt.off {
				t.Errorf("%d were tried, then %v", n, pool.Err())
			}
			if off := pool.Send(sends[n:]) == 0 && n < len(sends); off != tt.off {
				t.Errorf("out of use: %v", off)
			}
			if got, want := string(p.received()), "01234567"; tt.off && got != want[:n] || !tt.off && got != want {
				t.Errorf("%q arrived", got)
			}
		})
	}
}

// A kernel that takes sends and does not answer, which must not happen, leaves no send in
// doubt: those are told apart.
func TestUnanswered(t *testing.T) {
	r := openRing(t)
	pool := poolOf(r, func(fd int, submit, wait uint32) syscall.Errno {
		if submit == 0 {
			return syscall.EPERM
		}
		errno := enter(fd, submit, wait)
		*r.cqTail-- // as if the last one were under way
		return errno
	})
	p := newPipe(t)
	sends := []Send{{FD: int32(p.fd), Data: []byte("a")}, {FD: int32(p.fd), Data: []byte("b")}}
	if n := pool.Send(sends); n != 2 || !errors.Is(pool.Err(), ErrUnanswered) {
		t.Errorf("%d were tried, then %v", n, pool.Err())
	}
	if sends[0].Err != nil || !errors.Is(sends[1].Err, ErrUnanswered) {
		t.Errorf("the results are %v and %v", sends[0].Err, sends[1].Err)
	}
	data := &sends[1].Data[0]
	if clear(sends); len(pool.unanswered) != 1 || &pool.unanswered[0][1].Data[0] != data {
		t.Error("what the kernel may still look at is free for others")
	}
}

// More goroutines than rings, and a Close in the midst of them.
func TestConcurrentUse(t *testing.T) {
	openRing(t)
	pool, err := Open(2)
	if err != nil {
		t.Fatal(err)
	}
	var users sync.WaitGroup
	for range 8 {
		p := newPipe(t)
		users.Go(func() {
			for i := range 200 {
				s := []Send{{FD: int32(p.fd), Data: []byte{byte(i)}}}
				if pool.Send(s) == 1 && (s[0].N != 1 || !bytes.Equal(p.received(), s[0].Data)) {
					t.Errorf("%d bytes, %v", s[0].N, s[0].Err)
				}
			}
		})
	}
	users.Go(pool.Close)
	users.Wait()
	pool.Close()
	if pool.open != 0 || pool.Send([]Send{{}}) != 0 {
		t.Errorf("%d rings are open after Close", pool.open)
	}
}

func TestNoPool(t *testing.T) {
	var pool *Pool
	if pool.Send([]Send{{}}) != 0 || !errors.Is(pool.Err(), errors.ErrUnsupported) {
		t.Error("a nil pool takes something")
	}
	pool.Close()
}
