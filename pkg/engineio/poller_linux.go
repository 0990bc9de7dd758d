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
//
// Its goroutine only dispatches: it reads requests of up to readBuffer bytes, and
// answers what takes no more than lightWork; all else it starts on other goroutines.
// If waiting fails, which should not happen, the poller closes itself: parked readers
// are woken to wait on their own, and connections of the front are ended.
type poller struct {
	mu     sync.Mutex
	file   *os.File           // the epoll instance; nil before the first park and after close
	epfd   int                // its descriptor (File.Fd would make it block)
	parked map[int32]*parking // by descriptor
	done   chan struct{}      // closed when the goroutine has ended
	closed bool

	epollWait func(epfd int, events []syscall.EpollEvent, msec int) (int, error)
}

func newPoller() *poller {
	return &poller{parked: make(map[int32]*parking), epollWait: syscall.EpollWait}
}

// add registers the socket of k, whose reader runs or has parked already. It
// reports false where that is impossible: then the reader must wait for itself.
func (p *poller) add(k *parking, raw syscall.RawConn) bool {
	if raw == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.file == nil && p.startLocked() != nil {
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
	var failure error
	wait := func(fd uintptr) bool {
		n, failure = p.epollWait(int(fd), events[:], 0)
		for failure == syscall.EINTR {
			n, failure = p.epollWait(int(fd), events[:], 0)
		}
		return failure != nil || n > 0
	}
	requests := readBuffers.Get().(*[readBuffer]byte)
	defer readBuffers.Put(requests)
	ready := make([]wakeUp, 0, len(events))
	for raw.Read(wait) == nil {
		if failure != nil {
			p.abandon()
			return
		}
		ready = p.find(ready[:0], events[:n])
		for _, w := range ready {
			w.dispatch(requests[:])
		}
		clear(ready)
	}
}

// A wakeUp is what an event says of a parked reader.
type wakeUp struct {
	k      *parking
	ending bool
}

// find appends the parkings that events name.
func (p *poller) find(ready []wakeUp, events []syscall.EpollEvent) []wakeUp {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ev := range events {
		if k := p.parked[ev.Fd]; k != nil {
			ready = append(ready, wakeUp{k, ev.Events&^syscall.EPOLLIN != 0})
		}
	}
	return ready
}

// dispatch lets the reader go on.
func (w wakeUp) dispatch(requests []byte) {
	k := w.k
	if w.ending {
		k.ending.Store(true)
	}
	mine := k.unparked()
	switch fc := k.front.Load(); {
	case mine && fc != nil:
		fc.glance(requests)
	case mine:
		k.running.start(k.resume)
	case fc != nil && k.ending.Load():
		fc.ended()
	case fc != nil:
		fc.followed()
	}
}

// abandon gives up all parked readers, after waiting for them has failed.
func (p *poller) abandon() {
	p.mu.Lock()
	parked := p.parked
	p.parked, p.closed = make(map[int32]*parking), true
	p.mu.Unlock()
	for _, k := range parked {
		k.orphaned.Store(true)
		if !k.unparked() {
			continue // it runs, and sees that it is orphaned
		}
		if fc := k.front.Load(); fc != nil {
			fc.list.remove(fc)
			fc.close()
			continue
		}
		k.running.start(k.resume)
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
