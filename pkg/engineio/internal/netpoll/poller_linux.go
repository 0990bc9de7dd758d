package netpoll

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// A Poller waits for the bytes of all parked sockets with one goroutine and
// one epoll instance, which itself waits in the runtime's. Sockets stay
// registered, edge-triggered, from Add until they are closed, so parking costs no
// system call.
//
// If waiting fails, which should not happen, the Poller closes itself: readers
// without a Handler are started to wait on their own, Handlers are told.
type Poller struct {
	start  func(func()) // runs a reader on a goroutine
	ring   Ring         // by which what has come for many is received together; may be nil
	rounds sync.Pool    // of *round

	mu     sync.Mutex
	file   *os.File      // the epoll instance; nil before the first Add and after Close
	epfd   int           // its descriptor (File.Fd would make it block)
	parked []*Parking    // by descriptor; nil where none is
	done   chan struct{} // closed when the goroutine has ended
	closed bool
	fault  func() error // see Inject
}

// New returns a Poller that starts readers by start, which must not wait, and receives by ring where that takes it.
func New(start func(func()), ring Ring) *Poller {
	return &Poller{start: start, ring: ring}
}

// Inject lets tests see what becomes of parked sockets when waiting for them fails:
// fault is asked before each wait. It is to be called before the first Add.
func (p *Poller) Inject(fault func() error) { p.fault = fault }

// Add registers the socket of k, whose reader runs. It reports false where that is
// impossible: then the reader must wait for itself.
func (p *Poller) Add(k *Parking, raw syscall.RawConn) bool {
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
		if more := int(fd) + 1 - len(p.parked); more > 0 {
			p.parked = append(p.parked, make([]*Parking, more)...)
		}
		p.parked[fd] = k
		k.poller, k.fd = p, int32(fd)
		ev := syscall.EpollEvent{Events: events, Fd: int32(fd)}
		if syscall.EpollCtl(p.epfd, syscall.EPOLL_CTL_ADD, int(fd), &ev) != nil {
			p.parked[fd] = nil
			k.poller = nil
			return
		}
		ok = true
	})
	return ok && err == nil
}

// remove forgets k. Closing its descriptor, which comes next, ends its
// registration.
func (p *Poller) remove(k *Parking) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetLocked(k)
}

func (p *Poller) forgetLocked(k *Parking) {
	if p.atLocked(k.fd) == k {
		p.parked[k.fd] = nil
	}
}

// atLocked returns what is parked with a descriptor; there is nothing once the poller is closed.
func (p *Poller) atLocked(fd int32) *Parking {
	if int(fd) < len(p.parked) {
		return p.parked[fd]
	}
	return nil
}

// release is remove for a descriptor that somebody else will use.
func (p *Poller) release(k *Parking) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetLocked(k)
	if p.file != nil {
		_ = syscall.EpollCtl(p.epfd, syscall.EPOLL_CTL_DEL, int(k.fd), nil) // what is not there need not be removed
	}
}

func (p *Poller) startLocked() error {
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

// run dispatches until the poller is closed.
func (p *Poller) run(raw syscall.RawConn, done chan<- struct{}) {
	defer close(done)
	watch := newWatch()
	defer watch.close()
	var events [maxReady]syscall.EpollEvent
	var n int
	var failure error
	wait := func(fd uintptr) bool {
		n, failure = p.wait(int(fd), events[:])
		return failure != nil || n > 0
	}
	buf := make([]byte, BufferSize)
	ready := make([]wakeUp, 0, len(events))
	handled := make([]*Parking, 0, len(events))
	var in arrivals
	for raw.Read(wait) == nil {
		if failure != nil {
			p.abandon()
			return
		}
		watch.begin()
		ready = p.find(ready[:0], events[:n])
		r := p.newRound()
		handled = handled[:0]
		for _, w := range ready {
			switch woken, h := p.wake(w); {
			case woken && h == nil:
				r.add(w.k)
			case woken:
				handled = append(handled, w.k)
			case h != nil:
				(*h).Signaled(w.k.ending.Load())
			}
		}
		r.start()
		in.receive(p.ring, handled)
		for i, k := range handled {
			(*k.handler.Load()).Readable(in.of(i), buf)
		}
		clear(ready)
		clear(handled)
	}
}

// A wakeUp is what an event says of a socket.
type wakeUp struct {
	k      *Parking
	ending bool
}

// find appends the parkings that events name.
func (p *Poller) find(ready []wakeUp, events []syscall.EpollEvent) []wakeUp {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ev := range events {
		if k := p.atLocked(ev.Fd); k != nil {
			ready = append(ready, wakeUp{k, ev.Events&^syscall.EPOLLIN != 0})
		}
	}
	return ready
}

// wait returns the events that there are.
func (p *Poller) wait(epfd int, events []syscall.EpollEvent) (n int, err error) {
	if p.fault != nil {
		if err := p.fault(); err != nil {
			return 0, err
		}
	}
	for {
		n, err = epollOnce(epfd, events)
		if err != syscall.EINTR { //nolint:errorlint // a number of the system's
			return n, err //nolint:wrapcheck // nobody reads it
		}
	}
}

// epollOnce is epoll_wait(2) that does not wait, and of which the scheduler is not told: as quick wants it.
func epollOnce(epfd int, events []syscall.EpollEvent) (int, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epfd),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// wake reports whether the poller owns the socket now: it was parked. h is its Handler, which may be nil.
func (p *Poller) wake(w wakeUp) (woken bool, h *Handler) {
	if w.ending {
		w.k.ending.Store(true)
	}
	return w.k.wake(), w.k.handler.Load()
}

// abandon gives up all parked sockets, after waiting for them has failed.
func (p *Poller) abandon() {
	p.mu.Lock()
	parked := p.parked
	p.parked, p.closed = nil, true
	p.mu.Unlock()
	for _, k := range parked {
		if k != nil {
			k.orphan(p.start)
		}
	}
}

func (p *Poller) each(f func(*Parking)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.parked {
		if k != nil {
			f(k)
		}
	}
}

// Close ends the goroutine and waits for it. No socket may be parked any more.
func (p *Poller) Close() {
	p.mu.Lock()
	file, done := p.file, p.done
	p.file, p.closed = nil, true
	p.mu.Unlock()
	if file != nil {
		_ = file.Close()
		<-done
	}
}
