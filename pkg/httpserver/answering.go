package httpserver

import (
	"bufio"
	"net"
	"net/http"
	"time"

	"socketio-chat/pkg/unread"
)

// An answering is the ResponseWriter of a request that net/http serves. Without it a client that sends
// requests and reads no answers would hold its connection for ever: net/http's WriteTimeout begins with the
// request, and a poll is answered long after that.
type answering struct {
	http.ResponseWriter
	waiting *waiting
	nc      net.Conn
	mayCut  bool // it is of no session
	begun   bool // the answer
	gone    bool // the connection is somebody else's
	answer  unread.Answer
}

// WriteHeader is as http.ResponseWriter has it.
func (a *answering) WriteHeader(status int) {
	a.begin()
	a.ResponseWriter.WriteHeader(status)
}

// Write is as http.ResponseWriter has it.
func (a *answering) Write(b []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(b) //nolint:wrapcheck // as net/http says it
}

// begin gives the client answerTimeout to read the answer, unless the handler says otherwise later on.
func (a *answering) begin() {
	if a.begun || a.gone {
		return
	}
	a.begun = true
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Now().Add(answerTimeout)) // net/http's can
	if a.mayCut {
		a.waiting.unread.Begin(&a.answer, func() { _ = a.nc.Close() }) // the handler's write ends with an error
	}
}

// Unwrap is for http.ResponseController.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Hijack is as http.Hijacker has it.
func (a *answering) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, buffered, err := http.NewResponseController(a.ResponseWriter).Hijack()
	a.gone = a.gone || err == nil
	return nc, buffered, err //nolint:wrapcheck // as net/http says it
}

// unreadTimeout is how long net/http may read on in a body that the handler did not want. It does so to use
// the connection again, which a client that is slow to send need not have.
const unreadTimeout = 500 * time.Millisecond

// end is called when the handler has returned. What is left of the answer is in net/http's buffer.
func (a *answering) end(r *http.Request) {
	if a.gone {
		return
	}
	a.begin() // a handler that writes nothing is answered for
	a.waiting.unread.End(&a.answer)
	if r.ContentLength != 0 { // net/http lifts it with the answer
		_ = http.NewResponseController(a.ResponseWriter).SetReadDeadline(time.Now().Add(unreadTimeout))
	}
}
