package forward

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of a tunnel.
const (
	tunnelBuffer = 16 << 10         // bytes copied at once
	tunnelStall  = 30 * time.Second // for which an end may take nothing of what is written to it
	tunnelLinger = 2 * time.Second  // from the end of one direction to the end of the other
)

// A tunnel joins the connection of a client to a link. Each direction has a
// goroutine; the first that fails ends both, the first that comes to its
// orderly end gives the other some time.
type tunnel struct {
	transit       transit
	client, owner net.Conn

	mu     sync.Mutex
	ended  int // directions
	linger *time.Timer
}

// tunnel tells the client that the owner accepts and leaves the two alone.
func (e *exchange) tunnel(res *http.Response) (answered bool, err error) {
	f := e.f
	client, buffered, err := http.NewResponseController(e.w).Hijack()
	if err != nil {
		return false, err
	}
	// From here on nobody is there to be told of an error.
	if e.accept(res, client, buffered.Reader) != nil {
		f.counters.canceled.Add(1)
		client.Close()
		return true, nil //nolint:nilerr // see above
	}
	e.tunnelled = f.open(&tunnel{transit: e.transit, client: client, owner: e.link.Conn})
	if !e.tunnelled {
		client.Close()
	}
	return true, nil
}

// accept passes the owner's answer on, and what either has said already.
func (e *exchange) accept(res *http.Response, client net.Conn, early *bufio.Reader) error {
	_ = client.SetDeadline(time.Now().Add(tunnelStall)) // fails on a closed connection only
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = res.Header.Write(&head) // a buffer takes everything
	head.WriteString("\r\n")
	_, err := client.Write(head.Bytes())
	return errors.Join(err, drain(e.link, early), drain(client, e.in),
		client.SetDeadline(time.Time{}), e.link.SetDeadline(time.Time{}))
}

// drain writes what a reader that is not needed any more holds.
func drain(to io.Writer, from *bufio.Reader) error {
	data, err := from.Peek(from.Buffered())
	if err == nil && len(data) > 0 {
		_, err = to.Write(data)
	}
	return err
}

// open starts a tunnel; false: f is closed.
func (f *Forwarder) open(t *tunnel) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.counters.upgrades.Add(1)
	f.counters.tunnels.Add(1)
	f.tunnels[t] = struct{}{}
	done := func() {
		if t.directionEnded() {
			f.counters.tunnels.Add(-1)
			f.mu.Lock()
			delete(f.tunnels, t)
			f.mu.Unlock()
		}
	}
	f.work.Go(func() { t.copy(t.owner, t.client); done() })
	f.work.Go(func() { t.copy(t.client, t.owner); done() })
	return true
}

// copy is one direction. It returns when that is over.
func (t *tunnel) copy(to, from net.Conn) {
	src := newPatientReader(from)
	for {
		buf, n, err := src.read()
		if n > 0 {
			_ = to.SetWriteDeadline(time.Now().Add(tunnelStall)) // fails on a closed connection only
			_, werr := to.Write((*buf)[:n])
			if werr != nil && err == nil {
				err = werr
			}
		}
		if buf != nil {
			buffers.Put(buf)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && closeWrite(to) == nil:
			return
		default:
			t.close()
			return
		}
	}
}

// directionEnded reports whether it was the last.
func (t *tunnel) directionEnded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended++
	if t.ended == 1 {
		t.linger = time.AfterFunc(tunnelLinger, t.close)
		return false
	}
	t.linger.Stop()
	t.close()
	return true
}

func (t *tunnel) close() {
	t.client.Close()
	t.owner.Close()
}

// closeWrite tells nc's peer that nothing more comes. Without half-close that
// takes the whole connection.
func closeWrite(nc net.Conn) error {
	if c, ok := nc.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nc.Close()
}

var buffers = sync.Pool{New: func() any { b := make([]byte, tunnelBuffer); return &b }}
