package engineio

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A pollClient is a client that polls.
type pollClient struct {
	http  *http.Client
	url   string // with the session's id
	sid   string
	open  string // the data of the open packet
	first []byte // the whole answer to the handshake
}

// dialPolling opens a session by polling. extra is appended to the query.
func dialPolling(t testing.TB, s *testServer, protocol int, extra ...string) *pollClient {
	t.Helper()
	c := &pollClient{http: newHTTPClient(t)}
	c.url = s.url("http", fmt.Sprintf("EIO=%d&transport=polling%s", protocol, strings.Join(extra, "")))
	res := c.get(t)
	if res.status != http.StatusOK {
		t.Fatalf("handshake: %d %q", res.status, res.body)
	}
	c.first = []byte(res.body)
	c.sid = sid(strings.ReplaceAll(res.body, `\"`, `"`))
	c.url += "&sid=" + c.sid
	if _, open, ok := strings.Cut(res.body, "0{"); ok {
		c.open = "{" + open
	}
	if c.sid == "" {
		t.Fatalf("handshake: no sid in %q", res.body)
	}
	return c
}

// A response is an HTTP response that has been read.
type response struct {
	status int
	body   string
	header http.Header
	err    error
}

func (c *pollClient) do(method, contentType string, body io.Reader) response {
	return request(c.http, method, c.url, contentType, body)
}

func request(client *http.Client, method, url, contentType string, body io.Reader) response {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return response{err: err}
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return roundTrip(client, req)
}

func roundTrip(client *http.Client, req *http.Request) response {
	res, err := client.Do(req)
	if err != nil {
		return response{err: err}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return response{res.StatusCode, string(b), res.Header, err}
}

// get polls once.
func (c *pollClient) get(t testing.TB) response {
	t.Helper()
	res := c.do(http.MethodGet, "", nil)
	if res.err != nil {
		t.Fatalf("poll: %v", res.err)
	}
	return res
}

// poll polls once and returns the body of the answer.
func (c *pollClient) poll(t testing.TB) string {
	t.Helper()
	res := c.get(t)
	if res.status != http.StatusOK {
		t.Fatalf("poll: %d %q", res.status, res.body)
	}
	return res.body
}

// wantPoll polls once and expects the body of the answer.
func (c *pollClient) wantPoll(t testing.TB, want string) {
	t.Helper()
	if got := c.poll(t); got != want {
		t.Fatalf("poll: got %.300q, want %.300q", got, want)
	}
}

// post sends a payload that must be accepted.
func (c *pollClient) post(t testing.TB, body string) {
	t.Helper()
	if res := c.tryPost(body); res.err != nil || res.status != http.StatusOK || res.body != "ok" {
		t.Fatalf("post: %d %q %v", res.status, res.body, res.err)
	}
}

func (c *pollClient) tryPost(body string) response {
	return c.do(http.MethodPost, "text/plain;charset=UTF-8", strings.NewReader(body))
}

// startPoll polls on a goroutine of its own. The server has the poll once
// peer.wantPolling returns.
func (c *pollClient) startPoll() <-chan response {
	ch := make(chan response, 1)
	go func() { ch <- c.do(http.MethodGet, "", nil) }()
	return ch
}

// await returns the answer to a poll or post that was started.
func await(t testing.TB, ch <-chan response) response {
	t.Helper()
	select {
	case res := <-ch:
		return res
	case <-time.After(patience):
		t.Fatal("the request is not answered")
		return response{}
	}
}

// wantAnswer expects the answer to a request that was started.
func wantAnswer(t testing.TB, ch <-chan response, status int, body string) {
	t.Helper()
	res := await(t, ch)
	if res.err != nil || res.status != status || res.body != body {
		t.Fatalf("got %d %q %v, want %d %q", res.status, res.body, res.err, status, body)
	}
}

// wantPolling waits until the client's poll is pending.
func (p *peer) wantPolling(t testing.TB) {
	t.Helper()
	eventually(t, "a pending poll", p.polling)
}

func (p *peer) polling() bool {
	p.Conn.mu.Lock()
	defer p.Conn.mu.Unlock()
	return p.sender.poll != nil
}

// wantGone expects that the server no longer knows the session.
func (c *pollClient) wantGone(t testing.TB) {
	t.Helper()
	const want = `{"code":1,"message":"Session ID unknown"}`
	if res := c.get(t); res.status != http.StatusBadRequest || res.body != want {
		t.Fatalf("got %d %q, want 400 %q", res.status, res.body, want)
	}
}
