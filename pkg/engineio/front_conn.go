package engineio

import (
	"net"
	"slices"
	"sync/atomic"
	"syscall"

	"socketio-chat/pkg/engineio/internal/netpoll"
)

// A frontConn is a connection of the front. Its owner (see front) may call
// its methods, but for ended and evict, which anybody may.
type frontConn struct {
	front   *front
	nc      net.Conn
	raw     syscall.RawConn
	fd      netpoll.FD // used by the owner of the connection
	remote  string     // what net/http tells of the peer
	parking *netpoll.Parking
	handler netpoll.Handler // the connection itself: what parking points to
	restMark

	pending pendingPoll                   // guarded by the session's mutex while that owns the connection
	session atomic.Pointer[Conn]          // which that is
	serving atomic.Pointer[servedRequest] // the request that the handler serves
	cors    corsCache
	blanks  int // bytes of empty lines since the last request
}

// A job is a request that takes a goroutine. serve reports whether the goroutine still
// owns the connection; if not, then may be what it runs next.
type job struct {
	on    *running // what waits for it
	serve func() (mine bool, then func())
}

// dispatch reads what has come, and serves it if that takes no time: a poll of a
// session. It returns what is left to do; nothing if the connection belongs to somebody
// else or rests.
//
// The buffer is larger than the head of any request that is served here should be.
func (fc *frontConn) dispatch(in netpoll.Arrival, buf []byte) job {
	n, again, err := in.Receive(fc.fd, buf)
	for ; again || fc.blank(buf[:n]); n, again, err = in.Receive(fc.fd, buf) {
		if fc.rest(fc.list) {
			return job{}
		}
	}
	if err != nil || n == 0 {
		fc.close()
		return job{}
	}
	request := trimBlank(buf[:n])
	var q plainRequest
	if !q.parse(request, fc.front.opts.Path) || n == len(buf) && q.missing == 0 { // behind a full buffer may be more
		return fc.handOver(request)
	}
	stats := &fc.front.server.stats
	if fc.poll(&q) {
		stats.served.Add(1)
		return job{}
	}
	if j := fc.job(&q); j.serve != nil {
		stats.served.Add(1)
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
func (fc *frontConn) Readable(in netpoll.Arrival, buf []byte) {
	fc.list.remove(fc)
	fc.start(fc.dispatch(in, buf))
}

// resume does what Readable does on a goroutine of its own.
func (fc *frontConn) resume() { fc.start(fc.dispatchNext()) }

func (fc *frontConn) dispatchNext() job {
	buf := readBuffers.Get().(*[readBuffer]byte)
	defer readBuffers.Put(buf)
	return fc.dispatch(netpoll.Arrival{}, buf[:])
}

// start runs a job and what comes then on a goroutine, until there is nothing more or
// the connection belongs to somebody else.
func (fc *frontConn) start(j job) {
	if j.serve != nil {
		j.on.start(func() { fc.work(j) })
	}
}

func (fc *frontConn) work(j job) {
	for {
		mine, then := j.serve()
		if then != nil {
			then()
		}
		// A short read took all there was, unless the peer's end came with it.
		if !mine || !fc.parking.Ending() && fc.rest(&fc.front.idle) {
			return
		}
		on := j.on
		if j = fc.dispatchNext(); j.serve == nil {
			return
		}
		if j.on != on { // counted by something else
			fc.start(j)
			return
		}
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
	return job{&fc.front.server.running, func() (bool, func()) {
		fc.front.hand(&handedConn{Conn: fc.release(), early: early})
		return false, nil
	}}
}

// release makes an ordinary connection of it, for somebody else to own.
func (fc *frontConn) release() net.Conn {
	fc.parking.Handle(nil)
	fc.parking.Release()
	if lean, ok := fc.nc.(*netpoll.Lean); ok {
		return lean.Thicken()
	}
	return fc.nc
}
