package engineio

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// A poller waits for the bytes of all parked readers with one goroutine and
// one epoll instance, which itself waits in the runtime's. Sockets stay
// registered, edge-triggered, from their first park until they are closed, so
// parking costs no system call.
type poller struct {
	mu     sync.Mutex
	file   *os.File           // the epoll instance; nil before the first park and after close
	epfd   int                // its descriptor (File.Fd would make it block)
	parked map[int32]*parking // by descriptor
	done   chan struct{}      // closed when the goroutine has ended
	closed bool
}

func newPoller() *poller { return &poller{parked: make(map[int32]*parking)} }

// add registers the socket of k, whose reader runs or has parked already. It
// reports false where that is impossible: then the reader must wait for itself.
func (p *poller) add(k *parking, raw syscall.RawConn) bool {
	if raw == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil && (p.closed || p.startLocked() != nil) {
		return false
	}
	ok := false
	err := raw.Control(func(fd uintptr) {
		const events = syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLET&(1<<32-1)
		p.parked[int32(fd)] = k
		k.poller, k.fd = p, int32(fd)
		ev := syscall.EpollEvent{Events: events, Fd: int32(fd)}
		if syscall.EpollCtl(p.epfd, syscall.EPOLL_CTL_ADD, int(fd), &ev) != nil {
			delete(p.parked, int32(fd))
			k.poller = nil
			return
		}
		ok = true
	})
	return ok && err == nil
}

// remove forgets k. Closing its descriptor, which comes next, ends its
// registration.
func (p *poller) remove(k *parking) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.parked, k.fd)
}

// release is remove for a descriptor that somebody else will use.
func (p *poller) release(k *parking) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.parked, k.fd)
	if p.file != nil {
		_ = syscall.EpollCtl(p.epfd, syscall.EPOLL_CTL_DEL, int(k.fd), nil) // what is not there need not be removed
	}
}

func (p *poller) startLocked() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("make an epoll instance: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return fmt.Errorf("make the epoll instance pollable: %w", err)
	}
	p.epfd, p.file, p.done = fd, os.NewFile(uintptr(fd), "epoll"), make(chan struct{})
	raw, err := p.file.SyscallConn()
	if err != nil {
		_ = p.file.Close()
		p.file = nil
		return fmt.Errorf("wait for the epoll instance: %w", err)
	}
	go p.run(raw, p.done)
	return nil
}

// run starts readers until the poller is closed.
func (p *poller) run(raw syscall.RawConn, done chan<- struct{}) {
	defer close(done)
	var events [128]syscall.EpollEvent
	var n int
	wait := func(fd uintptr) bool {
		var err error
		n, err = syscall.EpollWait(int(fd), events[:], 0)
		return err == nil && n > 0
	}
	requests := readBuffers.Get().(*[readBuffer]byte)
	defer readBuffers.Put(requests)
	ready := make([]*parking, 0, len(events))
	for raw.Read(wait) == nil {
		p.mu.Lock()
		for _, ev := range events[:n] {
			if k := p.parked[ev.Fd]; k != nil {
				if ev.Events&^syscall.EPOLLIN != 0 {
					k.ending.Store(true)
				}
				ready = append(ready, k)
			}
		}
		p.mu.Unlock()
		for _, k := range ready {
			mine := k.unparked()
			switch fc := k.front.Load(); {
			case mine && fc != nil:
				fc.glance(requests[:])
			case mine:
				k.running.start(k.resume)
			case fc != nil && k.ending.Load():
				fc.ended()
			case fc != nil:
				fc.followed()
			}
		}
		clear(ready)
		ready = ready[:0]
	}
}

// close ends the goroutine and waits for it. Nothing is parked any more.
func (p *poller) close() {
	p.mu.Lock()
	file, done := p.file, p.done
	p.file, p.closed = nil, true
	p.mu.Unlock()
	if file != nil {
		_ = file.Close()
		<-done
	}
}
