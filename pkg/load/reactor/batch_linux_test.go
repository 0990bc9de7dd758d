package reactor

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"socketio-chat/pkg/uring"
)

// Whether many are read by one system call, each by its own, or the kernel stops doing the first in between: everybody
// gets everything in order, and the end.
func TestManyConnections(t *testing.T) {
	for name, prepare := range map[string]func(l *Loop){
		"in batches":   func(*Loop) {},
		"one by one":   func(l *Loop) { l.batch.pool.Close(); l.batch.pool = nil },
		"no ring left": func(l *Loop) { l.batch.pool.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := NewLoop(time.Now(), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			prepare(l)
			manyConnections(t, runLoop(t, l))
		})
	}
}

func manyConnections(t *testing.T, l *Loop) {
	ln, to := listen(t)
	const clients = uring.Batch + 44
	recorders, peers := make([]*recorder, clients), make([]net.Conn, clients)
	for i := range clients {
		recorders[i] = newRecorder()
		_, peers[i] = dial(t, l, ln, to, recorders[i])
	}
	long := strings.Repeat("x", 3*roomSize)
	lines := []string{"first", long, "cut in", "the middle", strings.Repeat("y", roomSize-1), "last"}
	all := strings.Join(lines, "\n") + "\n"
	cut := strings.Index(all, "in\nthe")
	// The loop waits meanwhile, so that one wait brings all connections.
	for _, part := range []string{all[:cut], all[cut:]} {
		written := make(chan struct{})
		l.Do(func() { <-written })
		for _, nc := range peers {
			if _, err := io.WriteString(nc, part); err != nil {
				t.Error(err)
			}
		}
		close(written)
	}
	for i, r := range recorders {
		for _, want := range lines {
			if got := within(t, "a line", r.lines); got != want {
				t.Fatalf("client %d got %.20q of %d bytes, want %.20q of %d", i, got, len(got), want, len(want))
			}
		}
		peers[i].Close()
		if err := within(t, "the end", r.closed); err != io.EOF {
			t.Errorf("client %d: %v", i, err)
		}
	}
}

// A handler may close any connection, also one that was read in the same batch: nothing of that is delivered any more.
func TestHandlerClosesOthersOfItsBatch(t *testing.T) {
	l := start(t, nil)
	ln, to := listen(t)
	const clients = 20
	conns := make([]*Conn, clients)
	heard := make(chan string, clients)
	peers := make([]net.Conn, clients)
	for i := range clients {
		r := newRecorder()
		conns[i], peers[i] = dial(t, l, ln, to, r)
		l.Do(func() {
			conns[i].handler = handlerFunc(func() {
				heard <- fmt.Sprint(i)
				for _, c := range conns {
					c.Close(io.EOF)
				}
			})
		})
	}
	written := make(chan struct{})
	l.Do(func() { <-written })
	for _, nc := range peers {
		if _, err := io.WriteString(nc, "word\n"); err != nil {
			t.Error(err)
		}
	}
	close(written)
	within(t, "the first", heard)
	rest := make(chan int, 1)
	l.Do(func() { rest <- len(heard) })
	if n := within(t, "the next round", rest); n != 0 {
		t.Errorf("%d connections heard something after their end", n)
	}
}

// handlerFunc is called for data.
type handlerFunc func()

func (f handlerFunc) Connected()   {}
func (f handlerFunc) Closed(error) {}
func (f handlerFunc) Data(b []byte, _ time.Duration) (int, error) {
	f()
	return len(b), nil
}
