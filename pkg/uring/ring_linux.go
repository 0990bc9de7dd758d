package uring

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From <linux/io_uring.h>, see io_uring_setup(2) and io_uring_enter(2).
const (
	opSend = 26
	opRecv = 27

	offsetRings   = 0
	offsetEntries = 0x10000000

	enterGetEvents = 1

	featSingleMmap = 1 << 0 // one mapping for both queues (Linux 5.4)
	featNoDrop     = 1 << 1 // a full completion queue loses nothing (5.5)
)

// entry is struct io_uring_sqe.
type entry struct {
	opcode, flags uint8
	ioprio        uint16
	fd            int32
	off           uint64
	addr          uint64
	length        uint32
	msgFlags      uint32
	userData      uint64
	_             [3]uint64
}

// completion is struct io_uring_cqe.
type completion struct {
	userData uint64
	result   int32
	flags    uint32
}

// params is struct io_uring_params.
type params struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFD uint32

	_  [3]uint32
	sq struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
}

// A ring is one io_uring, used by one goroutine at a time.
type ring struct {
	fd             int
	queues, memory []byte // mapped: both queues, and the entries

	entries        []entry
	completions    []completion
	sqHead, sqTail *uint32 // the kernel moves the head, we the tail
	cqHead, cqTail *uint32 // the other way round
	quick          bool    // the scheduler is not told of the next call, which does not wait: see split
	batch          uint32  // number of the batch that is sent: tells its completions from others

	enter func(fd int, submit, wait uint32) syscall.Errno
}

func newRing(size uint32) (*ring, error) {
	var p params
	fd, _, errno := syscall.Syscall(unix.SYS_IO_URING_SETUP, uintptr(size), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	r := &ring{fd: int(fd)}
	r.enter = r.call
	if err := r.mapQueues(&p); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *ring) mapQueues(p *params) (err error) {
	if p.features&featSingleMmap == 0 || p.features&featNoDrop == 0 {
		return fmt.Errorf("io_uring of a kernel before 5.5: %w", errors.ErrUnsupported)
	}
	const mode, how = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	size := max(p.sq.array+p.sqEntries*4, p.cq.cqes+p.cqEntries*uint32(unsafe.Sizeof(completion{})))
	if r.queues, err = unix.Mmap(r.fd, offsetRings, int(size), mode, how); err != nil {
		return fmt.Errorf("map the queues of an io_uring: %w", err)
	}
	size = p.sqEntries * uint32(unsafe.Sizeof(entry{}))
	if r.memory, err = unix.Mmap(r.fd, offsetEntries, int(size), mode, how); err != nil {
		return fmt.Errorf("map the entries of an io_uring: %w", err)
	}
	at := func(offset uint32) unsafe.Pointer { return unsafe.Pointer(&r.queues[offset]) }
	r.entries = unsafe.Slice((*entry)(unsafe.Pointer(&r.memory[0])), p.sqEntries)
	r.completions = unsafe.Slice((*completion)(at(p.cq.cqes)), p.cqEntries)
	r.sqHead, r.sqTail = (*uint32)(at(p.sq.head)), (*uint32)(at(p.sq.tail))
	r.cqHead, r.cqTail = (*uint32)(at(p.cq.head)), (*uint32)(at(p.cq.tail))
	places := unsafe.Slice((*uint32)(at(p.sq.array)), p.sqEntries)
	for i := range places {
		places[i] = uint32(i) // each place in the queue has its entry
	}
	return nil
}

// close frees the ring. The kernel waits for what is in it.
func (r *ring) close() {
	if r.queues != nil {
		_ = unix.Munmap(r.queues)
	}
	if r.memory != nil {
		_ = unix.Munmap(r.memory)
	}
	_ = unix.Close(r.fd)
}

func (r *ring) call(fd int, submit, wait uint32) syscall.Errno {
	if !r.quick {
		return enter(fd, submit, wait)
	}
	_, _, errno := syscall.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(fd), uintptr(submit), uintptr(wait), enterGetEvents, 0, 0)
	return errno
}

// enter is a call that the scheduler knows of: 256 sends take the better part of a
// millisecond, for which neither a collection nor a goroutine should have to wait.
func enter(fd int, submit, wait uint32) syscall.Errno {
	_, _, errno := syscall.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(fd), uintptr(submit), uintptr(wait), enterGetEvents, 0, 0)
	return errno
}

func (r *ring) send(sends []Send, quick bool) (tried int, err error) {
	r.quick = quick
	return r.transfer(opSend, sends)
}

func (r *ring) receive(rooms []Receive, quick bool) (tried int, err error) {
	r.quick = quick
	return r.transfer(opRecv, rooms)
}

// transfer tries as many of the sends, or receives, of which there are no more than entries,
// as the kernel takes, the first ones. After an error that does not pass, the ring must not
// be used again.
func (r *ring) transfer(opcode uint8, sends []Send) (tried int, err error) {
	publish()
	r.batch++
	first := atomic.LoadUint32(r.sqHead)
	for i := range sends {
		r.fill(opcode, first+uint32(i), uint32(i), &sends[i])
	}
	submitted, consumed, answered := uint32(len(sends)), uint32(0), uint32(0)
	atomic.StoreUint32(r.sqTail, first+submitted)
	for answered < submitted {
		wait := submitted - answered
		if r.quick { // as a rule all is answered when it has been taken
			wait = 0
		}
		errno := r.enter(r.fd, submitted-consumed, wait)
		r.quick = false
		before := consumed
		consumed = atomic.LoadUint32(r.sqHead) - first
		n, some := r.collect(sends)
		answered += n
		switch {
		case errno == syscall.EINTR || some || consumed > before: // an error that stays comes again
		case consumed < submitted: // withdraw what was not taken, and wait for the rest
			submitted, err = consumed, fmt.Errorf("io_uring_enter: %w", errno)
			atomic.StoreUint32(r.sqTail, first+submitted)
		default:
			return int(consumed), fmt.Errorf("%w: io_uring_enter: %v", ErrUnanswered, errno)
		}
	}
	runtime.KeepAlive(sends) // until here the kernel read, or wrote, what they point to
	return int(consumed), err
}

func (r *ring) fill(opcode uint8, place, index uint32, s *Send) {
	s.N, s.Err = 0, ErrUnanswered
	r.entries[place&uint32(len(r.entries)-1)] = entry{
		opcode: opcode, fd: s.FD,
		addr: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(s.Data)))), length: uint32(len(s.Data)),
		msgFlags: unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL,
		userData: uint64(r.batch)<<32 | uint64(index),
	}
}

// collect empties the completion queue. It returns how many sends of this batch were
// answered, and whether anything was there.
func (r *ring) collect(sends []Send) (answered uint32, some bool) {
	head, tail := atomic.LoadUint32(r.cqHead), atomic.LoadUint32(r.cqTail)
	for some = head != tail; head != tail; head++ {
		c := r.completions[head&uint32(len(r.completions)-1)]
		if uint32(c.userData>>32) != r.batch {
			continue // not of ours
		}
		s := &sends[uint32(c.userData)]
		if s.Err = nil; c.result < 0 {
			s.Err = syscall.Errno(-c.result)
		} else {
			s.N = int(c.result)
		}
		answered++
	}
	atomic.StoreUint32(r.cqHead, head)
	return answered, some
}

// passes tells whether a refusal is a matter of the moment.
func passes(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.ENOMEM)
}

// probe sends for real, to a socket with room and to one without: both must be answered
// while the kernel is entered, the second with "not now". Then it receives what was sent, all
// of it, and nothing where nothing has come: whatever guards the kernel may let pass the one and not the other.
func (r *ring) probe() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("a socket to try io_uring with: %w", err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	full := r.enter
	defer func() { r.enter = full }()
	r.enter = func(fd int, submit, _ uint32) syscall.Errno { return full(fd, submit, 0) } // never waits
	sent, err := untilAgain("a send", pair[0], r.send)
	if err != nil {
		return err
	}
	received, err := untilAgain("a receive", pair[1], r.receive)
	if err == nil && sent != received {
		err = fmt.Errorf("io_uring sent %d bytes and received %d: %w", sent, received, errors.ErrUnsupported)
	}
	return err
}

// untilAgain repeats a transfer until the socket answers "not now", and returns how many bytes it were.
func untilAgain(what string, fd int, transfer func([]Send, bool) (int, error)) (bytes int, err error) {
	data := make([]byte, 64<<10)
	for {
		s := []Send{{FD: int32(fd), Data: data}}
		switch _, err := transfer(s, false); {
		case err != nil:
			return 0, fmt.Errorf("%s by io_uring: %w", what, err)
		case s[0].Err == syscall.EAGAIN && bytes > 0:
			return bytes, nil
		case s[0].Err != nil || s[0].N == 0:
			return 0, fmt.Errorf("%s by io_uring: %d bytes, %w", what, s[0].N, cmp.Or(s[0].Err, errors.ErrUnsupported))
		default:
			bytes += s[0].N
		}
	}
}
