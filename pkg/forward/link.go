package forward

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Bounds of the connections to one other instance.
const (
	dialTimeout = time.Second      // to connect and to prove oneself
	maxIdle     = 256              // connections kept for later
	idleTime    = 30 * time.Second // for this long; far less than ownerIdleTimeout
)

// A peer is another instance.
type peer struct {
	tag, addr string
	seen      time.Time // in the registry; guarded by table.mu

	mu      sync.Mutex
	idle    []*link // the one used last is last
	retired bool
	slow    time.Time // until then nobody tries to connect: it took too long
}

func newPeer(tag, addr string, now time.Time) *peer { return &peer{tag: tag, addr: addr, seen: now} }

// A link is one connection to a peer that both ends have proved. It carries one
// request at a time, or a tunnel.
type link struct {
	net.Conn
	since time.Time // idle
}

// get returns a connection, an idle one if there is one that lives.
func (p *peer) get(ctx context.Context, s *secrets, self string) (*link, error) {
	for {
		l := p.pop()
		if l == nil {
			return p.dial(ctx, s, self)
		}
		if quiet(l.Conn) {
			return l, nil
		}
		l.Close() // by the other end while it was idle
	}
}

func (p *peer) pop() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	l := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return l
}

// put keeps a connection for later.
func (p *peer) put(l *link) {
	l.since = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired || len(p.idle) >= maxIdle {
		l.Close()
		return
	}
	p.idle = append(p.idle, l)
}

// trim closes what has been idle for too long.
func (p *peer) trim(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.idle) && now.Sub(p.idle[n].since) > idleTime {
		p.idle[n].Close()
		n++
	}
	p.idle = append(p.idle[:0], p.idle[n:]...)
}

// retire closes the idle connections; those in use close when they come back.
func (p *peer) retire() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	for _, l := range p.idle {
		l.Close()
	}
	p.idle = nil
}

// dial connects. A peer that takes too long is left alone for as long again, so
// that the clients of a host that is gone need not wait one after the other.
func (p *peer) dial(ctx context.Context, s *secrets, self string) (*link, error) {
	p.mu.Lock()
	slow := time.Now().Before(p.slow)
	p.mu.Unlock()
	if slow {
		return nil, fmt.Errorf("connect to instance %s at %s: it did not answer just now", p.tag, p.addr)
	}
	l, err := p.connect(ctx, s, self)
	if err == nil {
		return l, nil
	}
	if late := net.Error(nil); ctx.Err() == nil && errors.As(err, &late) && late.Timeout() {
		p.mu.Lock()
		p.slow = time.Now().Add(dialTimeout)
		p.mu.Unlock()
	}
	return nil, fmt.Errorf("connect to instance %s at %s: %w", p.tag, p.addr, err)
}

func (p *peer) connect(ctx context.Context, s *secrets, self string) (*link, error) {
	deadline := time.Now().Add(dialTimeout)
	d := net.Dialer{Deadline: deadline, KeepAliveConfig: keepAlive}
	nc, err := d.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	_ = nc.SetDeadline(deadline) // fails on a closed connection only
	if err := s.prove(nc, p.tag, self); err != nil {
		nc.Close()
		return nil, err
	}
	_ = nc.SetDeadline(time.Time{})
	return &link{Conn: nc}, nil
}

// Links have buffers only while they carry something.
var (
	readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}
	writers = sync.Pool{New: func() any { return bufio.NewWriter(nil) }}
)
