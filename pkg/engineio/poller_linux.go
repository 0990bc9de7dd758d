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
	file   *os.File               // the epoll instance; nil before the first park and after close
	epfd   int                    // its descriptor (File.Fd would make it block)
	parked map[int32]*wsTransport // by descriptor
	done   chan struct{}          // closed when the goroutine has ended
	closed bool
}

func newPoller() *poller { return &poller{parked: make(map[int32]*wsTransport)} }

// add registers t, whose reader runs. It reports false where that is impossible:
// then the reader must wait for itself.
func (p *poller) add(t *wsTransport) bool {
	if t.raw == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil && (p.closed || p.startLocked() != nil) {
		return false
	}
	ok := false
	err := t.raw.Control(func(fd uintptr) {
		const events = syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLET&(1<<32-1)
		p.parked[int32(fd)] = t
		ev := syscall.EpollEvent{Events: events, Fd: int32(fd)}
		if syscall.EpollCtl(p.epfd, syscall.EPOLL_CTL_ADD, int(fd), &ev) != nil {
			delete(p.parked, int32(fd))
			return
		}
		t.parking.poller, t.parking.fd = p, int32(fd)
		ok = true
	})
	return ok && err == nil
}

// remove forgets t. Closing its descriptor, which comes next, ends its
// registration.
func (p *poller) remove(t *wsTransport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.parked, t.parking.fd)
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
	ready := make([]*wsTransport, 0, len(events))
	for raw.Read(wait) == nil {
		p.mu.Lock()
		for _, ev := range events[:n] {
			if t := p.parked[ev.Fd]; t != nil {
				if ev.Events&^syscall.EPOLLIN != 0 {
					t.parking.ending.Store(true)
				}
				ready = append(ready, t)
			}
		}
		p.mu.Unlock()
		for _, t := range ready {
			t.unpark()
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
