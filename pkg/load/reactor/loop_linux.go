package reactor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"socketio-chat/pkg/uring"
)

const (
	// readSize is how much the shared buffer takes at first: a loaded server's socket holds a few 100 KB.
	readSize = 256 << 10
	// MaxUnconsumed is the largest message, in bytes, that a handler may leave for later.
	MaxUnconsumed = 8 << 20
	// MaxQueued is how many bytes may wait for a peer that does not read.
	MaxQueued = 4 << 20

	eventsAtOnce = 512
	// readsInARow bounds how long one connection may keep the others waiting.
	readsInARow = 8

	never = time.Duration(1<<63 - 1)
)

// Loop waits for many connections at once. Make it with NewLoop.
type Loop struct {
	// Static after NewLoop.
	epoch   time.Time
	epollFD int
	timerFD int
	wakeFD  int

	// Owned by Run.
	conns  []*Conn // by file descriptor
	buf    []byte
	batch  batch
	unread []*Conn // stopped after readsInARow, with more to read
	tick   func(now time.Duration) (next time.Duration)
	nextAt time.Duration // when tick wants to be called
	armed  time.Duration // what the timer is set to
	after  func()
	dialed int32 // connections so far

	mu     sync.Mutex
	todo   []func() // guarded by mu
	closed bool     // guarded by mu: no more todo is taken
}

// NewLoop makes a loop whose clock starts at epoch. tick is called on the loop when the time it returned last has come
// (at the start, at once); a negative time means never. after is called after every round of events. Both may be nil.
func NewLoop(epoch time.Time, tick func(now time.Duration) (next time.Duration), after func()) (*Loop, error) {
	l := &Loop{epoch: epoch, tick: tick, after: after, buf: make([]byte, readSize), armed: never, nextAt: never, batch: newBatch()}
	if tick != nil {
		l.nextAt = 0
	}
	var err1, err2, err3 error
	l.epollFD, err1 = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	l.timerFD, err2 = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	l.wakeFD, err3 = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	err := errors.Join(err1, err2, err3)
	if err == nil {
		err = errors.Join(l.watch(l.timerFD, unix.EPOLLIN, 0), l.watch(l.wakeFD, unix.EPOLLIN, 0))
	}
	if err != nil {
		l.closeFDs()
		return nil, fmt.Errorf("set up epoll: %w", err)
	}
	return l, nil
}

// Now is the time since the loop's epoch.
func (l *Loop) Now() time.Duration { return time.Since(l.epoch) }

// Do has f called on the loop, soon. It reports false when the loop has ended or is about to, and f is not called.
func (l *Loop) Do(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.todo = append(l.todo, f)
	if len(l.todo) == 1 {
		// Fails only when the counter is full of earlier wakes, and then the loop is awake anyway.
		_, _ = unix.Write(l.wakeFD, binary.NativeEndian.AppendUint64(nil, 1))
	}
	return true
}

// Run serves the connections until ctx ends. It returns nil then, or the error that made epoll fail.
func (l *Loop) Run(ctx context.Context) error {
	stopping := false
	stop := context.AfterFunc(ctx, func() { l.Do(func() { stopping = true }) })
	defer stop()
	defer l.shutDown()
	events := make([]unix.EpollEvent, eventsAtOnce)
	for !stopping {
		wait := -1
		if len(l.unread) > 0 || l.nextAt <= l.Now() {
			wait = 0
		} else if err := l.arm(); err != nil {
			return err
		}
		n, err := unix.EpollWait(l.epollFD, events, wait)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("wait for connections: %w", err)
		}
		l.round(events[:max(n, 0)])
	}
	return nil
}

// round handles what one wait brought, with the pacing tick called in between whenever it is due.
func (l *Loop) round(events []unix.EpollEvent) {
	again := l.unread
	l.unread = nil
	l.tickIfDue(l.Now())
	for i := range events {
		l.event(&events[i])
	}
	if len(l.batch.conns) > 0 {
		l.readBatch()
	}
	for _, c := range again {
		if !c.closed {
			c.readable(false)
		}
	}
	if l.after != nil {
		l.after()
	}
}

func (l *Loop) event(ev *unix.EpollEvent) {
	switch fd := int(ev.Fd); fd {
	case l.timerFD, l.wakeFD:
		var b [8]byte
		_, _ = unix.Read(fd, b[:])
		if fd == l.wakeFD {
			l.doAll()
		} else {
			l.armed = never
			l.tickIfDue(l.Now())
		}
	default:
		// The generation tells events of a closed descriptor from those of the one that has its number now.
		c := l.conns[fd]
		if c == nil || c.generation != ev.Pad {
			return
		}
		if !l.batch.takes(c, ev.Events) {
			c.event(ev.Events)
			return
		}
		if l.batch.conns = append(l.batch.conns, c); len(l.batch.conns) == uring.Batch {
			l.readBatch()
		}
	}
}

func (l *Loop) doAll() {
	l.mu.Lock()
	todo := l.todo
	l.todo = nil
	l.mu.Unlock()
	for _, f := range todo {
		f()
	}
}

// Wake has tick called in the current or next round, whatever time it asked for. Only for use on the loop.
func (l *Loop) Wake() {
	if l.tick != nil {
		l.nextAt = 0
	}
}

// tickIfDue is called with a fresh clock reading after each read, so that sending keeps its pace while much comes in.
func (l *Loop) tickIfDue(now time.Duration) {
	if now < l.nextAt {
		return
	}
	l.nextAt = never
	if next := l.tick(now); next >= 0 {
		l.nextAt = min(l.nextAt, next) // Wake may have been called meanwhile
	}
}

// arm sets the timer for the next tick.
func (l *Loop) arm() error {
	if l.nextAt == l.armed {
		return nil
	}
	var spec unix.ItimerSpec // zero disarms
	if l.nextAt != never {
		spec.Value = unix.NsecToTimespec(int64(max(l.nextAt-l.Now(), 1)))
	}
	if err := unix.TimerfdSettime(l.timerFD, 0, &spec, nil); err != nil {
		return fmt.Errorf("set the timer: %w", err)
	}
	l.armed = l.nextAt
	return nil
}

func (l *Loop) watch(fd int, events uint32, generation int32) error {
	return unix.EpollCtl(l.epollFD, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd), Pad: generation})
}

func (l *Loop) nextGeneration() int32 {
	l.dialed++
	return l.dialed
}

// ErrStopped is what handlers get as the reason when the loop ends.
var ErrStopped = errors.New("the load run has ended")

func (l *Loop) shutDown() {
	l.mu.Lock()
	l.closed, l.todo = true, nil
	l.mu.Unlock()
	for _, c := range l.conns {
		if c != nil {
			c.Close(ErrStopped)
		}
	}
	if l.after != nil {
		l.after()
	}
	l.closeFDs()
}

func (l *Loop) closeFDs() {
	l.batch.pool.Close()
	for _, fd := range []int{l.epollFD, l.timerFD, l.wakeFD} {
		if fd > 0 {
			_ = unix.Close(fd)
		}
	}
}
