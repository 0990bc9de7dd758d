package engineio

import (
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"
)

// write writes an answer in two parts, and tells r what became of it. It reports whether all has
// been written and the caller still owns the connection. What the client does not take at once is
// left to a goroutine, which ends the connection if last says so.
func (fc *frontConn) write(head, body []byte, r pollReceipt, last bool) (mine bool) {
	n, err := fc.fd.Send(head)
	if err == nil && n == len(head) && len(body) > 0 {
		head, body = body, nil
		n, err = fc.fd.Send(head)
	}
	return fc.wrote(head[n:], body, err, r, last)
}

// wrote does what write does once the socket has been offered the answer: rest and body are what it has not taken.
func (fc *frontConn) wrote(rest, body []byte, err error, r pollReceipt, last bool) (mine bool) {
	switch {
	case err != nil:
		fc.close()
		r.done(err)
		return false
	case len(rest) > 0:
		if len(body) > 0 || cap(rest) <= maxPooledBody { // otherwise nobody else has a use for it
			rest = slices.Concat(rest, body)
		}
		fc.front.server.running.start(func() { fc.writeRest(rest, r, last) })
		return false
	}
	r.done(nil)
	return true
}

// writeRest writes what is left of an answer, as the client takes it.
func (fc *frontConn) writeRest(rest []byte, r pollReceipt, last bool) {
	var err error
	if r.c != nil {
		a := r.c.beginSlowAnswer(fc.nc)
		_, err = writeWaiting(fc.nc, rest, a)
		a.end()
	} else { // it is short
		_, err = writeWaiting(fc.nc, rest, fc)
		_ = fc.nc.SetWriteDeadline(time.Time{}) // the next answer has a time of its own
	}
	r.done(err)
	if err != nil || last {
		fc.close()
		return
	}
	fc.goOn(&fc.front.idle)
}

// extend gives a client WriteTimeout for a piece of an answer that belongs to no session.
func (fc *frontConn) extend() (goesOn bool) {
	_ = fc.nc.SetWriteDeadline(time.Now().Add(fc.front.server.opts.WriteTimeout)) // fails on a closed connection only
	return false
}

// unreadLinger is how long a client may take to read the answer to a request whose body
// nobody wants: to close with bytes unread would make its system throw the answer away.
const unreadLinger = 500 * time.Millisecond

// lingerClose ends the connection behind what was written, with a body half read.
func (fc *frontConn) lingerClose() {
	_ = fc.nc.(halfCloser).CloseWrite() // fails on a closed connection only
	_ = fc.nc.SetReadDeadline(time.Now().Add(unreadLinger))
	_, _ = io.Copy(io.Discard, fc.nc) // until the client has ended, or the time is over
	fc.close()
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
