package engineio

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What a session keeps of its request for life is bounded where the session begins.
const (
	// DefaultHeadBytes is what Node takes of a request's head.
	DefaultHeadBytes = 16 << 10
	// DefaultParameters is more than any client has.
	DefaultParameters = 100
)

// Handshake is what is kept of the request that opened a session.
type Handshake struct {
	Header     http.Header
	Host       string
	RequestURI string
	RemoteAddr string // address and port of the TCP peer
	TLS        bool
	Time       time.Time

	rawQuery string
}

// Query parses the query, each time it is called: few ask, and a parsed query takes many
// times the room. It has at most Options.Parameters values. What is wrongly
// escaped is left out.
func (h *Handshake) Query() url.Values {
	q, _ := url.ParseQuery(h.rawQuery) // it returns what is right
	return q
}

// fits tells whether a session may keep the request. If not, it returns what is wrong.
func (s *Server) fits(r *http.Request) *requestError {
	size := len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	if size > s.opts.HeadBytes {
		return &requestError{http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("the head of the request has more than %d bytes", s.opts.HeadBytes)}
	}
	if n := strings.Count(rawQuery(r), "&") + 1; n > s.opts.Parameters {
		return &requestError{http.StatusBadRequest, fmt.Sprintf("the query has more than %d parameters", s.opts.Parameters)}
	}
	return nil
}

// A requestError is why a request opens no session, or no WebSocket.
type requestError struct {
	status int
	text   string
}

func (e *requestError) Error() string { return e.text }

// HTTPStatus is what refuse answers with.
func (e *requestError) HTTPStatus() int { return e.status }
