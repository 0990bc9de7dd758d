package line

import (
	"cmp"
	"errors"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// ErrDown is what Connect returns while a line is cut.
var ErrDown = &net.OpError{Op: "dial", Net: "line", Err: syscall.ECONNREFUSED}

// errReset is what a cut does to those that read and write.
var errReset = &net.OpError{Op: "read", Net: "line", Err: syscall.ECONNRESET}

// A Line carries connections. Safe for concurrent use.
type Line struct {
	seed uint64

	mu     sync.Mutex
	made   uint64         // connections so far
	conns  map[*conn]bool // one side of each
	down   bool
	jammed bool
	delay  time.Duration
}

// New returns a line that is well: what is written arrives within a millisecond.
func New(seed uint64) *Line { return &Line{seed: seed, conns: map[*conn]bool{}} }

// Connect makes a connection and returns its two sides.
func (l *Line) Connect() (near, far net.Conn, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, nil, ErrDown
	}
	l.made++
	there, back := newWay(l.seed, 2*l.made), newWay(l.seed, 2*l.made+1)
	for _, w := range []*way{there, back} {
		w.delay, w.jammed = l.delay, l.jammed
	}
	a := &conn{line: l, in: back, out: there, number: l.made, addr: addr(2 * l.made), peer: addr(2*l.made + 1)}
	b := &conn{line: l, in: there, out: back, number: l.made, addr: a.peer, peer: a.addr}
	a.other, b.other = b, a
	l.conns[a] = true
	return a, b, nil
}

// Dial makes a connection, gives its far side to serve, and returns the near one. Should serve refuse, it closes what it was given.
func (l *Line) Dial(serve func(far net.Conn) error) (near net.Conn, err error) {
	near, far, err := l.Connect()
	if err != nil {
		return nil, err
	}
	if err := serve(far); err != nil {
		return nil, errors.Join(err, near.Close())
	}
	return near, nil
}

// Cut breaks all connections; what is on its way is lost. Until Mend there are no new ones.
func (l *Line) Cut() {
	l.each(func(l *Line) { l.down = true }, (*way).reset)
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.conns)
}

// Mend ends a cut.
func (l *Line) Mend() { l.each(func(l *Line) { l.down = false }, func(*way) {}) }

// Jam keeps everything from arriving, or ends that.
func (l *Line) Jam(on bool) {
	l.each(func(l *Line) { l.jammed = on }, func(w *way) { w.jammed = on })
}

// Slow makes everything that is written from now on take d longer.
func (l *Line) Slow(d time.Duration) {
	l.each(func(l *Line) { l.delay = d }, func(w *way) { w.delay = d })
}

// Len is how many connections there are that are not closed on both sides.
func (l *Line) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

// Conns are the near sides of the connections that are not closed on both sides, in the order in which they were made; see Reset.
func (l *Line) Conns() []net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]net.Conn, 0, len(l.conns))
	for _, c := range slices.SortedFunc(maps.Keys(l.conns), func(a, b *conn) int { return cmp.Compare(a.number, b.number) }) {
		list = append(list, c)
	}
	return list
}

// each changes the line and all ways of its connections.
func (l *Line) each(change func(*Line), do func(*way)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
	for c := range l.conns {
		c.in.change(do)
		c.out.change(do)
	}
}

// forget is called when a side is closed. The other one may still get what is on its way.
func (l *Line) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.gone = true
	if c.other.gone {
		delete(l.conns, c)
		delete(l.conns, c.other)
	}
}

// A conn is one side of a connection.
type conn struct {
	line       *Line
	in, out    *way
	other      *conn
	number     uint64 // of the connection
	addr, peer addr
	closed     sync.Once
	gone       bool // closed; guarded by the line's mutex
}

func (c *conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.out.write(b) }

// Close lets what was written arrive. The other side, when it writes from now on, is told that this one is gone.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.closed.Do(func() {
		err = nil
		c.out.change((*way).end)
		c.in.change(func(w *way) { w.unread = true })
		c.line.forget(c)
	})
	return err
}

func (c *conn) LocalAddr() net.Addr  { return c.addr }
func (c *conn) RemoteAddr() net.Addr { return c.peer }

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.change(func(w *way) { w.patience.set(t, w.moved) })
	return nil
}

// SetWriteDeadline has nothing to bound: a writer never waits.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// An addr is of an imaginary host of one connection.
type addr uint64

func (a addr) Network() string { return "line" }

func (a addr) String() string {
	return (&net.TCPAddr{IP: net.IPv4(10, byte(a>>16), byte(a>>8), byte(a)), Port: 40000}).String()
}

// random are the numbers of one way of a connection.
func random(seed, number uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, number)) }

// Reset breaks one connection of a line, given one of its sides: what is on its way is lost.
func Reset(side net.Conn) {
	if c, ok := side.(*conn); ok {
		c.in.change((*way).reset)
		c.out.change((*way).reset)
	}
}
