package chaos

import (
	"net"
	"sync"
	"testing"
	"time"
)

// A proxy is a cable between two programs that can be cut, slowed and blocked.
type proxy struct {
	ln   net.Listener
	dial func() (net.Conn, error)
	done sync.WaitGroup

	mu    sync.Mutex
	cond  *sync.Cond // of mu: blocked has changed
	conns map[net.Conn]struct{}
	far   map[string]string // by the address of a near end: that of the far one
	open  bool
	delay time.Duration
	block bool
}

// newProxy listens on a free port. dial connects to what it stands for, which may move.
func newProxy(t testing.TB, dial func() (net.Conn, error)) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln, dial: dial, conns: make(map[net.Conn]struct{}), far: map[string]string{}, open: true}
	p.cond = sync.NewCond(&p.mu)
	p.done.Go(p.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		p.unblock()
		p.cut()
		p.done.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.ln.Addr().String() }

func (p *proxy) accept() {
	for {
		near, err := p.ln.Accept()
		if err != nil {
			return
		}
		far, err := p.dial()
		if err != nil {
			_ = near.Close()
			continue
		}
		p.mu.Lock()
		ok := p.open
		if ok {
			p.conns[near], p.conns[far] = struct{}{}, struct{}{}
			p.far[near.RemoteAddr().String()] = far.LocalAddr().String()
		}
		p.mu.Unlock()
		if !ok {
			_, _ = near.Close(), far.Close()
			continue
		}
		p.done.Go(func() { p.carry(far, near) })
		p.done.Go(func() { p.carry(near, far) })
	}
}

// beyond is the address that somebody with this one has beyond the proxy. It is remembered for good: whatever comes later from the same address
// takes its place.
func (p *proxy) beyond(addr net.Addr) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.far[addr.String()]
}

// A chunk is on its way until due.
type chunk struct {
	data []byte
	due  time.Time
}

// carry passes bytes on until one end closes.
func (p *proxy) carry(to, from net.Conn) {
	way := make(chan chunk, 256)
	p.done.Go(func() {
		defer p.drop(to, from)
		for c := range way {
			if wait := time.Until(c.due); wait > 0 {
				time.Sleep(wait) // this is the length of the cable
			}
			p.mu.Lock()
			for p.block {
				p.cond.Wait()
			}
			p.mu.Unlock()
			if _, err := to.Write(c.data); err != nil {
				break
			}
		}
		for range way { // the reader must not wait
			continue
		}
	})
	defer close(way)
	for {
		b := make([]byte, 16<<10)
		n, err := from.Read(b)
		if n > 0 {
			p.mu.Lock()
			due := time.Now().Add(p.delay)
			p.mu.Unlock()
			way <- chunk{b[:n], due}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(p.conns, c)
	}
}

// cut ends all connections, and new ones at once, until mend.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = false
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = true
}

// slow delays every byte, both ways.
func (p *proxy) slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// jam holds all bytes back, and neither end can know, until unblock.
func (p *proxy) jam() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.block = true
}

func (p *proxy) unblock() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.block = false
	p.cond.Broadcast()
}
