package engineio

import (
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"
)

// writeNow writes what the socket takes at once and returns the rest.
func (fc *frontConn) writeNow(data []byte) (rest []byte, err error) {
	n, err := fc.fd.Send(data)
	return data[n:], err
}

// tryWrite sends an answer that belongs to no poll, and reports whether all has been
// written and the caller still owns the connection. What the client does not take at
// once is left to a goroutine, which ends the connection if last says so.
func (fc *frontConn) tryWrite(data []byte, last bool) bool {
	rest, err := fc.writeNow(data)
	switch {
	case err != nil:
		fc.close()
		return false
	case len(rest) > 0:
		rest = slices.Clone(rest)
		fc.front.server.running.start(func() { fc.finishWrite(rest, last) })
		return false
	}
	return true
}

// finishWrite is for the rest of such an answer, which is short: it has WriteTimeout in
// all.
func (fc *frontConn) finishWrite(rest []byte, last bool) {
	_ = fc.nc.SetWriteDeadline(time.Now().Add(fc.front.server.opts.WriteTimeout)) // fails on a closed connection only
	if _, err := fc.nc.Write(rest); err != nil || last {
		fc.close()
		return
	}
	_ = fc.nc.SetWriteDeadline(time.Time{}) // the next answer has a time of its own
	fc.goOn(&fc.front.idle)
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
