package engineio

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"socketio-chat/pkg/engineio/internal/netpoll"
)

// A frontConn is a connection of the front. Whoever owns it (see front) may call
// its methods, but for ended and evict, which anybody may.
type frontConn struct {
	front   *front
	nc      net.Conn
	raw     syscall.RawConn
	fd      netpoll.FD // used by whoever owns the connection
	parking *netpoll.Parking
	handler netpoll.Handler // the connection itself: what parking points to
	restMark

	pending pendingPoll          // guarded by the session's mutex while that owns the connection
	session atomic.Pointer[Conn] // which that is
	cors    corsCache
	blanks  int // bytes of empty lines since the last request
}

// A job is a request that a worker has to serve. It reports whether the worker
// still owns the connection; if not, then may be what to go on with.
type job func() (mine bool, then func())

// look reads what has come, and serves it if that takes no time: a poll of a
// session. If it returns nil the connection belongs to somebody else, or rests.
//
// The buffer is larger than any request that is served here should be.
func (fc *frontConn) look(buf []byte) job {
	n, again, err := fc.fd.Receive(buf)
	for ; again || fc.blank(buf[:n]); n, again, err = fc.fd.Receive(buf) {
		if fc.rest(fc.list) {
			return nil
		}
	}
	if err != nil || n == 0 {
		fc.close()
		return nil
	}
	request := trimBlank(buf[:n])
	var q plainRequest
	// Behind a full buffer there may be more of the request.
	if n == len(buf) || !q.parse(request, fc.front.opts.Path) {
		return fc.handOver(request)
	}
	served := &fc.front.server.stats.served
	if fc.poll(&q) {
		served.Add(1)
		return nil
	}
	if j := fc.job(&q); j != nil {
		served.Add(1)
		return j
	}
	return fc.handOver(request)
}

// maxBlank is how many bytes of empty lines may come by themselves before a request.
const maxBlank = 8

// blank tells that nothing but empty lines was read, which are dropped.
func (fc *frontConn) blank(read []byte) bool {
	if len(read) == 0 || !blank(read) || fc.blanks+len(read) > maxBlank {
		fc.blanks = 0
		return false
	}
	fc.blanks += len(read)
	return true
}

// Readable is called by the poller, with its buffer, for a connection that rested.
func (fc *frontConn) Readable(buf []byte) {
	fc.list.remove(fc)
	if j := fc.look(buf); j != nil {
		fc.front.server.running.start(func() { fc.work(j) })
	}
}

// resume does what Readable does on a goroutine of its own.
func (fc *frontConn) resume() {
	if j := fc.lookAgain(); j != nil {
		fc.work(j)
	}
}

func (fc *frontConn) lookAgain() job {
	buf := readBuffers.Get().(*[readBuffer]byte)
	defer readBuffers.Put(buf)
	return fc.look(buf[:])
}

// work does j and what comes then, until there is nothing more or the connection
// belongs to somebody else.
func (fc *frontConn) work(j job) {
	for j != nil {
		mine, then := j()
		if then != nil {
			then()
		}
		// A short read took all there was, unless the peer's end came with it.
		if !mine || !fc.parking.Ending() && fc.rest(&fc.front.idle) {
			return
		}
		j = fc.lookAgain()
	}
}

// rest waits for the next request without a goroutine. It reports false when that
// may have come already: then the caller still owns the connection.
func (fc *frontConn) rest(l *restList) bool {
	f := fc.front
	if f.stopped.Load() || fc.parking.Orphaned() {
		fc.close()
		return true
	}
	l.add(fc)
	if !fc.parking.Park() {
		l.remove(fc)
		return false
	}
	if f.stopped.Load() { // stop may have been too early to see it
		fc.evict()
	}
	return true
}

// goOn rests or, if there may be more to read, starts a worker.
func (fc *frontConn) goOn(l *restList) {
	if fc.parking.Ending() || !fc.rest(l) {
		fc.front.server.running.start(fc.resume)
	}
}

// evict closes the connection if it rests, and reports whether it did.
func (fc *frontConn) evict() bool {
	if !fc.parking.Claim() {
		return false
	}
	fc.list.remove(fc)
	fc.close()
	return true
}

// close ends the connection.
func (fc *frontConn) close() {
	fc.parking.Handle(nil)
	fc.parking.Leave()
	_ = fc.nc.Close() // nothing is on its way
}

// handOver is the job to give the connection to net/http, with the bytes that
// were read.
func (fc *frontConn) handOver(read []byte) job {
	fc.front.server.stats.handedOver.Add(1)
	early := slices.Clone(read)
	return func() (bool, func()) {
		fc.front.hand(&handedConn{Conn: fc.release(), early: early})
		return false, nil
	}
}

// release makes an ordinary connection of it, for somebody else to own.
func (fc *frontConn) release() net.Conn {
	fc.parking.Handle(nil)
	fc.parking.Release()
	return fc.nc
}

// Signaled is called by the poller when more came, or the client may have gone.
func (fc *frontConn) Signaled(ending bool) {
	if ending {
		fc.ended()
	} else {
		fc.followed()
	}
}

// Orphaned is called when the poller has failed, for a connection that rested.
func (fc *frontConn) Orphaned() {
	fc.list.remove(fc)
	fc.close()
}

// ended is called when the client may have gone. If a poll waits for packets it
// looks, and ends the session if that is so: what net/http would tell by the
// request's context.
func (fc *frontConn) ended() {
	if fc.session.Load() == nil {
		return
	}
	fc.front.server.running.start(func() {
		c := fc.session.Load()
		if c == nil || !peerGone(fc.raw) {
			return
		}
		c.mu.Lock()
		mine := c.poll == &fc.pending
		if mine {
			c.poll = nil
			fc.session.Store(nil)
		}
		c.mu.Unlock()
		if mine {
			c.shutdown(TransportError, errPollCut)
			fc.answerNothing()
		}
	})
}

// followed is called when more has come. If a poll waits for packets, it is answered
// with nothing: the client goes on with what it has sent, which may be what the poll
// waits for.
func (fc *frontConn) followed() {
	if fc.session.Load() == nil {
		return
	}
	fc.front.server.running.start(func() {
		c := fc.session.Load()
		if c == nil || !moreComes(fc.raw) {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.poll == &fc.pending {
			c.poll.noop = true
			c.wakePollLocked()
		}
	})
}

// moreComes tells whether a request can be read. It takes nothing, as peerGone.
func moreComes(raw syscall.RawConn) bool {
	var b [maxBlank + 1]byte
	n, again, err := netpoll.Peek(raw, b[:])
	return !again && err == nil && !blank(b[:n])
}

// peerGone tells whether the peer has ended the connection and left nothing to read. It
// takes nothing, and may be called by a goroutine that does not own the connection.
func peerGone(raw syscall.RawConn) bool {
	var b [1]byte
	n, again, err := netpoll.Peek(raw, b[:])
	return !again && (n == 0 || err != nil)
}

// writeNow writes what the socket takes at once and returns the rest.
func (fc *frontConn) writeNow(data []byte) (rest []byte, err error) {
	n, err := fc.fd.Send(data)
	return data[n:], err
}

// tryWrite sends an answer that belongs to no poll, and reports whether all has been
// written and the caller still owns the connection. What the client does not take at
// once is left to a goroutine.
func (fc *frontConn) tryWrite(data []byte) bool {
	rest, err := fc.writeNow(data)
	switch {
	case err != nil:
		fc.close()
		return false
	case len(rest) > 0:
		rest = slices.Clone(rest)
		fc.front.server.running.start(func() { fc.finishWrite(rest) })
		return false
	}
	return true
}

// finishWrite is for the rest of such an answer, which is short: it has WriteTimeout in
// all.
func (fc *frontConn) finishWrite(rest []byte) {
	_ = fc.nc.SetWriteDeadline(time.Now().Add(fc.front.server.opts.WriteTimeout)) // fails on a closed connection only
	if _, err := fc.nc.Write(rest); err != nil {
		fc.close()
		return
	}
	_ = fc.nc.SetWriteDeadline(time.Time{}) // the next answer has a time of its own
	fc.goOn(&fc.front.idle)
}

// guard runs f as net/http runs a handler: a panic ends the connection, and is
// logged. It reports whether there was none.
func (fc *frontConn) guard(f func()) (ok bool) {
	defer func() {
		if ok {
			return
		}
		if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // a sentinel of panics
			fc.front.server.opts.Logger.Error("panic while serving a request", slog.Any("panic", p),
				slog.String("stack", string(debug.Stack())))
		}
	}()
	f()
	return true
}

// A handedConn is a connection that was read from before net/http got it.
type handedConn struct {
	net.Conn
	early []byte
}

func (c *handedConn) Read(b []byte) (int, error) {
	if len(c.early) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.early)
	if c.early = c.early[n:]; len(c.early) == 0 {
		c.early = nil
	}
	return n, nil
}

// Detach returns the connection without its wrapper, and what is unread of early.
func (c *handedConn) Detach() (nc net.Conn, early []byte) { return c.Conn, c.early }

// SyscallConn is that of the connection below, if nothing would be passed by.
func (c *handedConn) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := c.Conn.(syscall.Conn); ok && len(c.early) == 0 {
		return sc.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// CloseWrite is what net/http ends a refused request with.
func (c *handedConn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return errors.ErrUnsupported
}
