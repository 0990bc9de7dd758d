package engineio

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// job returns how to serve a request that is no poll, or nothing if it is for net/http.
// It keeps none of the bytes that q is a part of.
func (fc *frontConn) job(q *plainRequest) job {
	server := fc.front.server
	if c := fc.postOf(q); c != nil {
		body, octets := slices.Clone(q.body), string(q.contentType) == octetStream
		return job{&server.running, func() (bool, func()) { return fc.post(c, octets, body), nil }}
	}
	if int64(len(q.body)+q.missing) > server.opts.MaxPayload {
		return job{} // it ends the connection anyway
	}
	ctx := newServedRequest(q.post)
	ctx.engine = q.forEngine(fc.front.opts.Path)
	r, err := q.request(ctx, fc.remote)
	if err != nil {
		return job{}
	}
	var body *frontBody
	if q.post {
		body = &frontBody{conn: fc, early: slices.Clone(q.body), missing: q.missing}
		r.Body = body
	}
	j := job{&fc.front.requests, func() (bool, func()) { return fc.serve(ctx, r, body) }}
	if q.session && (len(q.sid) == 0 || fc.find(q) != nil) { // or it may be another server's
		j.on = &server.running
	}
	return j
}

// serve lets FrontOptions.Handler answer a request.
func (fc *frontConn) serve(ctx *servedRequest, r *http.Request, body *frontBody) (mine bool, then func()) {
	w := &frontWriter{conn: fc, body: body, bare: r.Method == http.MethodHead, header: make(http.Header, 1)}
	fc.beginServing(ctx)
	if body.left() > 0 {
		_ = fc.nc.SetReadDeadline(time.Now().Add(fc.front.server.opts.BodyTimeout)) // fails on a closed connection only
	}
	ok := fc.guard(func() { fc.front.opts.Handler.ServeHTTP(w, r) })
	fc.serving.Store(nil)
	ctx.end()
	fc.front.forget(ctx)
	cut := fc.front.unread.End(&ctx.answer)
	switch {
	case (!ok || cut) && !w.gone:
		fc.close()
		return false, nil
	case !ok, w.gone:
		return false, w.then
	}
	return w.finish(), nil
}

// beginServing makes known which request is served. The poller may have told of the
// client's end, or of more, before.
func (fc *frontConn) beginServing(ctx *servedRequest) {
	fc.serving.Store(ctx)
	fc.front.remember(ctx)
	fc.missed()
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

// lookupBytes is lookup for a byte slice, without copying it.
func (s *Server) lookupBytes(id []byte) *Conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.conns[string(id)]
}

// poll answers a GET at once, or lets it wait for packets: then the connection
// belongs to the session. It reports false, and has done nothing, if the request
// is something else.
func (fc *frontConn) poll(q *plainRequest) bool {
	if !q.session || q.post || string(q.transport) != Polling || len(q.sid) == 0 || fc.front.server.opts.Headers != nil {
		return false
	}
	c := fc.find(q)
	if c == nil || !fc.allowOrigin(q) {
		return false
	}
	c.mu.Lock()
	if c.sender.poll != nil || c.sender.probe != nil || c.sender.ws != nil {
		c.mu.Unlock()
		return false
	}
	fc.pending = pendingPoll{front: fc}
	c.sender.poll = &fc.pending
	if !c.sender.due(c.sender.poll, c.life.open()) {
		fc.session.Store(c)
		c.mu.Unlock()
		fc.missed()
		return true
	}
	a := c.takePollLocked()
	c.mu.Unlock()
	fc.answer(fc, c, a)
	return true
}

// answer answers the poll of c that the caller has taken, by the sink to, and goes on. It takes little
// time: where the answer is long, on a goroutine of its own and without to.
func (fc *frontConn) answer(to pollSink, c *Conn, a pollAnswer) {
	fc.session.Store(nil)
	if heavy(a.out.bytes()) {
		long := a // only one that is long costs an allocation
		fc.front.server.running.start(func() { c.answerPoll(fc, nil, long) })
		return
	}
	c.answerPoll(to, nil, a)
}

func (*frontConn) waits() bool { return false }

// writeAnswer is the front's pollSink.
func (fc *frontConn) writeAnswer(status int, contentType string, body []byte, r pollReceipt) {
	b := pollBuffers.Get().(*pollBuffer)
	defer b.release()
	b.response = fc.appendHead(b.response, status, contentType, len(body))
	if len(body) <= lightWork {
		b.response = append(b.response, body...)
		body = nil
	}
	if fc.write(b.response, body, r, false) {
		fc.goOn(&fc.front.idle)
	}
}

// wroteAnswer ends an answer that has been offered to the socket with others: rest is what that has not taken, and stands among theirs.
func (fc *frontConn) wroteAnswer(rest []byte, err error, r pollReceipt) {
	if fc.wrote(slices.Clone(rest), nil, err, r, false) {
		fc.goOn(&fc.front.idle)
	}
}

// postOf returns the session of a POST, if it is one in its usual form that has come
// whole.
func (fc *frontConn) postOf(q *plainRequest) *Conn {
	opts := &fc.front.server.opts
	if !q.session || !q.post || q.missing > 0 || len(q.sid) == 0 || string(q.transport) != Polling || opts.Headers != nil ||
		int64(len(q.body)) > opts.MaxPayload {
		return nil
	}
	c := fc.find(q)
	if c == nil || !fc.allowOrigin(q) || c.Transport() != Polling {
		return nil
	}
	return c
}

// post takes a POST and answers it. It reports whether the caller still owns the
// connection.
func (fc *frontConn) post(c *Conn, octets bool, body []byte) bool {
	var result postResult
	if !fc.guard(func() { result = c.takePost(octets, false, func() ([]byte, error) { return body, nil }) }) {
		fc.close()
		return false
	}
	b := pollBuffers.Get().(*pollBuffer)
	defer b.release()
	if result.status == http.StatusOK {
		b.response = append(fc.appendHead(b.response, result.status, postType, len("ok")), "ok"...)
	} else {
		b.response = fc.appendBareHead(b.response, result.status)
	}
	return fc.write(b.response, nil, pollReceipt{}, false)
}

// answerCut answers a poll that its client has cut, and
// ends the connection: the client may have closed one half of it only.
func (fc *frontConn) answerCut() {
	if fc.write(fc.appendBareHead(nil, http.StatusBadRequest), nil, pollReceipt{}, true) {
		fc.close()
	}
}

// appendHead appends the head of an answer to a poll or POST.
func (fc *frontConn) appendHead(dst []byte, status int, contentType string, length int) []byte {
	dst = append(beginHead(dst, status), fc.cors.fields...)
	dst = appendField(dst, "Cache-Control", "no-store")
	dst = appendField(dst, "Content-Type", contentType)
	return endHead(appendField(dst, "Date", fc.front.date.text()), length)
}

// appendBareHead appends the head of an answer without a body.
func (fc *frontConn) appendBareHead(dst []byte, status int) []byte {
	dst = append(beginHead(dst, status), fc.cors.fields...)
	return endHead(appendField(dst, "Date", fc.front.date.text()), 0)
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
