//go:build linux

package uring

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Random schedules of a kernel that takes some, is interrupted, is short of memory and in
// the end refuses for good: every byte arrives once, in order, with a caller who sends
// himself what was not tried or not taken.
func TestRandomSchedules(t *testing.T) {
	openRing(t)
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 12))
			refuses := false
			runSchedule(t, rnd, poolOf(openRing(t), func(fd int, submit, wait uint32) syscall.Errno {
				if refuses = refuses || rnd.IntN(100) == 0; refuses {
					return syscall.EPERM
				}
				switch rnd.IntN(6) {
				case 0:
					return syscall.EINTR
				case 1:
					return syscall.EAGAIN
				case 2:
					return enter(fd, uint32(rnd.IntN(int(submit)+1)), 0)
				}
				return enter(fd, submit, wait)
			}))
		})
	}
}

func runSchedule(t *testing.T, rnd *rand.Rand, pool *Pool) {
	t.Helper()
	pipes := make([]pipe, 10)
	want, got := make([][]byte, len(pipes)), make([][]byte, len(pipes))
	for i := range pipes {
		pipes[i] = newPipe(t)
		_ = unix.SetsockoptInt(pipes[i].fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4096)
	}
	for round := range 12 {
		sends := make([]Send, len(pipes))
		for i, p := range pipes {
			data := bytes.Repeat(fmt.Appendf(nil, "%d/%d ", i, round), 1+rnd.IntN(1500))
			want[i] = append(want[i], data...)
			sends[i] = Send{FD: int32(p.fd), Data: data}
		}
		tried := pool.Send(sends)
		for i, s := range sends {
			if i < tried && s.Err != nil && s.Err != syscall.EAGAIN {
				t.Fatalf("send %d: %v", i, s.Err)
			}
			rest := s.Data
			if i < tried {
				rest = s.Data[s.N:]
			}
			got[i] = append(got[i], pipes[i].sendAll(t, rest)...)
		}
	}
	for i := range pipes {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("socket %d got %d bytes of %d, or others", i, len(got[i]), len(want[i]))
		}
	}
}

// sendAll sends in the ordinary way, and returns all that has arrived.
func (p pipe) sendAll(t *testing.T, rest []byte) []byte {
	t.Helper()
	got := p.received()
	for len(rest) > 0 {
		n, err := unix.Write(p.fd, rest)
		if err != nil && err != unix.EAGAIN {
			t.Fatal(err)
		}
		rest = rest[max(n, 0):]
		got = append(got, p.received()...)
	}
	return got
}
