package line

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// A way is one direction of a connection.
type way struct {
	random *rand.Rand

	mu       sync.Mutex
	changed  *sync.Cond
	chunks   []chunk
	arrival  time.Time // of the latest chunk: nothing overtakes
	ended    bool      // the writer has closed its side
	unread   bool      // the reader has
	broken   bool
	jammed   bool
	delay    time.Duration
	patience deadline // of the reader
	wake     *time.Timer
}

// A chunk is what was written at once. The last one of a way that has ended is empty.
type chunk struct {
	bytes   []byte
	arrives time.Time
}

func newWay(seed, number uint64) *way {
	w := &way{random: random(seed, number)}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// change changes something, and lets the reader look again.
func (w *way) change(do func(*way)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do(w)
	w.changed.Broadcast()
}

// moved is called by timers.
func (w *way) moved() { w.change(func(*way) {}) }

func (w *way) reset() {
	w.broken = true
	w.chunks = nil
}

func (w *way) end() {
	if !w.ended {
		w.put(nil)
		w.ended = true
	}
}

// put lets something arrive some time later.
func (w *way) put(b []byte) {
	at := time.Now().Add(w.delay + time.Duration(w.random.Int64N(int64(time.Millisecond))))
	if !at.After(w.arrival) {
		at = w.arrival.Add(time.Nanosecond)
	}
	w.arrival = at
	w.chunks = append(w.chunks, chunk{b, at})
}

func (w *way) write(b []byte) (n int, err error) {
	w.change(func(w *way) {
		switch {
		case w.ended:
			err = net.ErrClosed
		case w.broken, w.unread:
			err = &net.OpError{Op: "write", Net: "line", Err: syscall.EPIPE}
		case len(b) > 0:
			w.put(append([]byte(nil), b...))
			n = len(b)
		}
	})
	return n, err
}

func (w *way) read(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		switch wait := w.waitLocked(); {
		case w.unread:
			return 0, net.ErrClosed
		case w.patience.over():
			return 0, os.ErrDeadlineExceeded
		case w.broken:
			return 0, errReset
		case len(b) == 0:
			return 0, nil
		case w.jammed || wait < 0:
		case wait > 0:
			if w.wake != nil {
				w.wake.Stop()
			}
			w.wake = time.AfterFunc(wait, w.moved)
		case len(w.chunks[0].bytes) == 0:
			return 0, io.EOF
		default:
			first := &w.chunks[0]
			n := copy(b, first.bytes)
			if first.bytes = first.bytes[n:]; len(first.bytes) == 0 {
				w.chunks = w.chunks[1:]
			}
			return n, nil
		}
		w.changed.Wait()
	}
}

// waitLocked is how long it takes until there is something to read; negative if nothing is on its way.
func (w *way) waitLocked() time.Duration {
	if len(w.chunks) == 0 {
		return -1
	}
	return max(0, time.Until(w.chunks[0].arrives))
}

// A deadline ends the patience of a reader.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

// set sets it, zero: none; then is called when it is over.
func (d *deadline) set(t time.Time, then func()) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, then)
	}
}

func (d *deadline) over() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
