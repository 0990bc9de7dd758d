package engineio

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

// An errorCode is what a refused request is told, as Node's engine numbers it.
type errorCode int

const (
	codeUnknownTransport   errorCode = iota // 0
	codeUnknownSID                          // 1
	codeBadHandshakeMethod                  // 2
	codeBadRequest                          // 3
	codeForbidden                           // 4
	codeBadProtocol                         // 5
	codeNone               errorCode = -1   // nothing is wrong
)

func (c errorCode) message() string {
	return [...]string{"Transport unknown", "Session ID unknown", "Bad handshake method",
		"Bad request", "Forbidden", "Unsupported protocol version"}[c]
}

// refuse answers with a code and a text of our own or, if it is empty, of the
// code. Over WebSocket Node sends the bare text. An error that has a status of
// its own is answered with that.
func refuse(w http.ResponseWriter, upgrade bool, code errorCode, err error, text string) {
	if text == "" {
		text = code.message()
	}
	status := http.StatusBadRequest
	if code == codeForbidden {
		status = http.StatusForbidden
	}
	var own interface{ HTTPStatus() int }
	if errors.As(err, &own) {
		status = own.HTTPStatus()
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
	} else if upgrade {
		status = http.StatusBadRequest
	}
	if upgrade {
		w.Header().Set("Connection", "close")
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text)) // the client may be gone
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, _ = w.Write(code.body(text))
}

const jsonType = "application/json"

// body is what a refusal over HTTP says; text as for refuse.
func (c errorCode) body(text string) []byte {
	if text == "" {
		text = c.message()
	}
	body, _ := json.Marshal(struct { // two plain fields cannot fail
		Code    errorCode `json:"code"`
		Message string    `json:"message"`
	}{c, text})
	return body
}

// ServeHTTP serves one request of the protocol. Its query says what it is:
//
//	EIO        protocol, 4 or (anything else) 3
//	transport  polling | websocket
//	sid        the session; without one the request opens a session
//	j          JSONP: the index of the client's callback
//	b64        protocol 3: no binary responses, please
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upgrade := isUpgrade(r)
	query := parameters(r)
	q := &query
	if !s.allowOrigin(w, r, q.protocol()) || !s.allowSource(r, q) {
		s.noteRefusal(r, codeForbidden, "")
		refuse(w, upgrade, codeForbidden, nil, "")
		return
	}
	if r.Method == http.MethodOptions {
		answerOptions(w, r)
		return
	}
	c, code, text, ok := s.verify(r, q, upgrade)
	var refusal error
	if ok && c == nil {
		if code, refusal = s.allow(r, q); code != codeNone {
			text, ok = "", false
			if refusal != nil {
				text = refusal.Error()
			}
		}
	}
	switch {
	case code == codeUnknownSID && s.opts.Forward != nil && s.opts.Forward(w, r, q.sid):
	case !ok:
		s.noteRefusal(r, code, text)
		refuse(w, upgrade, code, refusal, text)
	case upgrade:
		s.setHeaders(w, r, c)
		s.serveWebSocket(w, r, q, c)
	case c == nil:
		s.setHeaders(w, r, c)
		s.servePollingHandshake(w, r, q)
	default:
		s.setHeaders(w, r, c)
		s.servePolling(w, r, q, c)
	}
}

// allow decides on a request that would open a session.
func (s *Server) allow(r *http.Request, q *query) (errorCode, error) {
	if len(s.opts.Protocols) > 0 && !slices.Contains(s.opts.Protocols, q.protocol()) {
		return codeBadProtocol, nil
	}
	if err := s.fits(r); err != nil {
		return codeBadRequest, err
	}
	if s.opts.Allow == nil {
		return codeNone, nil
	}
	if err := s.opts.Allow(r); err != nil {
		return codeForbidden, err
	}
	return codeNone, nil
}

// verify checks a request in the order of Node's engine, which decides what a
// request that is wrong twice is told. It returns the session the request names.
func (s *Server) verify(r *http.Request, q *query, upgrade bool) (c *Conn, code errorCode, text string, ok bool) {
	transport := q.transport
	if !s.opts.allowsTransport(transport) {
		return nil, codeUnknownTransport, "", false
	}
	if sid := q.sid; sid != "" {
		c, found := s.lookup(sid)
		switch {
		case !found:
			return nil, codeUnknownSID, s.slow.text(sid), false
		case !upgrade && c.Transport() != transport, c.Protocol() != q.protocol(), upgrade && transport != WebSocket:
			return nil, codeBadRequest, "", false
		}
		return c, 0, "", true
	}
	if r.Method != http.MethodGet {
		return nil, codeBadHandshakeMethod, "", false
	}
	if (transport == WebSocket) != upgrade {
		return nil, codeBadRequest, "", false
	}
	return nil, 0, "", true
}
