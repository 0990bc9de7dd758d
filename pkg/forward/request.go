package forward

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Forward answers a request for a session that is not here, if another instance
// has it. It is the engine's Options.Forward: false means that nobody has, or
// that the owner does not answer; w has not been touched then.
func (f *Forwarder) Forward(w http.ResponseWriter, r *http.Request, sid string) bool {
	tag, ok := tagOf(sid)
	if !ok || tag == f.tag || FromPeer(r.Context()) {
		return false
	}
	p := f.table.find(r.Context(), tag)
	if p == nil {
		f.counters.unknownOwner.Add(1)
		return false
	}
	l, err := p.get(r.Context(), f.secrets, f.tag)
	if err != nil {
		f.unreachable(r.Context(), p, err)
		return false
	}
	e := &exchange{f: f, w: w, r: r, link: l, upgrade: isUpgrade(r), transit: transit{p, sid}}
	if !e.begin() {
		l.Close()
		return false
	}
	answered, err := e.run()
	if e.end() && answered && err == nil {
		p.put(l)
		return true
	}
	if err != nil {
		f.broken(r.Context(), p, err)
	}
	if answered && err != nil {
		panic(http.ErrAbortHandler) // half an answer must not look whole; net/http closes the connection
	}
	return answered
}

func (f *Forwarder) unreachable(ctx context.Context, p *peer, err error) {
	switch {
	case ctx.Err() != nil:
		f.counters.canceled.Add(1)
		return
	case errors.Is(err, errDenied):
		f.counters.denied.Add(1)
		f.table.remove(p) // another reading may know better
	default:
		f.counters.unreachable.Add(1)
	}
	f.log.Debug("the owner of a session cannot be reached", "err", err)
}

func (f *Forwarder) broken(ctx context.Context, p *peer, err error) {
	if ctx.Err() != nil {
		f.counters.canceled.Add(1)
		return
	}
	f.counters.broken.Add(1)
	f.log.Debug("the owner of a session did not answer", "instance", p.tag, "err", err)
}

// An exchange is one request on its way over a link.
type exchange struct {
	f       *Forwarder
	w       http.ResponseWriter
	r       *http.Request
	link    *link
	transit transit
	upgrade bool
	in      *bufio.Reader // of the link, once there is something to read

	reusable   bool // the link may carry another request
	tunnelled  bool // the link is a tunnel's now
	stopClient func() bool
	stopClose  func() bool
}

// begin ties the link to the life of f, and run to that of the client: when either
// ends, the link is cut, which ends the request at the owner. It reports false if f
// is closed already.
func (e *exchange) begin() bool {
	e.f.mu.Lock()
	closed := e.f.closed
	if !closed && e.r.Method == http.MethodGet && !e.upgrade {
		e.f.polls[e] = e.transit
	}
	e.f.mu.Unlock()
	if closed {
		return false
	}
	_ = e.link.SetDeadline(time.Now().Add(e.f.opts.Timeout)) // fails on a closed connection only
	e.stopClose = context.AfterFunc(e.f.ctx, func() { e.link.Close() })
	return true
}

// end unties it and reports whether the link can go back. Otherwise it has
// been closed, or given to a tunnel.
func (e *exchange) end() bool {
	e.f.mu.Lock()
	delete(e.f.polls, e)
	e.f.mu.Unlock()
	uncut := e.stopClose()
	if e.stopClient != nil {
		uncut = e.stopClient() && uncut
	}
	rest := 0
	if e.in != nil {
		rest = e.in.Buffered()
		e.in.Reset(nil)
		readers.Put(e.in)
	}
	if e.tunnelled {
		return false
	}
	if !uncut || !e.reusable || rest > 0 || e.link.SetDeadline(time.Time{}) != nil {
		e.link.Close()
		return false
	}
	return true
}

// run sends the request and passes the answer on. It reports whether the client
// has been sent any of it.
func (e *exchange) run() (answered bool, err error) {
	whole, sendErr := e.send()
	if errors.Is(sendErr, errBody) {
		return false, sendErr
	}
	// Not earlier: of a body that is cut the owner must get what there is, or it
	// does not learn of it.
	e.stopClient = context.AfterFunc(e.r.Context(), func() { e.link.Close() })
	// An owner that refuses a body unread may answer all the same.
	if err := awaitReadable(e.link.Conn); err != nil {
		return false, errors.Join(sendErr, err)
	}
	e.in = readers.Get().(*bufio.Reader)
	e.in.Reset(e.link.Conn)
	res, err := http.ReadResponse(e.in, e.r)
	if err != nil {
		return false, errors.Join(sendErr, err)
	}
	defer res.Body.Close()
	c := &e.f.counters
	if res.StatusCode == http.StatusSwitchingProtocols {
		if !e.upgrade {
			return false, errors.New("it switches protocols unasked")
		}
		return e.tunnel(res)
	}
	switch {
	case e.upgrade:
		c.refused.Add(1)
	case e.r.Method == http.MethodGet:
		c.polls.Add(1)
	default:
		c.posts.Add(1)
	}
	err = e.answer(res)
	e.reusable = err == nil && whole && sendErr == nil && !res.Close
	return true, err
}

// hopByHop are the header fields that concern one connection, and those that
// send writes itself. Fields that the client names in Connection are no part of
// it: they would reach an owner that is asked directly.
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true, "Expect": true, "Content-Length": true, "Host": true,
	headerAddr: true, headerTLS: true, headerCommand: true,
}

// unreadBody is how many bytes of a body net/http reads, at the owner, to keep
// the connection although nobody wants them.
const unreadBody = 256 << 10

// errBody tells that the client did not send what it said.
var errBody = errors.New("the client's body ends early")

// send writes the request. It reports whether the owner gets all of the body;
// if not, the link cannot be used again.
func (e *exchange) send() (whole bool, err error) {
	w := writers.Get().(*bufio.Writer)
	w.Reset(e.link.Conn)
	defer func() {
		w.Reset(nil)
		writers.Put(w)
	}()
	if _, err := w.Write(e.head()); err != nil {
		return false, err
	}
	length := e.r.ContentLength
	if length == 0 || length > e.f.opts.MaxBody && length >= unreadBody {
		// Too long a body the owner refuses by its length, and nobody waits for it.
		return length == 0, w.Flush()
	}
	body := &clientBody{Reader: e.r.Body}
	rc := http.NewResponseController(e.w) // deadlines are net/http's; others may not have them
	_ = rc.SetReadDeadline(time.Now().Add(e.f.opts.Timeout))
	if length > 0 {
		_, err = io.CopyN(w, body, length)
		whole = err == nil
	} else {
		whole, err = e.sendChunks(w, body)
	}
	if body.err != nil || errors.Is(err, io.EOF) {
		return false, errors.Join(errBody, body.err, w.Flush()) // the owner shall see that it was cut
	}
	_ = rc.SetReadDeadline(time.Time{})
	return whole, errors.Join(err, w.Flush())
}

// head is the request but for its body.
func (e *exchange) head() []byte {
	var b bytes.Buffer
	r := e.r
	target := r.RequestURI
	if target == "" {
		target = r.URL.RequestURI()
	}
	for _, s := range []string{r.Method, " ", target, " HTTP/1.1\r\nHost: ", r.Host, "\r\n", headerAddr, ": ", r.RemoteAddr, "\r\n"} {
		b.WriteString(s)
	}
	if r.TLS != nil {
		b.WriteString(headerTLS + ": 1\r\n")
	}
	if e.upgrade {
		b.WriteString("Connection: Upgrade\r\nUpgrade: websocket\r\n")
	}
	switch {
	case r.ContentLength > 0, r.ContentLength == 0 && r.Method != http.MethodGet:
		b.WriteString("Content-Length: " + strconv.FormatInt(r.ContentLength, 10) + "\r\n")
	case r.ContentLength < 0:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	}
	_ = r.Header.WriteSubset(&b, hopByHop) // a buffer takes everything
	b.WriteString("\r\n")
	return b.Bytes()
}

// sendChunks sends a body of unknown length, at most so much of it that the
// owner sees that it is too long.
func (e *exchange) sendChunks(to *bufio.Writer, body io.Reader) (whole bool, err error) {
	w := httputil.NewChunkedWriter(to)
	n, err := io.Copy(w, io.LimitReader(body, e.f.opts.MaxBody+1))
	if err != nil {
		return false, err
	}
	if err := w.Close(); err != nil {
		return false, err
	}
	_, err = to.WriteString("\r\n") // no trailers
	return n <= e.f.opts.MaxBody, err
}

// A clientBody remembers that reading failed.
type clientBody struct {
	io.Reader
	err error
}

func (b *clientBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// answer passes the owner's answer on: its header in place of what this
// instance has set for the origin.
func (e *exchange) answer(res *http.Response) error {
	h := e.w.Header()
	for name, values := range res.Header {
		if !hopByHop[name] {
			h[name] = values
		}
	}
	if e.upgrade {
		h["Connection"] = []string{"close"}
	}
	if res.ContentLength >= 0 && !slices.Contains(res.TransferEncoding, "chunked") && res.StatusCode != http.StatusNoContent {
		h["Content-Length"] = []string{strconv.FormatInt(res.ContentLength, 10)}
	}
	e.w.WriteHeader(res.StatusCode)
	return e.copyBody(res.Body)
}

// copyBody passes a body on as long as the client takes some of it every Options.Stall.
// When the client does not, the link ends, and with it the owner's answer: the owner
// then ends the session, as for a client of its own.
func (e *exchange) copyBody(body io.Reader) error {
	rc := http.NewResponseController(e.w) // deadlines are net/http's; others may not have them
	defer func() { _ = rc.SetWriteDeadline(time.Time{}) }()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := body.Read(*buf)
		if n > 0 {
			_ = rc.SetWriteDeadline(time.Now().Add(e.f.opts.Stall))
			if _, err := e.w.Write((*buf)[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return rc.Flush() // within the deadline
		case err != nil:
			return err
		}
	}
}

// isUpgrade tells a WebSocket's request from others as the engine does.
func isUpgrade(r *http.Request) bool {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return false
	}
	for _, v := range r.Header.Values("Connection") {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
				return true
			}
		}
	}
	return false
}
