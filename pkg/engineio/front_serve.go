package engineio

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// job returns how to serve a request that is no poll, or nil if it is for
// net/http. It keeps none of the bytes that q is a part of.
func (fc *frontConn) job(q *plainRequest) job {
	switch {
	case q.webSocket && (len(q.sid) == 0 || fc.find(q) != nil), len(q.sid) == 0 && !q.post:
		if r, err := q.request(remoteAddr(fc.nc)); err == nil {
			return func() (bool, func()) { return fc.handshake(r) }
		}
	case q.post:
		if c := fc.find(q); c != nil && fc.beginPost(c, q) {
			body := slices.Clone(q.body)
			return func() (bool, func()) { return fc.post(c, body), nil }
		}
	}
	return nil
}

// remoteAddr is what net/http tells of a request's peer, with fewer allocations.
func remoteAddr(nc net.Conn) string {
	addr := nc.RemoteAddr()
	if tcp, ok := addr.(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()).String()
	}
	return addr.String()
}

// find returns the session that q names, if it is one of q's protocol.
func (fc *frontConn) find(q *plainRequest) *Conn {
	if c := fc.front.server.lookupBytes(q.sid); c != nil && c.Protocol() == q.protocol {
		return c
	}
	return nil
}

// lookupBytes is lookup.
func (s *Server) lookupBytes(id []byte) *Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.conns[string(id)]
}

// poll answers a GET at once, or lets it wait for packets: then the connection
// belongs to the session. It reports false, and has done nothing, if the request
// is something else.
func (fc *frontConn) poll(q *plainRequest) bool {
	if q.post || q.webSocket || len(q.sid) == 0 || fc.front.server.opts.Headers != nil {
		return false
	}
	c := fc.find(q)
	if c == nil || !fc.allowOrigin(q) {
		return false
	}
	c.mu.Lock()
	if c.poll != nil || c.probe != nil || c.ws != nil {
		c.mu.Unlock()
		return false
	}
	fc.pending = pendingPoll{front: fc}
	c.poll = &fc.pending
	if !c.dueLocked(c.poll) {
		fc.session.Store(c)
		c.mu.Unlock()
		if fc.parking.Ending() { // the poller may have told before there was a session to end
			fc.ended()
		}
		if fc.parking.Signaled() { // as above, of another request
			fc.followed()
		}
		return true
	}
	a := c.takePollLocked()
	c.mu.Unlock()
	fc.answer(c, a)
	return true
}

// answer answers the poll of c that the caller has taken, and goes on. It takes little
// time: where the answer is long, on a goroutine of its own.
func (fc *frontConn) answer(c *Conn, a pollAnswer) {
	fc.session.Store(nil)
	if heavy(a.out.bytes()) {
		fc.front.server.running.start(func() { c.answerPoll(fc, nil, a) })
		return
	}
	c.answerPoll(fc, nil, a)
}

// writeAnswer is the front's pollSink.
func (fc *frontConn) writeAnswer(status int, contentType string, body []byte, r pollReceipt) {
	b := pollBuffers.Get().(*pollBuffer)
	b.response = fc.appendHead(b.response, status, contentType, len(body))
	if len(body) <= lightWork {
		b.response = append(b.response, body...)
		body = nil
	}
	rest, err := fc.writeNow(b.response)
	if err == nil && len(rest) == 0 && len(body) > 0 {
		rest, err = fc.writeNow(body)
		body = nil
	}
	switch {
	case err != nil:
		fc.close()
		r.done(err)
	case len(rest)+len(body) > 0:
		left := append(slices.Clone(rest), body...)
		fc.front.server.running.start(func() { fc.writeSlowly(left, r) })
	default:
		r.done(nil)
		fc.goOn(&fc.front.idle)
	}
	b.release()
}

// writeSlowly writes the rest of an answer as the client takes it.
func (fc *frontConn) writeSlowly(data []byte, r pollReceipt) {
	a := r.c.beginSlowAnswer(fc.nc)
	err := a.write(data, fc.nc.Write)
	a.end()
	r.done(err)
	if err != nil {
		fc.close()
		return
	}
	fc.goOn(&fc.front.idle)
}

// beginPost begins a POST of c, if it is one that is served here.
func (fc *frontConn) beginPost(c *Conn, q *plainRequest) bool {
	if foldsTo(q.contentType, "application/octet-stream") || int64(len(q.body)) > fc.front.server.opts.MaxPayload ||
		!fc.allowOrigin(q) || fc.front.server.opts.Headers != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.post || c.ws != nil {
		return false
	}
	c.post = true
	return true
}

// post ends what beginPost began. It reports whether the caller still owns the
// connection.
func (fc *frontConn) post(c *Conn, body []byte) bool {
	ok := fc.guard(func() {
		defer func() {
			c.mu.Lock()
			c.post = false
			c.mu.Unlock()
		}()
		c.onPayload(body, false, false)
	})
	if !ok {
		fc.close()
		return false
	}
	return fc.reply(http.StatusOK, "text/html", "ok")
}

// reply sends an answer and reports whether the caller goes on with the
// connection.
func (fc *frontConn) reply(status int, contentType, body string) bool {
	b := pollBuffers.Get().(*pollBuffer)
	b.response = fc.appendHead(b.response, status, contentType, len(body))
	b.response = append(b.response, body...)
	mine := fc.tryWrite(b.response)
	b.release()
	return mine
}

// answerNothing answers, as net/http does for a handler that says nothing, and
// ends the connection: its client may have closed one half of it only.
func (fc *frontConn) answerNothing() {
	text := append(appendStatus(nil, http.StatusOK), fc.cors.fields...)
	text = append(text, "Date: "+fc.front.date.text()+"\r\nContent-Length: 0\r\n\r\n"...)
	if fc.tryWrite(text) {
		fc.close()
	}
}

// appendHead appends the head of an answer to a poll or POST.
func (fc *frontConn) appendHead(dst []byte, status int, contentType string, length int) []byte {
	dst = appendStatus(dst, status)
	dst = append(dst, fc.cors.fields...)
	dst = append(dst, "Cache-Control: no-store\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(length), 10)
	dst = append(dst, "\r\nContent-Type: "...)
	dst = append(dst, contentType...)
	dst = append(dst, "\r\nDate: "...)
	dst = append(dst, fc.front.date.text()...)
	return append(dst, "\r\n\r\n"...)
}

func appendStatus(dst []byte, status int) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, http.StatusText(status)...)
	return append(dst, "\r\n"...)
}

// A corsCache keeps what allowOrigin said to the last request of a connection:
// the next will be from the same page.
type corsCache struct {
	known        bool
	origin, host string
	protocol     int
	allowed      bool
	fields       []byte // of the answer
}

func (fc *frontConn) allowOrigin(q *plainRequest) bool {
	k := &fc.cors
	if k.known && k.origin == string(q.origin) && k.host == string(q.host) && k.protocol == q.protocol {
		return k.allowed
	}
	*k = corsCache{known: true, origin: string(q.origin), host: string(q.host), protocol: q.protocol}
	r := &http.Request{Host: k.host, Header: http.Header{}}
	if k.origin != "" {
		r.Header.Set("Origin", k.origin)
	}
	w := &frontWriter{header: http.Header{}}
	k.allowed = fc.front.server.allowOrigin(w, r, k.protocol)
	k.fields = appendFields(nil, w.header)
	return k.allowed
}

// appendFields appends the fields of an answer, sorted as net/http does.
func appendFields(dst []byte, h http.Header) []byte {
	if origin := h["Access-Control-Allow-Origin"]; len(h) == 1 && len(origin) == 1 && origin[0] == "*" {
		return append(dst, "Access-Control-Allow-Origin: *\r\n"...) // what as a rule is all there is
	}
	var b bytes.Buffer
	_ = h.Write(&b) // a buffer takes all; Write makes spaces of line ends
	return append(dst, b.Bytes()...)
}

// A dateCache formats the time once a second.
type dateCache struct{ last atomic.Pointer[httpDate] }

type httpDate struct {
	second int64
	text   string
}

func (d *dateCache) text() string {
	now := time.Now()
	last := d.last.Load()
	if last == nil || last.second != now.Unix() {
		last = &httpDate{now.Unix(), now.UTC().Format(http.TimeFormat)}
		d.last.Store(last)
	}
	return last.text
}
